"""Products of a layer of BERT; of RoBERTa, DistilBERT and ELECTRA too, which have the same under other names.

Per token: 4 of d × d and 2 of d × d_ff; scores and weighted values of S × d.
"""

from __future__ import annotations

from learners.forms import Symbol
from learners.forward.products.symbolic_pass import SymbolicPass


def layers(run: SymbolicPass, x: Symbol, first: int) -> list[Symbol]:
    """Outputs [B, S, d] of the layers from `first` on, for the input x [B, S, d] of that layer."""
    outputs = []
    for layer in range(first, run.architecture.layers):
        x = run.changed("attention.input", layer, x)
        query = run.linear("attention.query", layer, x)  # [B, S, d]
        key = run.linear("attention.key", layer, x)
        value = run.linear("attention.value", layer, x)
        x = sub_layers(run, layer, x, run.attended(query, key, value))
        outputs.append(x)
    return outputs


def sub_layers(run: SymbolicPass, layer: int, x: Symbol, heads: Symbol) -> Symbol:
    """What follows the attention heads in a post-LN layer: [B, S, d]."""
    heads = run.changed("attention.heads", layer, heads)
    h = run.changed("attention.output", layer, run.linear("attention.wo", layer, heads))
    y = run.changed("ffn.input", layer, run.norm("attention.norm", layer, h, x))
    inner = run.changed("ffn.intermediate", layer, run.linear("ffn.w1", layer, y))  # [B, S, d_ff]
    h = run.changed("ffn.output", layer, run.linear("ffn.w2", layer, inner))
    return run.norm("ffn.norm", layer, h, y)
