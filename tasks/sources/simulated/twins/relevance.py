"""Relevance of articles: whether the economy is what an article is about, and whether it says how the economy does.

Words of the economy turn up under both classes. In the first task they make up the article or are said in passing; in
the second the same things are said of one firm, one town, another time, or as what might be.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cache
from typing import ClassVar

from tasks.sources.simulated.chance import Chance
from tasks.sources.simulated.clause import realise
from tasks.sources.simulated.compose import Domain, proposition
from tasks.sources.simulated.lexicon import lexicon
from tasks.sources.simulated.meaning import TIMES, Entity, Proposition, Tense
from tasks.sources.simulated.registers import style_of, write
from tasks.sources.simulated.twin import twin_of

ECONOMY = ("employment", "inflation", "markets", "trade", "budget", "monetary")
NATIONAL = (
    "economic figure", "price", "cost of living", "purchasing power", "economy", "national currency", "labour market",
    "stock market", "workforce", "national debt", "state budget", "economic recovery",
)  # fmt: skip
LONG_AGO = ("a few years ago", "a decade ago", "ten years ago", "after the war", "in those days")
LATELY = ("last week", "last month", "this morning", "on Friday", "yesterday", "in March", "in October")


@dataclass(frozen=True)
class Article:
    """What a newspaper says; the first statement is the headline where there is one."""

    told: tuple[Proposition, ...]
    field: str


@dataclass(frozen=True)
class Matter:
    """Whether most of an article's statements are about one group of fields.

    Attributes:
        matter: The fields in question.
        beside: Fields of the other articles.
        passing: Least and greatest share of statements about the matter in an article about something else, at
            difficulty 1; in one about the matter it is the share of statements about something else. None at 0.
        statements: Fewest and most statements.

    An encoder that reads 64 word pieces of an article sees an eighth of it. At high difficulty these do not tell what
    most of it is about, so that full fine-tuning comes down to the majority, as it does on the real task.
    """

    hard_by: ClassVar[str] = (
        "passing mentions: all of an article is about one thing (0); up to 49 % of it, its beginning among them, are "
        "about the other (1)"
    )

    labels: tuple[str, ...] = ("no", "yes")
    shares: tuple[float, ...] = (0.815, 0.185)
    space: str = "cf_econ_relevance"
    matter: tuple[str, ...] = ECONOMY
    beside: tuple[str, ...] = (
        "business", "science", "health", "entertainment", "legislation", "campaign", "governance", "cars", "airline",
    )  # fmt: skip
    passing: tuple[float, float] = (0.46, 0.495)
    statements: tuple[int, int] = (25, 34)
    difficulty: float = 1.0

    def draw(self, chance: Chance) -> Article:
        relevant = chance.flip(self.shares[1])
        n, other = chance.between(*self.statements), chance.pick(self.beside)
        low, high = self.passing
        fewer = int(n * self.difficulty * (low + (high - low) * chance.unit()))
        about = chance.sample([relevant] * (n - fewer) + [not relevant] * fewer, n)
        lead = relevant != chance.flip(self.difficulty / 2)
        order = sorted(about[:5], key=lambda of: of != lead) + about[5:]
        topics = chance.sample(self.matter, 2)  # an article keeps to two sides of the matter
        told = [self._statement(chance.pick(topics), chance) if of else self._statement(other, chance) for of in order]
        return Article(tuple(told), "" if relevant else other)

    def _statement(self, field: str, chance: Chance) -> Proposition:
        domain = Domain((field,), general=0.15, names=0.2, place=0.15, time=0.2, copula=0.15)
        p = proposition(domain, chance)
        while (field in self.matter) != self.concerns(p):
            p = proposition(domain, chance)
        return _the_one(p)

    def concerns(self, p: Proposition) -> bool:
        """Whether a statement is about the matter: what it says, or what it says it of, belongs there."""
        verb, nouns = lexicon().verbs.get(p.verb), lexicon().nouns
        parts = (verb, nouns.get(p.subject.noun), nouns.get(p.object.noun) if p.object else None)
        return any(part is not None and part.field in self.matter for part in parts)

    def label(self, meaning: Article) -> float:
        return float(sum(map(self.concerns, meaning.told)) > len(meaning.told) / 2)

    def write(self, meaning: Article, chance: Chance, split: str) -> tuple[str, str | None]:
        style = style_of("article")
        return write("article", [realise(p, style, chance) for p in meaning.told], chance, meaning.field), None


@dataclass(frozen=True)
class Performance:
    """Whether an article states how the nation's economy does, now.

    Attributes:
        near: Fewest and most statements that come near it: of a firm, a town, another time, or as a possibility.
        others: Fewest and most statements about something else.
        fields: What these are about.
    """

    hard_by: ClassVar[str] = (
        "near misses: only articles on how the economy does have words that say so (0); every article says it of a "
        "firm, a town, another time or a possibility, and half of them of the nation today as well (1)"
    )

    labels: tuple[str, ...] = ("no", "yes")
    shares: tuple[float, ...] = (0.422, 0.578)
    space: str = "cf_us_economic"
    fields: tuple[str, ...] = ("business", "legislation", "governance", "trade", "budget", "monetary", "markets")
    near: tuple[int, int] = (1, 2)
    others: tuple[int, int] = (3, 5)
    difficulty: float = 1.0

    def draw(self, chance: Chance) -> Article:
        field = chance.pick(self.fields)
        stated = chance.flip(self.shares[1])
        near, decisive = chance.between(*self.near), chance.between(1, 2)
        hard = chance.flip(self.difficulty)
        told = [_near(chance) for _ in range(near if hard else 0)]
        told += [_performance(chance) if stated else _near(chance) for _ in range(decisive if stated or hard else 0)]
        n = chance.between(*self.others) + near + decisive - len(told)  # as many statements in all
        rest = [self._beside(field, chance) for _ in range(n)]
        headline = chance.pick(told if told and chance.flip(0.7) else rest)
        told = chance.sample([p for p in (*told, *rest) if p is not headline], 99)
        return Article((headline, *told), field)

    def _beside(self, field: str, chance: Chance) -> Proposition:
        domain = Domain((field,), general=0.3, names=0.3, quality=0.2, place=0.3, time=0, copula=0.1)
        p = proposition(domain, chance)
        while performance(p):
            p = proposition(domain, chance)
        p = replace(_the_one(p), place=_town(chance) if p.place else "")
        return replace(p, time=chance.pick((*LONG_AGO, *LATELY))) if p.tense == "past" and chance.flip(0.4) else p

    def label(self, meaning: Article) -> float:
        return float(any(map(performance, meaning.told)))

    def write(self, meaning: Article, chance: Chance, split: str) -> tuple[str, str | None]:
        headline = write("headline", [realise(meaning.told[0], style_of("headline"), chance)], chance)
        style = replace(style_of("article"), cleft=0.0)
        return f"{headline}. {write('article', [realise(p, style, chance) for p in meaning.told[1:]], chance)}", None


def performance(p: Proposition) -> bool:
    """Whether a statement says how the nation's economy does: better or worse, here and now, and as a fact."""
    words = lexicon()
    said = words.adjectives[p.quality] if p.quality else words.verbs.get(p.verb)
    if said is None or said.value == 0 or said.field not in ECONOMY or not _national(p.subject.noun):
        return False
    return not p.place and p.time not in LONG_AGO and p.tense != "future" and not p.modal


