"""The one place where a learner changes the forward pass: `change(site, layer, h, reads)`.

Each architecture calls it at every site of every layer (`learners.backbones.sites` lists them). It returns h, or h
after a modification of He et al.'s grid: h + s·Δh, h ⊙ (1 + s·Δh) or (1 − λ) h + λ Δh. `reads` is new in each
layer: `change` stores h there, after all changes at the site, if a form reads it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cache
from typing import cast

import torch
from torch import Tensor

from learners.backbones.architecture import Architecture
from learners.backbones.sites import Role, Source
from learners.forms import Form, Gated, Reading
from learners.forms.dropout import Noise
from learners.forms.form import scores
from learners.forms.packed import by_slot
from learners.forward.operations import Weights, module_names, norm
from learners.specification.modification import Modification
from tasks.errors import InputError

Reads = dict[Source, Tensor]  # site -> representation of one layer, after its changes; only those that a form reads
Change = Callable[[Role, int, Tensor, Reads], Tensor]


def unchanged(site: Role, layer: int, h: Tensor, reads: Reads) -> Tensor:
    """The `change` of a learner without modifications: returns h."""
    return h


def change_by(
    a: Architecture,
    modifications: Sequence[Modification],
    tensors: Mapping[str, Tensor],
    w: Weights,
    mask: Tensor,
    noise: Noise = (),
    slots: int | None = None,
) -> Change:
    """Returns the `change` that applies modifications. Two at one site apply in their order.

    A form may read representations of the same layer that the forward pass computes before the one it changes.

    Args:
        tensors: Tensors of the modifications, by their names in a Delta.
        w: Weights of the encoder; a modification that reads `ffn.normed` uses those of the norm.
        mask: 1 for tokens and a prompt, 0 for padding, [B, S].
        noise: What draws dropout of attention weights; those over a prefix then have it too. Default: none.
        slots: Number K of the Deltas in a pack, whose tensors are stacked; the batch has K B rows. None (default): the
            tensors are those of one Delta.
    """
    if not modifications:
        return unchanged
    at: dict[Role, list[tuple[Modification, tuple[str, ...]]]] = {}
    for modification in modifications:
        at.setdefault(modification.site, []).append((modification, tuple(modification.shapes(a))))
    kept = {source for modification in modifications for source in sources(modification)}
    p = a.attention_dropout if noise else 0.0

    def change(site: Role, layer: int, h: Tensor, reads: Reads) -> Tensor:
        for m, names in at.get(site, ()):
            own = {name: tensors[m.key(layer, name)] for name in names}
            x = h if m.reads is None else read(m, m.reads, layer, h, reads)
            reading = Reading(by_slot(x, slots), a.heads, lambda: by_slot(log_mass(a, reads, mask), slots), p, noise)
            changed = composed(m, own, by_slot(h, slots), reading)
            h = changed if slots is None else changed.view(h.shape)
        if site in kept:
            reads[site] = h
        return h

    def read(m: Modification, source: Source, layer: int, h: Tensor, reads: Reads) -> Tensor:
        if source == "ffn.normed":  # LN(h + y), the output of the layer without this modification
            return norm(w, module_names(a, layer)["ffn.norm"], h + reads["ffn.input"], a.layer_norm_eps)
        if source not in reads:
            expected = "a representation that the layer computes before the one it changes"
            raise InputError(f"{m.name} cannot read {source} at {m.site}", expected=expected)
        return reads[source]

    return change


def composed(m: Modification, tensors: Mapping[str, Tensor], h: Tensor, reading: Reading) -> Tensor:
    """The changed representation, [B, S, width].

    Args:
        tensors: Tensors of the modification in this layer, by their names in its form.
    """
    form: Form = m.form
    delta = form.change(tensors, reading)
    if is_gated(type(form)):
        return h + cast(Gated, form).gate(tensors, reading) * (delta - h)
    if m.multiplies:
        delta = h * delta
    return h + (delta if m.scale == 1.0 else m.scale * delta)


@cache
def is_gated(form: type) -> bool:
    """Whether forms of this class have a gate. Cached: a look at a protocol takes as long as a small product."""
    return issubclass(form, Gated)


def sources(m: Modification) -> set[Source]:
    """The representations that a modification reads, besides the one it changes."""
    found: set[Source] = {m.reads} if m.reads is not None else set()
    if m.reads == "ffn.normed":
        found = {"ffn.input"}
    return found | ({"attention.query", "attention.key"} if is_gated(type(m.form)) else set())


def log_mass(a: Architecture, reads: Reads, mask: Tensor) -> Tensor:
    """log Σ_j exp(q·k_j/√d_h + M_j) of the attention of this layer, [B, S, N_h]; M_j is -∞ for padding."""
    logits = scores(reads["attention.query"], reads["attention.key"], a.heads)  # [B, N_h, S, S]
    logits = logits.masked_fill(mask[:, None, None, :] == 0, -torch.inf)
    return torch.logsumexp(logits, dim=-1).transpose(1, 2)
