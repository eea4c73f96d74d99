"""The optimizer against torch's own."""

import pytest
import torch

from tuning.engine.learning.optimizer import AdamW


@pytest.mark.parametrize("weight_decay", [0.0, 0.1])
@pytest.mark.parametrize("longest", [0.5, 1e9])
def test_steps_are_those_of_torch(weight_decay: float, longest: float) -> None:
    draw = torch.Generator().manual_seed(2)
    values, gradients = torch.randn(50, generator=draw), torch.zeros(50)
    theirs = torch.nn.Parameter(values.clone())
    reference = torch.optim.AdamW([theirs], lr=0.1, weight_decay=weight_decay)
    ours = AdamW(values, gradients, weight_decay)

    for step, rate in enumerate((0.1, 0.1, 0.05, 0.01), start=1):
        gradients.copy_(torch.randn(50, generator=draw))
        theirs.grad = gradients.clone()
        torch.nn.utils.clip_grad_norm_([theirs], longest)
        ours.clip(longest)
        reference.param_groups[0]["lr"] = rate
        reference.step()
        ours.step(step, rate)
        torch.testing.assert_close(values, theirs.detach())