def _performance(chance: Chance) -> Proposition:
    subject, said = chance.pick(_sayings(NATIONAL))
    tense: Tense = chance.pick(("past", "past", "present"))
    return _saying(subject, said, tense, chance.pick(LATELY) if tense == "past" and chance.flip(0.4) else "", chance)


def _near(chance: Chance) -> Proposition:
    """What sounds like it and is not: of a firm, a town, long ago, or what will or might be."""
    way = chance.pick(("firm", "town", "long ago", "might"))
    if way == "firm":
        subject, said = chance.pick(_sayings(("company", "bank", "factory")))
        return _saying(subject, said, "past", chance.pick(LATELY) if chance.flip(0.3) else "", chance)
    subject, said = chance.pick(_sayings(NATIONAL))
    if way == "might":
        future = chance.flip(0.5)
        p = _saying(subject, said, "future" if future else "present", "", chance)
        if future:
            return replace(p, time=chance.pick(TIMES["future"]) if chance.flip(0.4) else "")
        return replace(p, modal=chance.pick(("might", "could")))
    if way == "town":
        return replace(_saying(subject, said, "past", "", chance), place=_town(chance))
    return _saying(subject, said, "past", chance.pick(LONG_AGO), chance)


def _saying(subject: str, said: str, tense: Tense, time: str, chance: Chance) -> Proposition:
    words, entity, denied = lexicon(), _one(Entity(subject)), chance.flip(0.1)
    if said in words.adjectives and said not in words.verbs:
        return Proposition(entity, "be", quality=said, tense=tense, time=time, negated=denied)
    object = None
    if words.verbs[said].objects:
        fitting = words.nouns_of(words.verbs[said].objects, ECONOMY) or words.nouns_of(words.verbs[said].objects)
        object = _one(Entity(chance.pick(fitting)))
    return Proposition(entity, said, object, tense=tense, time=time, negated=denied)


def _town(chance: Chance) -> str:
    return chance.pick(lexicon().names_of("place"))


def _the_one(p: Proposition) -> Proposition:
    """What there is one of in the nation is "the economy", not "some economies"."""
    subject, object = _one(p.subject), p.object and _one(p.object)
    return p if subject is p.subject and object is p.object else replace(p, subject=subject, object=object)


def _one(entity: Entity) -> Entity:
    concept = lexicon().nouns.get(entity.noun)
    if concept is None or not (concept.field in ("budget", "monetary", "trade") or _national(entity.noun)):
        return entity
    return Entity(entity.noun, "bare" if concept.mass else "the", (), lexicon().is_a(entity.noun, "price"))


@cache
def _sayings(kinds: tuple[str, ...]) -> tuple[tuple[str, str], ...]:
    """Pairs of a subject of the kinds and a verb or adjective that says whether it does well or badly."""
    words = lexicon()
    verbs = [v for v in words.verbs.values() if v.field in ECONOMY and v.value]
    adjectives = [a for a in words.adjectives.values() if a.field in ECONOMY and a.value and a.id not in words.verbs]
    nouns = words.nouns_of(kinds, (*ECONOMY, "business"))
    said = [(n, c.id) for c in (*verbs, *adjectives) for n in nouns if words.fits(n, c.kinds)]
    return tuple((n, c) for n, c in said if _national(n) == (kinds == NATIONAL))


@cache
def _national(noun: str) -> bool:
    return lexicon().fits(noun, NATIONAL) and not lexicon().is_a(noun, "company")


TWINS = (twin_of("cf_econ_relevance", Matter()), twin_of("cf_us_economic", Performance()))
