"""What passes through one layer in one forward pass, kept for the forms that read it."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.utils.hooks import RemovableHandle

from learners.backbones.backbone import Backbone
from learners.backbones.sites import HookPoint, Role, Source, hook_point
from learners.forms import Reading
from learners.forms.form import scores


class ActivationCapture:
    """Representations of a layer by role, as they were when they passed last.

    Args:
        mask: 1 for tokens, 0 for padding, [B, S].
    """

    def __init__(self, backbone: Backbone, layer: int, mask: Tensor) -> None:
        self.backbone, self.layer, self.mask = backbone, layer, mask
        self.kept: dict[Role, Tensor] = {}
        self.needed: set[Role] = set()

    def point(self, role: Role) -> tuple[nn.Module, HookPoint]:
        """The module of a role, and how the representation passes it."""
        point = hook_point(self.backbone.architecture, role, self.layer)
        return self.backbone.model.get_submodule(point.module), point

    def need(self, *sources: Source) -> None:
        self.needed.update("ffn.input" if source == "ffn.normed" else source for source in sources)

    def watch(self) -> list[RemovableHandle]:
        """Hooks that keep what is needed."""
        return [self._watch(role) for role in sorted(self.needed)]

    def _watch(self, role: Role) -> RemovableHandle:
        module, point = self.point(role)

        def entering(module: nn.Module, inputs: tuple[Any, ...]) -> None:
            self.kept[role] = inputs[0]

        def leaving(module: nn.Module, inputs: tuple[Any, ...], output: Tensor) -> None:
            self.kept[role] = own(output, point)

        return module.register_forward_pre_hook(entering) if point.enters else module.register_forward_hook(leaving)

    def reading(self, h: Tensor, source: Source | None, fed: Tensor | None = None) -> Reading:
        """What a form reads that modifies h: h itself, or what was kept of another role.

        Args:
            fed: What the matrix that made h read, where that is what the form reads too: a module may be entered more
                than once in a pass.
        """
        if fed is not None:
            x = fed
        elif source is None:
            x = h
        elif source == "ffn.normed":
            norm, _ = self.point("ffn.norm")
            x = norm.forward(h + self.kept["ffn.input"])  # without its hooks: this is not its place in the layer
        else:
            x = self.kept[source]
        architecture = self.backbone.architecture
        dropout = architecture.attention_dropout if self.backbone.model.training else 0.0
        return Reading(x, architecture.heads, self.log_mass, dropout)

    def log_mass(self) -> Tensor:
        """log Σ_j exp(q·k_j/√d_h + M_j) of the attention of this layer, [B, S, N_h]; M_j is -∞ for padding."""
        heads = self.backbone.architecture.heads
        found = scores(self.kept["attention.query"], self.kept["attention.key"], heads)  # [B, N_h, S, S]
        found = found.masked_fill(self.mask[:, None, None, :] == 0, -torch.inf)
        return torch.logsumexp(found, dim=-1).transpose(1, 2)


def own(output: Tensor, point: HookPoint) -> Tensor:
    """What belongs to a role of what leaves its module."""
    return output if point.columns is None else output[..., slice(*point.columns)]


def replaced(output: Tensor, point: HookPoint, h: Tensor) -> Tensor:
    """What leaves a module, with h in the role's place."""
    if point.columns is None:
        return h
    first, last = point.columns
    return torch.cat([output[..., :first], h, output[..., last:]], dim=-1)
