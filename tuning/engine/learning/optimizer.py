"""AdamW over one tensor."""

import torch
from torch import Tensor

BETAS, EPS = (0.9, 0.999), 1e-8


class AdamW:
    """Decoupled weight decay (Loshchilov & Hutter 2019, https://arxiv.org/abs/1711.05101), as ``torch.optim.AdamW``
    computes it; that class takes a second to import what only compiling would need. ``mean`` and ``square`` are the
    running averages of the gradient and its square.
    """

    def __init__(self, values: Tensor, gradients: Tensor, weight_decay: float) -> None:
        self._values, self._gradients, self._weight_decay = values, gradients, weight_decay
        self.mean, self.square = torch.zeros_like(values), torch.zeros_like(values)

    def clip(self, longest: float) -> None:
        """Scale the gradients down to the norm ``longest`` if they are longer (Pascanu et al. 2013)."""
        self._gradients.mul_((longest / (self._gradients.norm() + 1e-6)).clamp_(max=1.0))

    def step(self, number: int, rate: float) -> None:
        """Make step ``number``, counted from 1, at the learning rate ``rate``."""
        torch._fused_adamw_(
            [self._values],
            [self._gradients],
            [self.mean],
            [self.square],
            [],
            [torch.tensor(float(number), device=self._values.device)],
            lr=rate,
            beta1=BETAS[0],
            beta2=BETAS[1],
            weight_decay=self._weight_decay,
            eps=EPS,
            amsgrad=False,
            maximize=False,
        )
