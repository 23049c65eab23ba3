"""Products of a layer of DeBERTa-v2 and -v3: those of BERT, and the scores of P relative positions.

Once per batch and layer, the queries and keys of positions: 2 of P × d × d. Per token, its query with their keys, and
its key with their queries: 2 of P × d.
"""

from __future__ import annotations

from learners.backbones.sites import PROJECTIONS
from learners.forms import Symbol, elementwise
from learners.forward.products.bert import projected, sub_layers
from learners.forward.products.symbolic_pass import SymbolicPass


def layers(run: SymbolicPass, x: Symbol, first: int) -> list[Symbol]:
    """Outputs [B, S, d] of the layers from `first` on, for the input x [B, S, d] of that layer."""
    a, outputs = run.architecture, []
    table, *norm = run.weights(
        *(f"encoder.{name}" for name in ("rel_embeddings.weight", "LayerNorm.weight", "LayerNorm.bias"))
    )
    positions = elementwise(Symbol((1, *table.shape), table.learns), *norm)  # [1, P, d]
    for layer in range(first, a.layers):
        x = run.changed("attention.input", layer, x)
        position_query, position_key = (run.linear(role, layer, positions) for role in PROJECTIONS[:2])  # [1, P, d]
        query, key, value = projected(run, layer, x)  # last: the mass of attention is that of tokens
        to_position = run.products.scores(query, position_key, a.heads)  # [B, N_h, S, P]
        from_position = run.products.scores(key, position_query, a.heads)
        x = sub_layers(run, layer, x, run.attended(query, key, value, to_position, from_position))
        outputs.append(x)
    return outputs
