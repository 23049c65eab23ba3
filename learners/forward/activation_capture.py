"""Capture of activations: the representations in one layer that the forms of its modifications read."""

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
    """Captures representations of one layer, by role, during one forward pass.

    Attributes:
        captured: The last value of each captured representation, by role.
        needed: Roles to capture.

    Args:
        mask: 1 for tokens, 0 for padding, [B, S].
    """

    def __init__(self, backbone: Backbone, layer: int, mask: Tensor) -> None:
        self.backbone, self.layer, self.mask = backbone, layer, mask
        self.captured: dict[Role, Tensor] = {}
        self.needed: set[Role] = set()

    def point(self, role: Role) -> tuple[nn.Module, HookPoint]:
        """The module where the representation of a role can be read, and the hook point in it."""
        point = hook_point(self.backbone.architecture, role, self.layer)
        return self.backbone.model.get_submodule(point.module), point

    def need(self, *sources: Source) -> None:
        """Request the capture of everything that these sources read. Call it before `watch`."""
        self.needed.update("ffn.input" if source == "ffn.normed" else source for source in sources)

    def watch(self) -> list[RemovableHandle]:
        """Register the hooks that capture all needed representations. The caller must remove them."""
        return [self._watch(role) for role in sorted(self.needed)]

    def _watch(self, role: Role) -> RemovableHandle:
        module, point = self.point(role)

        def entering(module: nn.Module, inputs: tuple[Any, ...]) -> None:
            self.captured[role] = inputs[0]

        def leaving(module: nn.Module, inputs: tuple[Any, ...], output: Tensor) -> None:
            self.captured[role] = own(output, point)

        return module.register_forward_pre_hook(entering) if point.enters else module.register_forward_hook(leaving)

    def reading(self, h: Tensor, source: Source | None, fed: Tensor | None = None) -> Reading:
        """The inputs of a form that modifies h.

        Args:
            h: The representation that the form modifies, [B, S, width].
            source: What the form reads. None: h itself.
            fed: Input of the matrix whose output is h; give it if the form reads this input too. It takes precedence
                over a captured value, because a module may run more than once in one forward pass. Default: None.
        """
        if fed is not None:
            x = fed
        elif source is None:
            x = h
        elif source == "ffn.normed":
            norm, _ = self.point("ffn.norm")
            x = norm.forward(h + self.captured["ffn.input"])  # without hooks: this call is not part of the layer
        else:
            x = self.captured[source]
        architecture = self.backbone.architecture
        dropout = architecture.attention_dropout if self.backbone.model.training else 0.0
        return Reading(x, architecture.heads, self.log_mass, dropout)

    def log_mass(self) -> Tensor:
        """log Σ_j exp(q·k_j/√d_h + M_j) of the attention of this layer, [B, S, N_h]; M_j is -∞ for padding."""
        heads = self.backbone.architecture.heads
        logits = scores(self.captured["attention.query"], self.captured["attention.key"], heads)  # [B, N_h, S, S]
        logits = logits.masked_fill(self.mask[:, None, None, :] == 0, -torch.inf)
        return torch.logsumexp(logits, dim=-1).transpose(1, 2)


def own(output: Tensor, point: HookPoint) -> Tensor:
    """The part of a module's output that belongs to a role: all of it, or some columns."""
    return output if point.columns is None else output[..., slice(*point.columns)]


def replaced(output: Tensor, point: HookPoint, h: Tensor) -> Tensor:
    """The output of a module in which h replaces the part of a role."""
    if point.columns is None:
        return h
    first, last = point.columns
    return torch.cat([output[..., :first], h, output[..., last:]], dim=-1)
