"""The type of an architecture's table, `Anatomy`, and functions that the tables share."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple, Protocol

Shapes = dict[str, tuple[int, ...]]


class Sizes(Protocol):
    """The sizes that determine the shapes of parameters. An `Architecture` has them."""

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


# Role -> role of the output of the module with the weights, if a further module (activation, dropout) follows it.
MADE_BY: Mapping[str, str] = {
    "attention.output": "attention.wo",
    "ffn.intermediate": "ffn.w1",
    "ffn.output": "ffn.w2",
}
# Config keys that change the layers -> supported values (None: the key is missing). They must be checked: with another
# value, the parameters would be counted and trained for another model.
PLAIN: Mapping[str, tuple[Any, ...]] = {
    "is_decoder": (None, False),
    "add_cross_attention": (None, False),
    "position_embedding_type": (None, "absolute"),
}


class Place(NamedTuple):
    """The input or the output of a module.

    Attributes:
        module: Name of the module.
        enters: Whether it is the input; else the output.
        part: Index of one of several equal parts in the last dimension, if the module is fused; None: everything.
    """

    module: str
    enters: bool = False
    part: int | None = None


def entering(module: str) -> Place:
    """Returns the input of a module."""
    return Place(module, enters=True)


@dataclass(frozen=True, eq=False)
class Anatomy:
    """Table of one architecture: where its config keys, modules and parameters are.

    Attributes:
        sizes: Field of `Architecture` -> config key, which the config must state.
        settings: Field of `Architecture` -> config key, and the default of transformers if the key is missing.
        usual: Config key -> the default of transformers, for all sizes, and for those keys of `accepted` that have one.
            A checkpoint's config may leave these keys out.
        layer: Module name of a layer, with `{}` for its number.
        places: Role -> place within a layer.
        outside: Role -> place outside the layers.
        words: Name of the table of word vectors.
        shapes: Returns name -> shape of every parameter, in module order.
        prefix: Prefix of the tensors' names in checkpoints of a model with a head.
        before_layers: Prefixes of the parameters before the first layer, with the tables that all layers read.
        norms: Module names of LayerNorms outside the layers, without that of the embeddings.
        pooler: Whether the architecture has a tanh pooler.
        pads_first: Whether positions are numbered from `pad_id + 1`; then the lower rows of their table are unused.
        pre_norm: True for pre-LN: a sub-layer f computes x + f(LN(x)). False for post-LN: LN(x + f(x)).
        biased: Whether linear layers and norms have biases.
        glu: Whether the FFN is gated: the output of its first matrix has width 2 d_ff.
        scores: How the attention scores are computed if they are not q·k/√d_h of one layer; "" if they are.
        accepted: Config key -> supported values, of exactly these types; None among them if the key may be missing.
        passed: Config keys that transformers needs but that are no field of `Architecture`.
        buffers: Returns name -> tensor of each constant that the modules of transformers hold. The forward pass does
            not read them; they are part of the id of a backbone.
        further: Takes the config and a name for error messages. Returns fields of `Architecture` that need a
            computation, and checks the values of `passed`. Default: no fields.
    """

    sizes: Mapping[str, str]
    settings: Mapping[str, tuple[str, Any]]
    usual: Mapping[str, Any]
    layer: str
    places: Mapping[str, Place]
    outside: Mapping[str, Place]
    words: str
    shapes: Callable[[Sizes], Shapes]
    prefix: str
    before_layers: tuple[str, ...] = ("embeddings.",)
    norms: tuple[str, ...] = ()
    pooler: bool = False
    pads_first: bool = False
    pre_norm: bool = False
    biased: bool = True
    glu: bool = False
    scores: str = ""
    accepted: Mapping[str, tuple[Any, ...]] = field(default_factory=lambda: PLAIN)
    passed: tuple[str, ...] = ()
    buffers: Callable[[Any], Mapping[str, Any]] = lambda architecture: {}
    further: Callable[[Mapping[str, Any], str], dict[str, Any]] = lambda config, where: {}

    @property
    def keys(self) -> frozenset[str]:
        """All config keys that are read or passed to transformers."""
        settings = {key for key, _ in self.settings.values()}
        required = self.accepted.keys() - PLAIN.keys()
        return frozenset({*self.sizes.values(), *settings, *required, *self.passed})


def position_buffer(a: Any) -> dict[str, Any]:
    """Returns the numbers of positions that BERT's embeddings hold, int64 [1, positions]."""
    import torch

    return {"embeddings.position_ids": torch.arange(a.positions).expand((1, -1))}


def embedding_buffers(a: Any) -> dict[str, Any]:
    """Returns `position_buffer`, and as many zeros, the token types of a single text."""
    import torch

    return {**position_buffer(a), "embeddings.token_type_ids": torch.zeros((1, a.positions), dtype=torch.int64)}


def affine(module: str, *weight: int) -> Shapes:
    """Returns the shapes of weight and bias of a linear layer, `weight` = out, in, or of a norm, `weight` = d."""
    return {f"{module}.weight": weight, f"{module}.bias": weight[:1]}


def post_norm_layers(a: Sizes, anatomy: Anatomy) -> Shapes:
    """Returns the shapes of all layers as in BERT: per layer four projections, two feed-forward matrices, two norms."""
    d, shapes = a.hidden, Shapes()
    matrices = {"ffn.w1": (a.ffn, d), "ffn.w2": (d, a.ffn), "attention.norm": (d,), "ffn.norm": (d,)}
    attention = ("attention.query", "attention.key", "attention.value", "attention.wo", "attention.norm")
    for layer in range(a.layers):
        for role in (*attention, "ffn.w1", "ffn.w2", "ffn.norm"):
            module = f"{anatomy.layer.format(layer)}.{anatomy.places[role].module}"
            shapes |= affine(module, *matrices.get(role, (d, d)))
    return shapes
