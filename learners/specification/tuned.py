"""The backbone weights that a learner trains."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from learners.backbones.architecture import Architecture, parameter_shapes
from learners.backbones.sites import Role, layer_parameters, norm_parameters, pooler_parameters, weight_parameters
from tasks.errors import InputError

# Each value includes the values before it.
Norms = Literal["none", "ffn", "layers"]
Biases = Literal["none", "q-m2", "layers", "all"]  # q-m2: biases of the query and of the first FFN matrix


@dataclass(frozen=True)
class Tuned:
    """Backbone weights that a learner trains.

    In every field a larger value includes the smaller ones. So the union of several `Tuned` has the largest value of
    each field.

    Attributes:
        all: Every weight.
        top_layers: Number of whole layers, counted from the top.
        norms: LayerNorms: `none`; `ffn`, the one of each FFN; `layers`, all except that of the embeddings.
        embedding_norm: The LayerNorm of the embeddings.
        pooler: Weight and bias of the pooler.
        biases: Biases: `none`; `q-m2`, of the query and the first FFN matrix; `layers`, all in the layers; `all`.
        pooler_bias: The bias of the pooler.
    """

    all: bool = False
    top_layers: int = 0
    norms: Norms = "none"
    embedding_norm: bool = False
    pooler: bool = False
    biases: Biases = "none"
    pooler_bias: bool = False

    def parameters(self, architecture: Architecture) -> tuple[str, ...]:
        """Returns the names of the tuned parameters, in the order of the backbone.

        Raises:
            InputError: `top_layers` exceeds the number of layers of the backbone.
        """
        every = parameter_shapes(architecture)
        if self.all:
            return tuple(every)
        if self.top_layers > architecture.layers:
            raise InputError(
                "more layers to tune than the backbone has",
                where=f"topk:{self.top_layers}",
                expected=f"k at most {architecture.layers}",
                found=str(self.top_layers),
            )
        chosen: set[str] = set()
        for layer in range(architecture.layers - self.top_layers, architecture.layers):
            chosen.update(layer_parameters(architecture, layer))
        if self.norms == "layers":
            chosen.update(norm_parameters(architecture, embeddings=False))
        elif self.norms == "ffn":
            for layer in range(architecture.layers):
                chosen.update(weight_parameters(architecture, "ffn.norm", layer))
        if self.embedding_norm:
            chosen.update(weight_parameters(architecture, "embeddings.norm"))
        if self.biases == "all":
            chosen.update(name for name in every if name.endswith(".bias"))
        for layer in range(architecture.layers) if self.biases in ("layers", "q-m2") else ():
            biases = [name for name in layer_parameters(architecture, layer) if name.endswith(".bias")]
            if self.biases == "q-m2":
                roles: tuple[Role, ...] = ("attention.query", "ffn.intermediate")
                biases = [weight_parameters(architecture, role, layer)[1] for role in roles]
            chosen.update(biases)
        if self.pooler or self.pooler_bias:
            chosen.update(name for name in pooler_parameters(architecture) if self.pooler or name.endswith(".bias"))
        return tuple(name for name in every if name in chosen)
