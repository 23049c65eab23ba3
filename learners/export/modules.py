"""The modifications of a Delta as modules of the class in `modeling/modeling_taskstream_delta.py`.

That class knows three kinds of modules. All functional forms of this package become one of them: factors, shared
tensors and Kronecker products are multiplied out here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from learners.backbones.architecture import Architecture
from learners.backbones.sites import FED_BY, Role, hook_point, width
from learners.delta.delta import Delta
from learners.delta.layout import PROMPT
from learners.forms import (
    Bottleneck,
    Form,
    Headwise,
    Hypercomplex,
    LowRank,
    Prefix,
    Rescale,
    Scaled,
    TokenShift,
    UngatedPrefix,
)
from learners.forms.hypercomplex import matrix
from learners.methods.vera import ScaledRandom, projections
from learners.specification.learner import Learner
from learners.specification.modification import Modification

Tensors = Mapping[str, Tensor]
KNOWN = (Bottleneck, Headwise, Hypercomplex, LowRank, Prefix, Rescale, ScaledRandom, TokenShift, UngatedPrefix)
LAST = ("up_weight", "up_bias", "values")  # tensors in which Δh is linear


@dataclass(frozen=True)
class Modules:
    """What a Delta adds to the encoder.

    Attributes:
        settings: Keys of the config.
        tensors: Name in the checkpoint -> tensor, without the encoder and the head.
    """

    settings: Mapping[str, Any]
    tensors: Tensors


def unbuildable(learner: Learner) -> str:
    """Why the modules of a learner cannot be written, in one sentence; "" if they can."""
    if learner.no_encoder:
        return learner.no_encoder
    if learner.peft:
        return "only peft computes the modules of peft"
    unknown = (type(form).__name__ for m in learner.modifications if type(form := _plain(m.form)) not in KNOWN)
    return next((f"the form {name} is not one of this package" for name in unknown), "")


def modules_of(learner: Learner, delta: Delta, architecture: Architecture) -> Modules:
    """The modifications and the prompt of a Delta, with the number of layers that the head reads."""
    tensors: dict[str, Tensor] = {}
    changes: list[dict[str, Any]] = []
    count = len(learner.modifications)
    for place, modification in enumerate(learner.modifications):
        shapes = modification.shapes(architecture)
        for layer in range(architecture.layers):
            own = {name: delta.tensors[modification.key(layer, name)] for name in shapes}
            found = {name: tensor.float() for name, tensor in _tensors(modification, own, architecture).items()}
            tensors |= {f"delta.{layer * count + place}.{name}": tensor for name, tensor in found.items()}
        changes.append(_about(modification, architecture, {name: list(t.shape) for name, t in found.items()}))
    settings = {"changes": changes, "heads": architecture.heads, "layers": architecture.layers}
    if learner.prompt:
        tensors["prompt"] = delta.tensors[PROMPT]
    return Modules(settings | {"prompt": learner.prompt, "layers_read": learner.layers_read}, tensors)


def _plain(form: Form) -> Form:
    return form.form if isinstance(form, Scaled) else form


def _about(modification: Modification, architecture: Architecture, shapes: dict[str, list[int]]) -> dict[str, Any]:
    form, site, reads = _plain(modification.form), modification.site, modification.reads
    fed = reads is not None and reads == FED_BY.get(site)
    read: Role | None = "ffn.input" if reads == "ffn.normed" else reads
    gated = isinstance(form, Prefix)
    return {
        "name": modification.name,
        "kind": _kind(form),
        "activation": _activation(form),
        "depth": form.depth if isinstance(form, Bottleneck) else 2,
        "inner_norm": form.norm if isinstance(form, Bottleneck) else "none",
        "site": _place(architecture, site),
        "fed": fed,
        "reads": None if fed or read is None else _place(architecture, read),
        "norm": _place(architecture, "ffn.norm")[0] if reads == "ffn.normed" else None,
        "multiplies": modification.multiplies,
        "gated": gated,
        "query": _place(architecture, "attention.query") if gated else None,
        "key": _place(architecture, "attention.key") if gated else None,
        "shapes": shapes,
    }


def _place(architecture: Architecture, role: Role) -> list[Any]:
    """Module with `{}` for the layer, whether it is the module's input, and the columns."""
    place = architecture.anatomy.places[role]
    point = hook_point(architecture, role, 0)
    return [f"{architecture.anatomy.layer}.{place.module}", point.enters, point.columns and list(point.columns)]


def _kind(form: Form) -> str:
    if isinstance(form, Rescale):
        return "rescale"
    return "attention" if isinstance(form, Headwise | UngatedPrefix) else "bottleneck"


def _activation(form: Form) -> str:
    if isinstance(form, UngatedPrefix):
        return "softmax"
    return form.activation if isinstance(form, Bottleneck | Hypercomplex | Headwise) else "identity"


def _tensors(modification: Modification, own: Tensors, architecture: Architecture) -> dict[str, Tensor]:
    """Tensors of one layer by their names in the module, with all factors multiplied in."""
    form, factor = _plain(modification.form), torch.tensor(modification.scale, dtype=torch.float64)
    if isinstance(modification.form, Scaled):
        factor = factor * own["scale"].double()
    given = {name: tensor.double() for name, tensor in own.items() if name != "scale"}
    if isinstance(form, Rescale):
        return {"factor": 1 + factor * (given["factor"] - 1)}
    if isinstance(form, Prefix):  # its gate takes the place of a scale
        return given
    found = _multiplied_out(form, given, modification, architecture)
    return {name: factor * tensor if name in LAST else tensor for name, tensor in found.items()}


def _multiplied_out(
    form: Form, given: Tensors, modification: Modification, architecture: Architecture
) -> dict[str, Tensor]:
    if isinstance(form, Hypercomplex):
        down, up = (matrix(given["rule"], given[f"{part}.s"], given[f"{part}.t"]) for part in ("down", "up"))
        return _bottleneck(down, up, given["down.bias"], given["up.bias"])
    if isinstance(form, TokenShift):
        return _bottleneck(given["alpha.weight"], given["vector"][:, None], given["alpha.bias"])
    if isinstance(form, ScaledRandom):
        site, reads = modification.site, modification.reads
        assert reads is not None  # a low-rank product reads the input of its matrix
        assert reads != "ffn.normed"
        down, up = projections(form.key, form.rank, width(architecture, reads), width(architecture, site))
        return _bottleneck(down * given["d"][:, None], up * given["b"][:, None])
    if isinstance(form, LowRank):
        return _bottleneck(given["A"], given["B"])
    return {name.replace(".", "_"): tensor for name, tensor in given.items()}


def _bottleneck(down: Tensor, up: Tensor, first: Tensor | None = None, last: Tensor | None = None) -> dict[str, Tensor]:
    """A bottleneck of two matrices, with zeros for a bias that is missing."""
    biases = (down.new_zeros(len(down)) if first is None else first, up.new_zeros(len(up)) if last is None else last)
    return {"down_weight": down, "down_bias": biases[0], "up_weight": up, "up_bias": biases[1]}
