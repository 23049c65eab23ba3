"""Word vectors made from the training texts of one task: what stands beside a word tells what it means.

Positive pointwise mutual information of words and their neighbours, factorised (Levy and Goldberg 2014; settings of
Levy, Goldberg and Dagan 2015: contexts smoothed by the exponent 0.75, square root of the singular values; the
window is ours).
"""

from __future__ import annotations

from typing import Any

import numpy as np

from learners.nobert.features import WORD, Features, counts
from learners.nobert.texts import Texts

WINDOW = 15  # words on each side that count as neighbours: on few rows a wide window tells more, mostly the topic
SMOOTHING = 0.75
LEAST = 2  # rows in which a word must occur to have a vector
ITERATIONS = 5  # power iterations of the randomised factorisation


def word_vectors(features: Features, dimensions: int, seed: int) -> tuple[Any, float]:
    """Returns a vector for each word that occurs in two rows or more, times its idf: float32 [F, k]; and the FLOPs.

    Words in the same bucket share a vector. Rows of other buckets are 0, and so are the last columns if there are fewer
    words than dimensions.

    Args:
        features: Features of the training rows.
        dimensions: k.
        seed: Seed of the randomised factorisation.
    """
    from sklearn.decomposition import TruncatedSVD

    table = np.zeros((features.buckets, dimensions), np.float32)
    rows = (features.first + features.second) > 0
    frequency = np.asarray(rows.sum(axis=0)).ravel()
    known = np.flatnonzero(frequency >= LEAST)
    width = min(dimensions, len(known) - 1)
    if width < 1:
        return table, 0.0
    information = _information(_neighbours(features.texts, features.buckets)[known][:, known])
    svd = TruncatedSVD(width, n_iter=ITERATIONS, random_state=seed)
    found = svd.fit_transform(information) / np.sqrt(np.maximum(svd.singular_values_, 1e-12))
    idf = np.log((1 + len(features)) / (1 + frequency[known])) + 1  # as TfidfTransformer
    table[known, :width] = found * idf[:, None]
    oversampled = min(width + 10, len(known))  # as scikit-learn draws them
    return table, 2.0 * information.nnz * oversampled * (2 * ITERATIONS + 2)


def text_vectors(found: Any, table: Any) -> Any:
    """Returns the direction of the weighted sum of the word vectors of each text: float64 [n, k], 0 without any.

    Args:
        found: Counts of words, sparse [n, F]. A word that occurs c times has weight 1 + ln c.
        table: Word vectors [F, k].
    """
    weights = found.copy()
    weights.data = 1 + np.log(weights.data)
    sums = weights @ np.asarray(table, np.float64)
    lengths = np.sqrt((sums**2).sum(axis=1, keepdims=True))
    return sums / np.where(lengths > 0, lengths, 1)


def dense(features: Features, table: Any) -> Any:
    """Returns the vectors a and b of both texts as [a, b, |a - b|, a * b], and their overlap: float64 [n, 4 k + 5]."""
    first, second = text_vectors(features.first, table), text_vectors(features.second, table)
    paired = np.asarray(features.second.sum(axis=1)) > 0
    return np.hstack([first, second, np.abs(first - second) * paired, first * second, features.overlap])


def _neighbours(texts: Texts, buckets: int) -> Any:
    """Counts how often words of two buckets stand near each other in a text: sparse [F, F], symmetric."""
    from scipy.sparse import coo_matrix, csr_matrix

    rows = [WORD.findall(text) for text in (*texts.first, *texts.second)]
    distinct = sorted({word for row in rows for word in row})
    bucket = dict(zip(distinct, counts([[word] for word in distinct], list, buckets).indices, strict=True))
    words = np.array([bucket[word] for row in rows for word in row], np.int64)
    text = np.repeat(np.arange(len(rows)), [len(row) for row in rows])
    total = csr_matrix((buckets, buckets))
    for distance in range(1, WINDOW + 1):
        near = text[:-distance] == text[distance:]
        left, right = words[:-distance][near], words[distance:][near]
        total = total + coo_matrix((np.ones(len(left)), (left, right)), shape=total.shape).tocsr()
    return total + total.T


def _information(together: Any) -> Any:
    """Positive pointwise mutual information of counts [V, V], sparse."""
    found = together.tocoo()
    alone = np.asarray(together.sum(axis=1)).ravel()
    smoothed = alone**SMOOTHING
    chance = alone[found.row] * smoothed[found.col] / max(smoothed.sum(), 1)
    found.data = np.maximum(np.log(found.data / chance), 0)
    kept = found.tocsr()
    kept.eliminate_zeros()
    return kept
