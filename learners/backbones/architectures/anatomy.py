"""What the tables of this package are made of: where, in configs and modules of one architecture, things are."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple, Protocol

Shapes = dict[str, tuple[int, ...]]


class Sizes(Protocol):
    """What the shapes of parameters depend on: the sizes in an `Architecture`, whose `anatomy` is such a table."""

    @property
    def hidden(self) -> int: ...
    @property
    def layers(self) -> int: ...
    @property
    def ffn(self) -> int: ...
    @property
    def vocabulary(self) -> int: ...
    @property
    def positions(self) -> int: ...
    @property
    def types(self) -> int: ...
    @property
    def embedding(self) -> int: ...
    @property
    def relative(self) -> int: ...
    @property
    def pooler(self) -> bool: ...


# Role -> the role of what the module that holds its weights puts out, where another module comes after that one.
MADE_BY: Mapping[str, str] = {
    "attention.output": "attention.wo",
    "ffn.intermediate": "ffn.w1",
    "ffn.output": "ffn.w2",
}
# Keys that change the layers themselves -> their plain values, None where missing: whoever passes over one counts and
# trains another model.
PLAIN: Mapping[str, tuple[Any, ...]] = {
    "is_decoder": (None, False),
    "add_cross_attention": (None, False),
    "position_embedding_type": (None, "absolute"),
}


class Place(NamedTuple):
    """What enters or leaves a module; `part`: which of its equal parts, side by side in the last dimension, or all."""

    module: str
    enters: bool = False
    part: int | None = None


def entering(module: str) -> Place:
    return Place(module, enters=True)


@dataclass(frozen=True, eq=False)
class Anatomy:
    """One architecture.

    Attributes:
        sizes: Field of `Architecture` -> key of the config that must state it.
        settings: Field -> key, and the value that transformers gives it where it is missing.
        layer: Name of a layer, `{}` for its number.
        places: Role -> place within a layer.
        outside: Role -> place outside the layers.
        words: Name of the table of word vectors.
        shapes: Name -> shape of every parameter, in module order.
        prefix: Of tensors where the body is part of a model with a head.
        below: Prefixes of parameters that are in no layer and come before the first, tables of all layers included.
        norms: LayerNorms outside the layers, beside that of the embeddings.
        pooler: Whether there is a tanh pooler.
        pads_first: Whether positions are numbered from `pad_id + 1`, so that rows of their table are lost.
        pre_norm: Whether a sub-layer reads LN(x), and x + h goes on (pre-LN); else LN(x + h) goes on.
        biased: Whether linear layers and norms have biases.
        glu: Whether the first FFN matrix makes a gate beside what it gates, twice d_ff.
        scores: How its attention scores come about where they are not q·k/√d_h of one layer alone; "": they are.
        accepted: Key -> the values that are supported, None among them where it may be missing.
        passed: Keys of no field that transformers needs.
        further: Fields that are no keys, from the config; checks the values of `passed`.
    """

    sizes: Mapping[str, str]
    settings: Mapping[str, tuple[str, Any]]
    layer: str
    places: Mapping[str, Place]
    outside: Mapping[str, Place]
    words: str
    shapes: Callable[[Sizes], Shapes]
    prefix: str
    below: tuple[str, ...] = ("embeddings.",)
    norms: tuple[str, ...] = ()
    pooler: bool = False
    pads_first: bool = False
    pre_norm: bool = False
    biased: bool = True
    glu: bool = False
    scores: str = ""
    accepted: Mapping[str, tuple[Any, ...]] = field(default_factory=lambda: PLAIN)
    passed: tuple[str, ...] = ()
    further: Callable[[Mapping[str, Any], str], dict[str, int]] = lambda config, where: {}

    @property
    def keys(self) -> frozenset[str]:
        """All keys of a config that are read or handed to transformers."""
        settings = {key for key, _ in self.settings.values()}
        required = self.accepted.keys() - PLAIN.keys()
        return frozenset({*self.sizes.values(), *settings, *required, *self.passed})


def affine(module: str, *weight: int) -> Shapes:
    """Weight and bias of a linear layer [out, in] or of a norm [d]."""
    return {f"{module}.weight": weight, f"{module}.bias": weight[:1]}


def post_norm_layers(a: Sizes, anatomy: Anatomy) -> Shapes:
    """Four projections, two feed-forward matrices and two norms for each layer, as in BERT."""
    d, shapes = a.hidden, Shapes()
    matrices = {"ffn.w1": (a.ffn, d), "ffn.w2": (d, a.ffn), "attention.norm": (d,), "ffn.norm": (d,)}
    attention = ("attention.query", "attention.key", "attention.value", "attention.wo", "attention.norm")
    for layer in range(a.layers):
        for role in (*attention, "ffn.w1", "ffn.w2", "ffn.norm"):
            module = f"{anatomy.layer.format(layer)}.{anatomy.places[role].module}"
            shapes |= affine(module, *matrices.get(role, (d, d)))
    return shapes
