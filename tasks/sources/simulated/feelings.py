"""What a statement says of feelings: which one it tells of, and whether it is the writer's."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

from tasks.sources.simulated.lexicon import Concept, lexicon
from tasks.sources.simulated.meaning import Proposition

FEELINGS = (
    "joy", "trust", "fear", "surprise", "sadness", "disgust", "anger", "anticipation", "love", "worry", "boredom",
    "relief", "enthusiasm", "fun", "hate", "emptiness", "remorse", "optimism",
)  # fmt: skip


def of_writer(p: Proposition) -> bool:
    """Whether the writer feels it: as the subject, or by something of their own that happens."""
    event = p.verb == "be" and not p.quality and p.object is None
    return p.subject.quantity in ("my", "our") if event else p.subject.noun in ("I", "we")


def emotion(p: Proposition) -> str | None:
    """The emotion field that a statement tells its experiencer to feel, None if it tells of none."""
    words = lexicon()
    if p.modal:
        return None
    if p.quality:
        return _felt(words.adjectives[p.quality], p.negated)
    if p.verb == "be" and p.object is not None:
        return None
    concept = words.nouns.get(p.subject.noun) if p.verb == "be" else words.verbs[p.verb]
    return concept.field if concept is not None and concept.field in _signs() and not p.negated else None


def _felt(quality: Concept, negated: bool) -> str | None:
    """An adjective may name its field's emotion ("afraid") or the want of it ("fearless"); denial turns it round."""
    if not negated:
        return None if quality.field not in _signs() or _opposes(quality) else quality.field
    opposite = lexicon().adjectives.get(quality.antonym)
    if opposite is None or opposite.field not in _signs() or _opposes(opposite):
        return None
    return opposite.field


def _opposes(quality: Concept) -> bool:
    sign = _signs()[quality.field]
    if sign == 0:
        return bool(quality.antonym) and quality.id.startswith("un")
    return quality.value * sign < 0


@cache
def _signs() -> Mapping[str, int]:
    """Emotion fields, with the sign that most of their adjectives' values have."""
    values = {field: [a.value for a in lexicon().adjectives.values() if a.field == field] for field in FEELINGS}
    return {field: (sum(of) > 1) - (sum(of) < -1) for field, of in values.items()}


@cache
def telling(field: str, negated: bool) -> tuple[str, ...]:
    """Adjectives of a person that tell of a field's emotion when affirmed, or when denied."""
    words = lexicon()
    return tuple(a.id for a in words.adjectives.values() if "person" in a.kinds and _felt(a, negated) == field)
