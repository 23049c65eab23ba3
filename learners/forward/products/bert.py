"""Products of a layer of BERT; of RoBERTa, DistilBERT and ELECTRA too, which have the same under other names.

Per token: 4 of d × d and 2 of d × d_ff; scores and weighted values of S × d.
"""

from __future__ import annotations

from learners.backbones.sites import PROJECTIONS, weight_parameters
from learners.forms import Symbol
from learners.forward.products.symbolic_pass import SymbolicPass


def layers(run: SymbolicPass, x: Symbol, first: int) -> list[Symbol]:
    """Outputs [B, S, d] of the layers from `first` on, for the input x [B, S, d] of that layer."""
    outputs = []
    for layer in range(first, run.architecture.layers):
        x = run.changed("attention.input", layer, x)
        query, key, value = projected(run, layer, x)
        x = sub_layers(run, layer, x, run.attended(query, key, value))
        outputs.append(x)
    return outputs


def projected(run: SymbolicPass, layer: int, x: Symbol) -> list[Symbol]:
    """Query, key and value, [B, S, d] each: parts of one product, so all three learn if a weight of one does."""
    names = [weight_parameters(run.architecture, role, layer) for role in PROJECTIONS]
    weights, biases = (run.weights(*each) for each in zip(*names, strict=True))
    size = len(PROJECTIONS) * run.architecture.hidden
    matrix = Symbol((size, run.architecture.hidden), any(weight.learns for weight in weights))
    fused = run.products.linear(x, matrix, Symbol((size,), any(bias.learns for bias in biases)))
    part = Symbol(x.shape, fused.learns)
    return [run.changed(role, layer, part, fed=x) for role in PROJECTIONS]


def sub_layers(run: SymbolicPass, layer: int, x: Symbol, heads: Symbol) -> Symbol:
    """What follows the attention heads in a post-LN layer: [B, S, d]."""
    heads = run.changed("attention.heads", layer, heads)
    h = run.changed("attention.output", layer, run.linear("attention.wo", layer, heads))
    y = run.changed("ffn.input", layer, run.norm("attention.norm", layer, h, x))
    inner = run.changed("ffn.intermediate", layer, run.linear("ffn.w1", layer, y))  # [B, S, d_ff]
    h = run.changed("ffn.output", layer, run.linear("ffn.w2", layer, inner))
    return run.norm("ffn.norm", layer, h, y)
