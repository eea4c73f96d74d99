"""Low-rank adapters (LoRA, Hu et al. 2021, https://arxiv.org/abs/2106.09685) on all linear parts of a decoder.

All adapters of a model lie in one tensor each of values and gradients, in float32, so that the optimizer makes a few
large operations instead of hundreds of small ones. Projections that read the same input stand together: their
``A`` below each other, their ``B`` in the blocks of one matrix.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from tuning.engine.bases.shape import PROJECTIONS, Shape
from tuning.errors import EngineError

GROUPS = (PROJECTIONS[0:3], PROJECTIONS[3:4], PROJECTIONS[4:6], PROJECTIONS[6:7])
"""The projections of a layer by the input they share: attention's, its output, the MLP's first two, its last."""


@dataclass(frozen=True, slots=True)
class Piece:
    """Where one projection's matrix lies in the tensor of all values. ``side`` is A or B, as PEFT calls them."""

    name: str
    side: str
    start: int
    size: tuple[int, int]

    @property
    def stop(self) -> int:
        return self.start + math.prod(self.size)

    @property
    def peft_name(self) -> str:
        return f"base_model.model.{self.name}.lora_{self.side}.weight"

    def of(self, whole: Tensor) -> Tensor:
        return whole[self.start : self.stop].view(self.size)


class Dropout:
    """Leaves out a share of what adapters read, at random (Srivastava et al. 2014), while a model learns."""

    def __init__(self, share: float, device: torch.device) -> None:
        self._share = share
        self._chance = torch.Generator(device)
        self._on = False

    def begin(self, *numbers: int) -> None:
        """Leave out from now on what ``numbers`` decide."""
        self._chance.manual_seed(int(np.random.SeedSequence(numbers).generate_state(1)[0]))
        self._on = self._share > 0

    def end(self) -> None:
        """Leave out nothing from now on."""
        self._on = False

    def mask(self, x: Tensor) -> Tensor | None:
        """Zeros where ``x`` is left out; what is not is made up for. ``None`` leaves out nothing."""
        if not self._on:
            return None
        kept = torch.empty_like(x).bernoulli_(1 - self._share, generator=self._chance)
        return kept.div_(1 - self._share)


class LowRank:
    """The adapters of one group of projections: they add ``(x · down) · up`` to its outputs."""

    def __init__(self, pieces: Sequence[Piece], rank: int, scale: float, dropout: Dropout) -> None:
        self._downs = [piece for piece in pieces if piece.side == "A"]
        self._ups = [piece for piece in pieces if piece.side == "B"]
        self._rank, self._scale, self._dropout = rank, scale, dropout
        self._down = self._up = self._d_values = torch.empty(0)

    def adopt(self, values: Tensor, gradients: Tensor) -> None:
        """Compute with the matrices in ``values``, which has the type that is computed in."""
        self._d_values = gradients
        self._down = self._rows(values)
        if not len(self._up):
            self._up = values.new_zeros(sum(piece.size[0] for piece in self._ups), len(self._down))
        for piece, block in zip(self._ups, self._blocks(self._up), strict=True):
            torch.mul(piece.of(values), self._scale, out=block)

    def add(self, x: Tensor, out: Tensor) -> tuple[Tensor, Tensor | None]:
        """Add to ``out`` what the adapters make of ``x``; returns what :meth:`backward` needs."""
        mask = self._dropout.mask(x)
        between = (x if mask is None else x * mask) @ self._down.t()
        out.addmm_(between, self._up.t())
        return between, mask

    def backward(self, d_out: Tensor, d_x: Tensor, x: Tensor, kept: tuple[Tensor, Tensor | None]) -> None:
        """Add the adapters' part to the gradient ``d_x``, and to the gradients of their values."""
        between, mask = kept
        d_between = d_out @ self._up
        if mask is None:
            d_x.addmm_(d_between, self._down)
        else:
            d_x += (d_between @ self._down) * mask
            x = x * mask
        self._rows(self._d_values).add_(d_between.t() @ x)
        d_up = (between.t() @ d_out).t()  # the other way round, oneDNN takes a third longer
        for piece, block in zip(self._ups, self._blocks(d_up), strict=True):
            piece.of(self._d_values).add_(block, alpha=self._scale)

    def _rows(self, whole: Tensor) -> Tensor:
        first, last = self._downs[0], self._downs[-1]
        return whole[first.start : last.stop].view(-1, first.size[1])

    def _blocks(self, up: Tensor) -> Iterator[Tensor]:
        row = 0
        for number, piece in enumerate(self._ups):
            yield up[row : row + piece.size[0], number * self._rank : (number + 1) * self._rank]
            row += piece.size[0]


@dataclass(frozen=True, slots=True)
class Size:
    """What makes adapters fit each other."""

    rank: int
    alpha: float


class Adapters:
    """The adapters of a whole model. ``values`` is what is learnt."""

    def __init__(self, shape: Shape, size: Size, dtype: torch.dtype, device: torch.device, dropout: float = 0) -> None:
        self.size = size
        self.dropout = Dropout(dropout, device)
        self._pieces: list[Piece] = []
        self.groups = [tuple(self._group(shape, layer, parts) for parts in GROUPS) for layer in range(shape.layers)]
        self.values = torch.zeros(self._pieces[-1].stop, device=device)
        self.gradients = torch.zeros_like(self.values)
        self._computed = torch.zeros_like(self.values, dtype=dtype)

    def draw(self, seed: int) -> None:
        """Begin as PEFT does: ``A`` at random (Kaiming), ``B`` zero, so that nothing is added yet."""
        chance = torch.Generator().manual_seed(seed)
        for piece in self._pieces:
            if piece.side == "A":
                bound = 1 / math.sqrt(piece.size[1])
                piece.of(self.values).copy_(torch.empty(piece.size).uniform_(-bound, bound, generator=chance))
        self.adopt()

    def load(self, tensors: Mapping[str, Tensor]) -> None:
        """Values by PEFT's names. Raises ``EngineError("source_missing")`` where one is missing or of another size."""
        for piece in self._pieces:
            given = tensors.get(piece.peft_name)
            if given is None or given.shape != piece.size:
                raise EngineError("source_missing", detail=piece.peft_name)
            piece.of(self.values).copy_(given)
        self.adopt()

    def tensors(self) -> dict[str, Tensor]:
        """The values by PEFT's names."""
        return {piece.peft_name: piece.of(self.values).cpu().clone() for piece in self._pieces}

    def adopt(self) -> None:
        """Compute with the values as they are now."""
        self._computed.copy_(self.values)
        for group in (group for layer in self.groups for group in layer):
            group.adopt(self._computed, self.gradients)

    def _group(self, shape: Shape, layer: int, parts: Sequence[str]) -> LowRank:
        pieces = []
        for side in "AB":
            for part in parts:
                outputs, inputs = shape.projection(part)
                size = (self.size.rank, inputs) if side == "A" else (outputs, self.size.rank)
                start = self._pieces[-1].stop if self._pieces else 0
                pieces.append(Piece(f"model.layers.{layer}.{part}", side, start, size))
                self._pieces.append(pieces[-1])
        return LowRank(pieces, self.size.rank, self.size.alpha / self.size.rank, self.dropout)
