"""Settings of a learner that reads the texts and uses no encoder (`nobert`), and the shapes of what it stores."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

# Pipelines, and the candidates of each: how weak its penalty is. This is C of scikit-learn's logistic regression, ten
# times C of its linear SVM, and 1 / alpha of its ridge regression and network.
STRENGTHS: Mapping[str, tuple[float, ...]] = MappingProxyType(
    {
        "words": (1.0, 10.0, 100.0),
        "characters": (1.0, 10.0, 100.0),
        "ngrams": (1.0, 10.0),
        "vectors": (0.01, 0.1, 1.0),
        "network": (1.0, 10.0),
    }
)
# Blocks of n-grams that a pipeline reads.
BLOCKS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {"words": ("words",), "characters": ("characters",), "ngrams": ("words", "characters")}
)
OVERLAP = 5  # features of what the two texts of a pair share (`learners.nobert.features.overlap`)
PARTS = 4  # of a pair of text vectors: a, b, |a - b| and a * b


@dataclass(frozen=True)
class Candidate:
    """One model to fit: a pipeline with one strength (`STRENGTHS`)."""

    pipeline: str
    strength: float

    def specification(self, learner: str) -> str:
        """Returns the learner that fits this candidate alone, for example "nobert:words:strength=10.0".

        Args:
            learner: Canonical name of the learner with all candidates. Its other options stay.
        """
        family, *options = learner.split(":")
        others = [option for option in options if option.partition("=")[0] not in ("pipeline", "strength")]
        return ":".join([family, self.pipeline, f"strength={self.strength}", *others])


@dataclass(frozen=True)
class TextModel:
    """A set of pipelines, of which the best on the validation rows answers.

    Attributes:
        pipelines: Names of the pipelines, keys of `STRENGTHS`.
        buckets: Number of hash buckets F of each kind of n-gram, and of words with a vector.
        dimensions: Width k of a word vector.
        hidden: Width h of the hidden layer of the network.
        strength: The only strength that is tried; None: those of `STRENGTHS`.
    """

    pipelines: tuple[str, ...]
    buckets: int
    dimensions: int
    hidden: int
    strength: float | None = None

    @property
    def candidates(self) -> tuple[Candidate, ...]:
        """What a fit tries, in this order. `FitResult.best` is an index of it."""
        given = None if self.strength is None else (self.strength,)
        return tuple(Candidate(name, strength) for name in self.pipelines for strength in given or STRENGTHS[name])

    def shapes(self, outputs: int) -> dict[str, tuple[int, ...]]:
        """Returns name and shape of each tensor but the head's. All of them are pruned: what the chosen model does not
        use is zero, is not stored and does not count.

        Args:
            outputs: Number of logits C.
        """
        found: dict[str, tuple[int, ...]] = {}
        for block in dict.fromkeys(block for name in self.pipelines for block in BLOCKS.get(name, ())):
            found |= {f"added.{block}.idf": (self.buckets,), f"added.{block}.weight": (outputs, self.buckets)}
        width = PARTS * self.dimensions + OVERLAP
        if found:
            found["added.overlap.weight"] = (outputs, OVERLAP)
        if {"vectors", "network"} & {*self.pipelines}:
            found["added.vectors.table"] = (self.buckets, self.dimensions)
        if "vectors" in self.pipelines:
            found["added.vectors.weight"] = (outputs, width)
        if "network" in self.pipelines:
            found |= {
                "added.network.hidden.weight": (self.hidden, width),
                "added.network.hidden.bias": (self.hidden,),
                "added.network.weight": (outputs, self.hidden),
            }
        return found
