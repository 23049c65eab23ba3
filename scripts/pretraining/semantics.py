"""The meaning of propositions as weighted features and as a vector. Similar meanings have similar vectors."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from tasks.sources.simulated.lexicon import lexicon
from tasks.sources.simulated.meaning import Entity, Proposition

# Weight of each kind of feature. Who does what counts as much as the topic. Value has the largest weight, because
# readers remember it best (Osgood, Suci and Tannenbaum 1957: evaluation is the first factor of meaning).
WEIGHTS = {"field": 0.7, "concept": 0.6, "kind": 0.3, "role": 0.5, "value": 1.5, "denied": 0.6, "speaker": 0.6,
           "quantity": 0.3, "tense": 0.3, "circumstance": 0.4}  # fmt: skip


def features(told: Iterable[Proposition]) -> Iterator[tuple[str, float]]:
    """Names and weights of the features of propositions. A feature may occur several times."""
    words = lexicon()
    for p in told:
        verb, quality = words.verbs.get(p.verb), words.adjectives.get(p.quality)
        said = verb or quality
        if said is not None:
            yield f"concept {said.part} {said.id}", WEIGHTS["concept"]
            yield f"field {said.field}", WEIGHTS["field"]
            yield f"denied {p.negated} {said.part} {said.id}", WEIGHTS["denied"]
            if said.value:
                good = (said.value > 0) != (p.negated or p.subject.quantity == "no")
                yield f"value {'good' if good else 'bad'}", WEIGHTS["value"]
        yield f"tense {p.tense}", WEIGHTS["tense"]
        for circumstance in (p.place, p.time, p.modal):
            if circumstance:
                yield f"circumstance {circumstance}", WEIGHTS["circumstance"]
        parts = (("subject", p.subject), ("object", p.object), ("than", p.than))
        for role, entity in parts:
            if entity is not None:
                yield from _entity(role, entity)


def vector(told: Iterable[Proposition], width: int) -> npt.NDArray[np.float32]:
    """Meaning of propositions as a vector [width] of length 1, a sum of fixed random directions; zero for no features.

    The inner product of two such vectors is the overlap of their features, up to the noise of the projection.
    """
    total = np.zeros(width, np.float32)
    for name, weight in features(told):
        total += weight * _direction(name, width)
    length = float(np.linalg.norm(total))
    return total / length if length else total


def _entity(role: str, entity: Entity) -> Iterator[tuple[str, float]]:
    words = lexicon()
    if entity.quantity == "pronoun":
        yield f"speaker {role} {entity.noun}", WEIGHTS["speaker"]
        return
    yield f"concept noun {entity.noun}", WEIGHTS["concept"]
    yield f"role {role} {entity.noun}", WEIGHTS["role"]
    yield f"quantity {role} {entity.quantity}", WEIGHTS["quantity"]
    concept = words.nouns.get(entity.noun)
    if concept is not None:
        yield f"field {concept.field}", WEIGHTS["field"]
    for above in words.hypernyms(entity.noun):
        yield f"kind {above}", WEIGHTS["kind"]
    for quality in entity.qualities:
        yield f"concept adj {quality}", WEIGHTS["concept"]


@lru_cache(100_000)
def _direction(name: str, width: int) -> npt.NDArray[np.float32]:
    """A random direction [width] that depends on the name alone."""
    bits = hashlib.shake_256(name.encode()).digest((width + 7) // 8)
    signs = np.unpackbits(np.frombuffer(bits, np.uint8))[:width].astype(np.float32)
    return (2 * signs - 1) / np.float32(width**0.5)
