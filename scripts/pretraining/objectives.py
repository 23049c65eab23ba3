"""The loss of a step: a weighted sum of the objectives."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import binary_cross_entropy_with_logits, cross_entropy, logsigmoid, normalize

from pretraining.batches import Batch, Judged
from pretraining.corpus import Corpus
from pretraining.model import Pretraining, mean
from pretraining.passages import BONDS

# `meaning` has a large weight because a cosine has a much smaller range than a cross-entropy. `wrong` and `other` have
# one because few words are wrong.
WEIGHTS = {"words": 1.0, "wrong": 3.0, "other": 3.0, "belongs": 0.5, "bond": 1.0, "similarity": 0.5, "meaning": 3.0}
RETOLD, OTHER = BONDS.index("retold"), BONDS.index("other")
BETWEEN = tuple(BONDS.index(bond) for bond in ("implied", "detailed"))  # neither the same meaning nor a different one


def loss_of(model: Pretraining, corpus: Corpus, batch: Batch) -> tuple[Tensor, dict[str, float]]:
    """Weighted sum of the losses of a batch, and the loss of each objective by name."""
    middle, last, pooled = model.encode(batch.inputs, batch.types)
    parts = {"words": cross_entropy(model.words(last[batch.hidden]), batch.ids[batch.hidden])}
    for kind in Judged:
        asked = batch.judged == kind
        if kind and asked.any():
            scores = model.wrong(middle[asked])[:, kind - 1]
            parts[kind.name.lower()] = binary_cross_entropy_with_logits(scores, batch.wrong[asked].float())
    vectors, bonds = mean(middle, batch.ids), torch.from_numpy(batch.bonds)
    meant = torch.from_numpy(corpus.meaning[batch.rows].astype(np.float32))
    if batch.apart:
        parts["similarity"] = _similarity(model, vectors, bonds)
        meant = meant.transpose(0, 1).flatten(0, 1)
    else:  # a joined pair has two meanings, so its vector has no target
        meant = meant[:, 0] * torch.from_numpy(corpus.second[batch.rows, None] < 0)
        if (pairs := bonds >= 0).any():
            parts["bond"] = cross_entropy(model.bond(vectors)[pairs], bonds[pairs])
            parts["belongs"] = cross_entropy(model.belongs(pooled)[pairs], (bonds[pairs] != OTHER).long())
    if (told := meant.norm(dim=1) > 0).any():
        parts["meaning"] = 1 - (normalize(model.meaning(vectors), dim=-1) * meant).sum(1)[told].mean()
    total = sum((WEIGHTS[name] * part for name, part in parts.items()), torch.zeros(()))
    return total, {name: float(part.detach()) for name, part in parts.items()}


def _similarity(model: Pretraining, vectors: Tensor, bonds: Tensor) -> Tensor:
    """Pairwise sigmoid loss (Zhai et al. 2023).

    Args:
        vectors: Vectors of the texts [2n, d]; texts i and n + i are a pair.
        bonds: Relation of each pair [n], an index into BONDS.
    """
    first, second = normalize(vectors, dim=-1).chunk(2)
    logits = model.scale[0].exp() * first @ second.T + model.scale[1]
    losses = -logsigmoid(torch.where(torch.diag(bonds == RETOLD), logits, -logits))
    own, between = torch.eye(len(bonds), dtype=torch.bool), torch.isin(bonds, torch.tensor(BETWEEN))
    return losses[own & ~torch.diag(between)].mean() + losses[~own].sum() / len(bonds)
