"""FLOPs of the matrix products of one batch, from the shapes alone."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

from learners.backbones.architecture import BERT_TYPES, Architecture
from learners.backbones.sites import embedding_parameters, pooler_parameters
from learners.delta.layout import PROMPT
from learners.forms import Symbol, elementwise
from learners.forward.frozen_layers import frozen_layers
from learners.forward.products import bert, deberta_v2, modernbert
from learners.forward.products.symbolic_pass import SymbolicPass
from learners.specification.learner import Learner

# Model type -> outputs of the layers from a given one on, for the input of that layer.
LAYERS: Mapping[str, Callable[[SymbolicPass, Symbol, int], list[Symbol]]] = MappingProxyType(
    {**dict.fromkeys(BERT_TYPES, bert.layers), "deberta-v2": deberta_v2.layers, "modernbert": modernbert.layers}
)


def batch_flops(
    architecture: Architecture,
    learner: Learner,
    rows: int,
    length: int,
    *,
    outputs: int,
    backward: bool,
    frozen: frozenset[str],
    above: bool,
) -> int:
    """FLOPs of a batch [rows, length]: of its forward pass, or of a training step.

    Args:
        outputs: Width of the head, C.
        backward: Count the backward pass too.
        frozen: Names of the tensors of the Delta that are not trained.
        above: Leave out the frozen prefix of the learner.

    Raises:
        InputError: The learner cannot apply to this architecture.
    """
    run = SymbolicPass(architecture, learner, outputs, backward, frozen)
    first = frozen_layers(learner, architecture) if above else 0
    if first == architecture.layers:
        features = Symbol((rows, architecture.hidden * learner.layers_read))
    else:
        length += learner.prompt
        x = Symbol((rows, length, architecture.hidden)) if first else embedded(run, learner, rows, length)
        states = LAYERS[architecture.model_type](run, x, first)[-learner.layers_read :]
        features = pooled(run, rows, states)
    run.products.linear(features, run.tensors["head.weight"], run.tensors["head.bias"])
    return run.products.flops


def embedded(run: SymbolicPass, learner: Learner, rows: int, length: int) -> Symbol:
    """The input of the first layer, [B, S, d]. Only ELECTRA's projection of the embeddings is a product."""
    names = embedding_parameters(run.architecture)
    tables = run.weights(*(name for name in names if name.startswith("embeddings.")))
    prompt = [run.tensors[PROMPT]] if learner.prompt else []
    x = elementwise(Symbol((rows, length, run.architecture.embedding)), *tables, *prompt)
    projection = run.weights(*(name for name in names if name.startswith("embeddings_project.")))
    return run.products.linear(x, *projection) if projection else x


def pooled(run: SymbolicPass, rows: int, states: list[Symbol]) -> Symbol:
    """The input of the head, [B, k d], for the outputs [B, S, d] of k layers. The pooler reads the last layer alone."""
    width = run.architecture.hidden
    features = elementwise(Symbol((rows, width * len(states))), *states)
    if len(states) == 1 and (pooler := pooler_parameters(run.architecture)):
        return run.products.linear(features, *run.weights(*pooler))
    return features
