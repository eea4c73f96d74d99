"""How fast this machine multiplies matrices in bf16: what ``benchmarks/tune.py`` measures utilisation against.

python benchmarks/gemm.py THREADS        prints FLOP/s, the best of some seconds
"""

import sys
import time

import torch

SECONDS = 3.0


def main(threads: int) -> float:
    torch.set_num_threads(threads)
    on_gpu = torch.cuda.is_available()
    size = 8192 if on_gpu else 2048
    one, two = (torch.randn(size, size, dtype=torch.bfloat16, device="cuda" if on_gpu else "cpu") for _ in range(2))
    until, best = time.perf_counter() + SECONDS, float("inf")
    while time.perf_counter() < until:
        begun = time.perf_counter()
        torch.mm(one, two)
        if on_gpu:
            torch.cuda.synchronize()
        best = min(best, time.perf_counter() - begun)
    return 2 * size**3 / best


if __name__ == "__main__":
    print(main(int(sys.argv[1])))
