"""The pipelines: scikit-learn fits them, and what they learned becomes named tensors.

Rows of n-grams are TF-IDF rows for a linear model: logistic regression for two classes, a linear SVM for more, which is
several times faster there, ridge regression for scores. Word vectors are the input of a logistic or ridge regression,
or of a network with one hidden layer.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np

from learners.nobert.features import Features, weighted
from learners.nobert.vectors import dense, word_vectors
from learners.specification.text_model import BLOCKS, OVERLAP, Candidate, TextModel
from tasks.seeds import seed_of

Arrays = dict[str, Any]
NEVER = -1e6  # bias of a class that no training row has: far below all others
TOLERANCE, ITERATIONS = 1e-3, 200  # of the logistic regression
SVM_TOLERANCE, SVM_STRENGTH = 1e-2, 0.1  # of the SVM; its C in multiples of a candidate's strength
NETWORK = {"batch_size": 32, "learning_rate_init": 3e-3, "max_iter": 20}  # Adam; epochs of the network


@dataclass(frozen=True, eq=False)
class Fitter:
    """Fits candidates on the rows of one task.

    Attributes:
        model: The settings.
        features: Features of the training rows.
        target: Class indices int64 [n], or scores float [n].
        outputs: Number of logits C.
        scores: Whether `target` are scores.
        seed: Seed of the run.
        task: Name of the task, for seeds.
        spent: FLOPs of the word vectors, once they are made.
    """

    model: TextModel
    features: Features
    target: Any
    outputs: int
    scores: bool
    seed: int
    task: str
    spent: list[float] = field(default_factory=list)

    def fit(self, candidate: Candidate) -> tuple[Arrays, float]:
        """Fits one candidate.

        Returns:
            Its tensors as float32 arrays by name, `head.bias` among them, without those that it does not have; and the
            FLOPs of its products.
        """
        with _quiet():
            if candidate.pipeline == "network":
                return self._network(candidate.strength)
            if candidate.pipeline == "vectors":
                return self._vectors(candidate.strength)
            return self._ngrams(BLOCKS[candidate.pipeline], candidate.strength)

    def _ngrams(self, blocks: Sequence[str], strength: float) -> tuple[Arrays, float]:
        from scipy.sparse import csr_matrix, hstack

        parts = [self._blocks[block] for block in blocks]
        rows = hstack([*(part.rows for part in parts), csr_matrix(self.features.overlap)], format="csr")
        weight, bias, flops = self._linear(rows, strength)
        arrays: Arrays = {"head.bias": bias, "added.overlap.weight": weight[:, -OVERLAP:]}
        begin = 0
        for block, part in zip(blocks, parts, strict=True):
            whole = np.zeros((self.outputs, self.model.buckets))
            whole[:, part.seen] = weight[:, begin : begin + len(part.seen)]
            begin += len(part.seen)
            arrays |= {f"added.{block}.idf": part.idf, f"added.{block}.weight": whole}
        return _float32(arrays), flops

    def _vectors(self, strength: float) -> tuple[Arrays, float]:
        rows, mean, scale = self._dense
        weight, bias, flops = self._linear(rows, strength)
        weight = weight / scale
        arrays = {"head.bias": bias - weight @ mean, "added.vectors.table": self._table, "added.vectors.weight": weight}
        return _float32(arrays), flops

    def _network(self, strength: float) -> tuple[Arrays, float]:
        from sklearn.neural_network import MLPClassifier, MLPRegressor

        rows, mean, scale = self._dense
        batch = min(NETWORK["batch_size"], len(rows))  # scikit-learn warns of a batch that is larger than the data
        settings = {**NETWORK, "batch_size": batch, "hidden_layer_sizes": (self.model.hidden,), "alpha": 1 / strength,
                    "random_state": seed_of(self.seed, "nobert", self.task, "network") % 2**32}  # fmt: skip
        if self.scores:
            middle, spread = float(np.mean(self.target)), float(np.std(self.target)) or 1.0
            found = MLPRegressor(**settings).fit(rows, (self.target - middle) / spread)
        else:
            middle, spread = 0.0, 1.0
            found = MLPClassifier(**settings).fit(rows, self.target)
        (into, out), (into_bias, out_bias) = found.coefs_, found.intercepts_
        weight, bias = self._every_class(out.T * spread, out_bias * spread + middle)
        hidden = into.T / scale
        arrays = {
            "head.bias": bias,
            "added.vectors.table": self._table,
            "added.network.hidden.weight": hidden,
            "added.network.hidden.bias": into_bias - hidden @ mean,
            "added.network.weight": weight,
        }
        return _float32(arrays), 6.0 * (into.size + out.size) * len(rows) * found.n_iter_

    def _linear(self, rows: Any, strength: float) -> tuple[Any, Any, float]:
        """Fits a linear model. Returns weights [C, width], bias [C], and FLOPs: two products for each iteration.

        Args:
            rows: TF-IDF rows, sparse [n, width]; or dense rows.
            strength: How weak the penalty is.
        """
        from sklearn.linear_model import LogisticRegression, Ridge
        from sklearn.svm import LinearSVC

        if self.scores:
            found = Ridge(alpha=1 / strength).fit(rows, np.asarray(self.target, np.float64))
        elif hasattr(rows, "nnz") and len(np.unique(self.target)) > 2:
            seed = seed_of(self.seed, "nobert", self.task, "svm") % 2**31
            found = LinearSVC(C=SVM_STRENGTH * strength, tol=SVM_TOLERANCE, random_state=seed)
            found.fit(rows, self.target)
        else:
            found = LogisticRegression(C=strength, tol=TOLERANCE, max_iter=ITERATIONS).fit(rows, self.target)
        weight, bias = np.atleast_2d(found.coef_), np.atleast_1d(found.intercept_)
        stored = rows.nnz if hasattr(rows, "nnz") else rows.size
        iterations = 1 if found.n_iter_ is None else int(np.max(found.n_iter_))
        return *self._every_class(weight, bias), 4.0 * stored * len(weight) * iterations

    def _every_class(self, weight: Any, bias: Any) -> tuple[Any, Any]:
        """Spreads the rows of a model over all classes.

        A model of two classes has one row, that of the second class; the row of the first is 0. A class that no
        training row has gets a bias that it never wins with.
        """
        if self.scores:
            return weight, bias
        classes = np.unique(self.target)
        if len(classes) == 2:
            weight, bias = np.vstack([np.zeros_like(weight), weight]), np.append(0.0, bias)
        every, biases = np.zeros((self.outputs, weight.shape[1])), np.full(self.outputs, NEVER)
        every[classes], biases[classes] = weight, bias
        return every, biases

    @cached_property
    def _blocks(self) -> Mapping[str, Block]:
        names = dict.fromkeys(block for name in self.model.pipelines for block in BLOCKS.get(name, ()))
        return {name: _block(getattr(self.features, name)) for name in names}

    @cached_property
    def _table(self) -> Any:
        seed = seed_of(self.seed, "nobert", self.task, "vectors") % 2**32
        table, flops = word_vectors(self.features, self.model.dimensions, seed)
        self.spent.append(flops)
        return table

    @cached_property
    def _dense(self) -> tuple[Any, Any, Any]:
        """Dense features of the training rows with mean 0 and deviation 1; their mean and their deviation."""
        from sklearn.preprocessing import StandardScaler

        scaler = StandardScaler()
        rows = scaler.fit_transform(dense(self.features, self._table))
        return rows, scaler.mean_, scaler.scale_


@dataclass(frozen=True, eq=False)
class Block:
    """TF-IDF rows of one kind of n-gram.

    Attributes:
        rows: Sparse [n, seen].
        seen: Buckets that occur in training rows [seen].
        idf: Weight of each bucket, float32 [F]; 0 for those that do not occur.
    """

    rows: Any
    seen: Any
    idf: Any


def _block(found: Any) -> Block:
    from sklearn.feature_extraction.text import TfidfTransformer

    seen = np.unique(found.indices)
    idf = np.zeros(found.shape[1], np.float32)
    idf[seen] = TfidfTransformer(sublinear_tf=True).fit(found[:, seen]).idf_
    return Block(weighted(found, idf)[:, seen], seen, idf)


def _float32(arrays: Arrays) -> Arrays:
    return {name: np.ascontiguousarray(array, np.float32) for name, array in arrays.items()}


@contextmanager
def _quiet() -> Iterator[None]:
    """One thread, so that sums have one order; and no warning that a model has not converged: validation decides."""
    from sklearn.exceptions import ConvergenceWarning
    from threadpoolctl import threadpool_limits

    with warnings.catch_warnings(), threadpool_limits(1):
        warnings.simplefilter("ignore", ConvergenceWarning)
        yield
