"""llama.cpp's own server on a GGUF, as it comes: what ``benchmarks/generate.py`` is measured against.

    python benchmarks/bare.py FILE TOKENS THREADS

Prints its address and serves until its standard input closes.
"""

import sys

import xllamacpp


def main(path: str, tokens: int, threads: int) -> None:
    parameters = xllamacpp.CommonParams()
    parameters.model.path = path
    parameters.n_ctx = tokens
    parameters.cpuparams.n_threads = parameters.cpuparams_batch.n_threads = threads
    parameters.verbosity = 0
    parameters.fit_params = False
    server = xllamacpp.Server(parameters)
    print(server.listening_address, flush=True)
    sys.stdin.read()


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
