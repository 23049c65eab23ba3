"""Products of a layer of ModernBERT: pre-LN, query, key and value in one matrix, and a gated FFN.

Per token: d × 3d, d × d, d × 2 d_ff, d_ff × d; scores and weighted values of S × d. Local attention computes all
scores, and masks those outside its window.
"""

from __future__ import annotations

from learners.backbones.sites import PROJECTIONS, weight_parameters
from learners.forms import Symbol, elementwise
from learners.forward.products.symbolic_pass import SymbolicPass


def layers(run: SymbolicPass, x: Symbol, first: int) -> list[Symbol]:
    """Outputs [B, S, d] of the layers from `first` on, for the input x [B, S, d] of that layer.

    The last output is that of the norm after the last layer.
    """
    a, outputs = run.architecture, []
    for layer in range(first, a.layers):
        normed = run.norm("attention.norm", layer, x)  # in layer 0 the identity, without weights
        normed = run.changed("attention.input", layer, normed)
        fused = run.products.linear(normed, *run.weights(*weight_parameters(a, PROJECTIONS[0], layer)))  # [B, S, 3d]
        part = Symbol((*fused.shape[:-1], a.hidden), fused.learns)
        parts = [run.changed(role, layer, part, fed=normed) for role in PROJECTIONS]  # [B, S, d] each
        heads = run.changed("attention.heads", layer, run.attended(parts[0], parts[1], parts[2]))
        x = elementwise(run.changed("attention.output", layer, run.linear("attention.wo", layer, heads)), x)
        normed = run.changed("ffn.input", layer, run.norm("ffn.norm", layer, x))
        wide = run.linear("ffn.w1", layer, normed)  # [B, S, 2 d_ff]
        inner = run.changed("ffn.intermediate", layer, Symbol((*wide.shape[:-1], a.ffn), wide.learns))
        x = elementwise(run.changed("ffn.output", layer, run.linear("ffn.w2", layer, inner)), x)
        outputs.append(x)
    return [*outputs[:-1], elementwise(x, *run.weights("final_norm.weight"))]
