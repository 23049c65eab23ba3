"""Parameters of fresh tasks: which mechanisms can be asked about which fields, and how a draft is drawn and varied."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any

from tasks.sources.simulated.chance import Chance
from tasks.sources.simulated.compose import EVERYDAY, Domain
from tasks.sources.simulated.sides import STANCES
from tasks.sources.simulated.twin import Mechanism
from tasks.sources.simulated.twins.acceptability import Acceptability
from tasks.sources.simulated.twins.answerability import Answerability
from tasks.sources.simulated.twins.emotion import Emotion
from tasks.sources.simulated.twins.inference import Inference
from tasks.sources.simulated.twins.paraphrase import Paraphrase
from tasks.sources.simulated.twins.polarity import Polarity
from tasks.sources.simulated.twins.relevance import Matter
from tasks.sources.simulated.twins.stance import Side
from tasks.sources.simulated.twins.topics import Topics
from tasks.task import Kind

LEARNED = ("graphics", "operating_systems", "pc_hardware", "mac_hardware", "window_systems", "for_sale", "cars",
           "motorcycles", "baseball", "hockey", "cryptography", "electronics", "medicine", "space", "christianity",
           "atheism", "religion", "guns", "mideast", "politics", "business", "science", "entertainment",
           "health")  # fmt: skip
FEELINGS = ("joy", "trust", "fear", "surprise", "sadness", "disgust", "anger", "anticipation", "love", "worry",
            "boredom", "relief", "enthusiasm", "fun", "hate", "emptiness", "remorse", "optimism")  # fmt: skip
SHORT = ("headline", "tweet", "sms", "plain")


@dataclass(frozen=True)
class Draft:
    """A fresh task before it has a name.

    Attributes:
        kind: A key of `KINDS`.
        fields: What is talked about: fields of the lexicon, a class each of some kinds; of stances causes, its nouns.
        register: How it is said.
        shares: Class shares [C].
    """

    kind: str
    fields: tuple[str, ...]
    register: str
    shares: tuple[float, ...]


@dataclass(frozen=True)
class FreshKind:
    """A mechanism as fresh tasks use it.

    Attributes:
        title: What is asked of a text.
        pool: What may be talked about.
        fields: Fewest and most of them.
        registers: Those that may be drawn.
        labels: Class names; () where each field is a class.
        build: The mechanism of a draft and the name of the task, which is also its space.
    """

    title: str
    kind: Kind
    pool: tuple[str, ...]
    fields: tuple[int, int]
    registers: tuple[str, ...]
    labels: tuple[str, ...]
    build: Callable[[Draft, str], Mechanism]


def draw_draft(chance: Chance) -> Draft:
    """Everything drawn anew."""
    name = chance.pick(tuple(KINDS))
    kind = KINDS[name]
    fields = tuple(chance.sample(kind.pool, chance.between(*kind.fields)))
    return Draft(name, fields, chance.pick(kind.registers), _shares(len(kind.labels or fields), chance))


def varied(family: Draft, chance: Chance) -> Draft:
    """A relative: one field for another, where there are several, and other shares; mechanism and register stay."""
    fields = list(family.fields)
    others = [field for field in KINDS[family.kind].pool if field not in fields]
    if len(fields) > 1 and others:
        fields[chance.below(len(fields))] = chance.pick(others)
    return replace(family, fields=tuple(fields), shares=_shares(len(family.shares), chance))


def build(draft: Draft, space: str, difficulty: float) -> Mechanism:
    """The mechanism of a draft, at a difficulty from 0 to 1; `space` is the name of the task."""
    mechanism: Any = KINDS[draft.kind].build(draft, space)  # all are dataclasses
    made: Mechanism = replace(mechanism, difficulty=difficulty)
    return made


def _shares(classes: int, chance: Chance) -> tuple[float, ...]:
    """No class is more than twice as frequent as another."""
    weights = [1 + chance.unit() for _ in range(classes)]
    return tuple(weight / sum(weights) for weight in weights)


def _topics(draft: Draft, space: str) -> Mechanism:
    topics = tuple((field, share, (field,), "") for field, share in zip(draft.fields, draft.shares, strict=True))
    return Topics(space, topics, draft.register, (1, 2) if draft.register in SHORT else (2, 4))


def _acceptability(draft: Draft, space: str) -> Mechanism:
    domain = Domain(draft.fields, general=0.4, names=0.2, quality=0.12, time=0.15)
    return Acceptability(domain, draft.shares, space=space)


def _polarity(draft: Draft, space: str) -> Mechanism:
    return Polarity(Domain(draft.fields), draft.register, draft.shares, ("negative", "positive"), space)


def _inference(draft: Draft, space: str) -> Mechanism:
    return Inference(KINDS["inference"].labels, draft.shares, space, (draft.register,), fields=draft.fields)


def _answerability(draft: Draft, space: str) -> Mechanism:
    return Answerability(shares=draft.shares, space=space, register=draft.register, fields=draft.fields)


def _paraphrase(draft: Draft, space: str) -> Mechanism:
    domain = Domain(draft.fields, general=0.35, names=0.3, place=0.1, time=0.3, quality=0.15, copula=0.1)
    return Paraphrase(domain, draft.register, draft.shares, space, statements=1)


def _matter(draft: Draft, space: str) -> Mechanism:
    return Matter(shares=draft.shares, space=space, matter=draft.fields[:2], beside=draft.fields[2:], statements=(4, 6))


def _stance(draft: Draft, space: str) -> Mechanism:
    return Side("stance", sides=draft.shares, space=space, register=draft.register, targets=draft.fields)


def _emotion(draft: Draft, space: str) -> Mechanism:
    classes = tuple((field, share, ((field,),)) for field, share in zip(draft.fields, draft.shares, strict=True))
    return Emotion(space, classes, register=draft.register)


PROSE = ("article", "letter", "review", "speech", "forum")
KINDS: Mapping[str, FreshKind] = MappingProxyType(
    {
        "topics": FreshKind("topic", "single", LEARNED, (3, 6), (*SHORT, "forum"), (), _topics),
        "acceptability": FreshKind(
            "grammar", "single", (*EVERYDAY, *LEARNED), (2, 3), ("plain",), ("0", "1"), _acceptability
        ),
        "polarity": FreshKind(
            "opinion", "single", ("film", "restaurant", "hotel", "gadget", "airline"), (1, 2),
            ("review", "tweet", "sms", "forum"), ("negative", "positive"), _polarity,
        ),
        "inference": FreshKind(
            "entailment", "pair", (*EVERYDAY, *LEARNED), (3, 5), PROSE, ("contradiction", "entailment", "neutral"),
            _inference,
        ),
        "answerability": FreshKind(
            "answer", "pair", (*EVERYDAY, *LEARNED), (3, 5), PROSE, ("entailment", "not_entailment"), _answerability
        ),
        "paraphrase": FreshKind(
            "paraphrase", "pair", (*EVERYDAY, *LEARNED), (3, 5), ("article", "plain", "forum"), ("0", "1"), _paraphrase
        ),
        "matter": FreshKind("matter", "single", LEARNED, (4, 6), ("article",), ("no", "yes"), _matter),
        "stance": FreshKind("stance", "single", Side.targets, (2, 4), ("tweet", "sms", "forum"), STANCES, _stance),
        "emotion": FreshKind("feeling", "single", FEELINGS, (3, 6), ("tweet", "sms", "forum"), (), _emotion),
    }
)  # fmt: skip
