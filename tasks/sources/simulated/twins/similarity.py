"""Similarity: how much of what one sentence says another says too, part by part, from 0 (nothing) to 5 (all).

What counts is the meaning: the sentences call things by other names, and turned round or denied they share their words.
It is easy where shared words tell the score, hard where the same is said in other words and something else in the same.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cache
from typing import ClassVar

from tasks.sources.simulated.chance import Chance
from tasks.sources.simulated.clause import Style, fixed, realise
from tasks.sources.simulated.compose import (
    DENYING,
    UNDENIED,
    Domain,
    describe,
    draw_place,
    entity,
    proposition,
    settled,
)
from tasks.sources.simulated.lexicon import lexicon
from tasks.sources.simulated.meaning import TIMES, Entity, Proposition
from tasks.sources.simulated.registers import style_of, write
from tasks.sources.simulated.twin import twin_of
from tasks.sources.simulated.variation import Voice, changed, normal, retold, statement

# Points of the parts, 5 in all; details share theirs equally, those that neither sentence has count as shared.
PARTICIPANT, ACTION, DETAILS = 1.4, 1.2, 1.0
TENSE = {"past": (1, 0, 0), "present": (0, 1, 0), "future": (0, 0, 1)}
DENIED, TURNED = 2.0, 0.3  # points lost by a denial; share of a participant's points left in the wrong role
OPENERS = ("as far as we know,", "", "I heard that", "it is a fact that", "", "they say that", "believe it or not,",
           "everybody knows that", "")  # fmt: skip


@dataclass(frozen=True)
class Pair:
    """Two propositions."""

    first: Proposition
    second: Proposition


@cache
def closeness(noun: str, other: str) -> float:
    """Of two concepts: 1 the same, 0.7 one above the other, 0.5 under the same concept, 0.2 of one field, else 0."""
    words = lexicon()
    if noun == other:
        return 1.0
    one, two = (words.nouns.get(n) or words.names.get(n) for n in (noun, other))
    if one is None or two is None:
        return 0.0
    if noun in words.hypernyms(other)[:-1] or other in words.hypernyms(noun)[:-1]:
        return 0.7
    parent = words.nouns.get(one.parent)
    if one.parent == two.parent and parent is not None and parent.parent:
        return 0.5
    return 0.2 if one.field == two.field and one.part == two.part == "noun" else 0.0


def similarity(first: Proposition, second: Proposition) -> float:
    """0 ... 5: points of the participants, the action and the details that both have, less what a denial undoes."""
    p, q = normal(first), normal(second)
    ends, others = (p.subject, p.object or p.than), (q.subject, q.object or q.than)
    straight = [_close(a, b) for a, b in zip(ends, others, strict=True)]
    turned = [TURNED * _close(a, b) for a, b in zip(ends, others[::-1], strict=True)]
    points = PARTICIPANT * max(sum(straight), sum(turned)) + ACTION * _action(p, q)
    if points >= 1.5:  # details of unlike events do not make them alike
        points += DETAILS * sum(one == other for one, other in zip(_details(p), _details(q), strict=True)) / 4
    if p.negated != q.negated:
        points = max(points - DENIED, min(points, 1.0))
    return round(points, 2)


@dataclass(frozen=True)
class Similarity:
    """Pairs of sentences about the topics of a domain.

    Attributes:
        domain: `fields` are topics, one or two of which a pair is about.
        levels: Weights of pairs drawn to score about 0, 1, ... 5.
        easy: Probability that both call a thing by the same word, for the levels 0 ... 5 at difficulty 0.
        hard: The same at difficulty 1.
        ways: Weights of pairs drawn to differ in an object, in the roles, and in a denial, at difficulty 0 and 1.
        difficulty: See `hard_by`.
    """

    domain: Domain
    space: str = "stsb"
    register: str = "plain"
    levels: tuple[float, ...] = (0.115, 0.148, 0.16, 0.237, 0.237, 0.103)
    easy: tuple[float, ...] = (0.7, 0.7, 0.7, 0.8, 0.9, 0.9)
    hard: tuple[float, ...] = (1.0, 1.0, 1.0, 1.0, 0.0, 0.0)
    ways: tuple[tuple[float, ...], tuple[float, ...]] = ((8, 1, 1), (2, 5, 3))
    difficulty: float = 0.4
    shares: tuple[float, ...] = ()
    labels: tuple[str, ...] = ()
    hard_by: ClassVar[str] = (
        "rewording: sentences call most things by the same names and differ in what they name (0); those that say the "
        "same call all that has another name by it, and those that say something else share their words and differ in "
        "who did it to whom or in a denial (1)"
    )

    def draw(self, chance: Chance) -> Pair:
        level = chance.weighted(range(6), self.levels)
        while True:
            topic, other = chance.sample(self.domain.fields, 2)
            domain = replace(self.domain, fields=(topic,))
            way = chance.weighted(("object", "roles", "denial"), self._at(*self.ways))
            first = statement(way, domain, chance)
            object = first.object and settled(first.object, (*DENYING, "several"))
            first = replace(first, object=object, subject=settled(first.subject, UNDENIED))
            for _ in range(4):
                second = _second(level, first, way, domain, replace(domain, fields=(other,)), chance)
                if not {second.subject.quantity, second.object and second.object.quantity}.isdisjoint(DENYING):
                    continue
                if round(similarity(first, second)) == level:
                    return Pair(first, second) if chance.flip(0.5) else Pair(second, first)

    def label(self, meaning: Pair) -> float:
        return similarity(meaning.first, meaning.second)

    def write(self, meaning: Pair, chance: Chance, split: str) -> tuple[str, str | None]:
        style = style_of(self.register)
        first = Voice(chance)
        text = self._text(meaning.first, style, first)
        second = Voice(chance, first.said, self._at(self.easy, self.hard)[round(self.label(meaning))])
        return text, self._text(meaning.second, style, second)

    def _at(self, easiest: tuple[float, ...], hardest: tuple[float, ...]) -> tuple[float, ...]:
        """What lies between two rows of values at the difficulty."""
        return tuple(low + self.difficulty * (high - low) for low, high in zip(easiest, hardest, strict=True))

    def _text(self, p: Proposition, style: Style, voice: Voice) -> str:
        opener = fixed(voice.pick(OPENERS))  # anew for each text: what is not of the meaning tells nothing of the score
        clause = realise(p, replace(style, fronting=0) if opener else style, voice)
        return write(self.register, [(*opener, *clause)], voice)


def _second(level: int, first: Proposition, way: str, domain: Domain, elsewhere: Domain, chance: Chance) -> Proposition:
    """A proposition about as like the first as the level says."""
    if level == 5:
        return retold(first)
    if level == 4:
        second = first if chance.flip(0.6) else _near(first, domain, chance)
        for _ in range(chance.between(1, 3)):
            second = _detailed(second, domain, chance)
        return second
    if level == 3:
        edit = chance.weighted((way, "object", "subject", "near"), (7, 1, 1, 1))
        if edit in ("roles", "denial", "object"):
            second = changed(first, edit, domain, chance)
        else:
            second = _other_subject(first, domain, chance) if edit == "subject" else _near(first, domain, chance)
        return _detailed(second, domain, chance) if chance.flip(0.5) else second
    if level == 2:
        second = proposition(domain, chance, subject=first.subject)
        if chance.flip(0.75):
            second = changed(first, chance.pick(("object", "verb", "denial")), domain, chance)
            second = changed(second, "denial", domain, chance) if second.negated == first.negated else second
            second = _near(second, domain, chance) if chance.flip(0.5) else _other_subject(second, domain, chance)
        return _detailed(second, domain, chance)
    second = statement("object", replace(domain if level == 1 else elsewhere, tenses=TENSE[first.tense]), chance)
    subject, object = _like(second.subject, first.subject), second.object and _like(second.object, first.object)
    return replace(second, subject=subject, object=object, time=first.time, place=first.place, negated=first.negated)


def _like(new: Entity, old: Entity | None) -> Entity:
    """With the quantity of another thing, so that unlike sentences too have their small words in common."""
    if old is None or "name" in (old.quantity, new.quantity):
        return new
    return replace(new, quantity=old.quantity, many=old.many)


def _detailed(p: Proposition, domain: Domain, chance: Chance) -> Proposition:
    """The proposition with one detail added, taken away or changed."""
    detail = chance.pick(("time", "place", "quality", "quantity"))
    if detail == "time":
        return replace(p, time="" if p.time and chance.flip(0.5) else chance.pick(TIMES[p.tense]))
    if detail == "place":
        return replace(p, place="" if p.place and chance.flip(0.5) else draw_place(domain, chance))
    if detail == "quality" and p.subject.quantity != "name":
        quality = describe(p.subject, domain, chance)
        return replace(
            p, subject=replace(p.subject, qualities=(quality,) if quality and not p.subject.qualities else ())
        )
    if p.object is not None and p.object.quantity != "name" and not lexicon().nouns[p.object.noun].mass:
        return replace(p, object=replace(p.object, quantity=chance.pick(("some", "most", "3", "5", "every", "this"))))
    return replace(p, time=chance.pick(TIMES[p.tense]))


def _near(p: Proposition, domain: Domain, chance: Chance) -> Proposition:
    """The proposition with a close relative in the place of a participant."""
    end = chance.pick(("subject", "object")) if p.object is not None else "subject"
    old: Entity = p.subject if end == "subject" or p.object is None else p.object
    verb = lexicon().verbs.get(p.verb)
    if old.quantity == "name" or verb is None:
        return p
    kin = kindred(old.noun, verb.kinds if end == "subject" else verb.objects)
    if not kin:
        return _detailed(p, domain, chance)
    new = replace(old, noun=chance.pick(kin))
    return replace(p, subject=new) if end == "subject" else replace(p, object=new)


@cache
def kindred(noun: str, kinds: tuple[str, ...]) -> tuple[str, ...]:
    """Close relatives of a noun among some kinds: what is above it, and what is under the same concept."""
    above = lexicon().hypernyms(noun)[0]
    near = (above, *lexicon().nouns_of((above,)))
    return tuple(n for n in near if n != noun and closeness(n, noun) >= 0.5 and lexicon().fits(n, kinds))


def _other_subject(p: Proposition, domain: Domain, chance: Chance) -> Proposition:
    verb = lexicon().verbs.get(p.verb)
    if verb is None:
        return p
    other = entity(verb.kinds, domain, chance, other_than=p.subject.noun)
    return replace(p, subject=settled(other, UNDENIED if p.negated else ()))


def _close(a: Entity | None, b: Entity | None) -> float:
    if a is None or b is None:
        return float(a is b)
    return closeness(a.noun, b.noun)


def _action(p: Proposition, q: Proposition) -> float:
    """1 for the same verb and quality, 0.2 for those of one field, else 0."""
    if (p.verb, p.quality) == (q.verb, q.quality):
        return 1.0
    one, two = lexicon().verbs.get(p.verb), lexicon().verbs.get(q.verb)
    return 0.2 if one and two and one.field == two.field != "general" else 0.0


def _details(p: Proposition) -> tuple[object, ...]:
    ends = [end for end in (p.subject, p.object) if end is not None]
    return p.time, p.place, tuple(end.qualities for end in ends), tuple(end.quantity for end in ends)


TWINS = (
    twin_of("stsb", Similarity(
        Domain(("people", "animals", "food", "home", "clothes", "school", "work", "travel", "business", "science",
                "health", "entertainment", "campaign"), general=0.3, names=0.15, place=0.25, time=0.35, quality=0.25,
               negation=0.05, copula=0, tenses=(7, 2, 1)))),
)  # fmt: skip
