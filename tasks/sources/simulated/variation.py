"""The same said again in other words, and something else said in nearly the same words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cache
from typing import TypeVar

from tasks.sources.simulated.chance import Chance
from tasks.sources.simulated.compose import (
    DENYING,
    TENSES,
    UNDENIED,
    Domain,
    describe,
    draw_place,
    entity,
    proposition,
    settled,
)
from tasks.sources.simulated.lexicon import Word, lexicon
from tasks.sources.simulated.meaning import TIMES, Entity, Proposition, Tense

T = TypeVar("T")
COUNTED = ("some", "every", "most", "several", "two", "three", "five", "seven")
SAME_QUANTITY = {"all": "every"}
ALIKE = ({"some", "several"},)  # too near to each other to be a difference
SAME_TIME = {"at the moment": "now"}
OPPOSED = {"every": "no", "all": "no", "no": "some", "few": "many", "several": "no"}
SYMMETRIC = (
    "meet",
    "marry",
    "resemble",
    "hug",
    "swap",
    "merge with",
    "compete with",
    "connect with",
    "pair with",
    "meet with",
    "quarrel with",
    "debate with",
    "mingle with",
    "partner with",
    "tie with",
)
# What one part of a proposition can be changed into another: who did it to whom, that it is so, ...
WAYS = ("roles", "denial", "object", "verb", "time", "place", "quantity", "comparison")


class Voice(Chance):
    """Chance that calls one thing by one name, and takes over a share of another speaker's names.

    Both speakers draw their words alike, whatever the share: only the two texts together tell how close they are.

    Args:
        chance: Where all choices come from.
        heard: Words of the other speaker, by concept.
        kept: Probability that such a word is taken over; otherwise it is another one, if there is one.
    """

    def __init__(self, chance: Chance, heard: Mapping[str, Word] | None = None, kept: float = 1.0) -> None:
        self.unit = chance.unit
        self.said: dict[str, Word] = {}
        self.heard = {} if heard is None else heard
        self.kept = kept

    def pick(self, values: Sequence[T]) -> T:
        if not values or not isinstance(values[0], Word):
            return super().pick(values)
        concept = values[0].base
        if concept not in self.said:
            other = self.heard.get(concept)
            word: Word | T = super().pick(values)
            if other is not None:
                left = [value for value in values if value != other]
                word = other if self.flip(self.kept) or not left else super().pick(left)
            assert isinstance(word, Word)
            self.said[concept] = word
        chosen = self.said[concept]
        return next((value for value in values if value == chosen), values[0])


def normal(p: Proposition) -> Proposition:
    """One form for what says the same: "all" is "every", "bigger than" is "smaller" the other way round."""
    p = replace(p, subject=_counted(p.subject), object=p.object and _counted(p.object), degree="")
    p = replace(p, time=SAME_TIME.get(p.time, p.time))
    if p.than is not None:
        opposite = lexicon().adjectives[p.quality].antonym
        if opposite and opposite < p.quality and not p.negated:
            return replace(p, subject=_counted(p.than), quality=opposite, than=p.subject)
    return p


def retold(p: Proposition) -> Proposition:
    """The same in other terms, where the language has them."""
    if p.than is not None and lexicon().adjectives[p.quality].antonym and not p.negated:
        return replace(p, subject=p.than, quality=lexicon().adjectives[p.quality].antonym, than=p.subject)
    turn = {"every": "all", "all": "every"}
    object = p.object and replace(p.object, quantity=turn.get(p.object.quantity, p.object.quantity))
    return replace(
        p, subject=replace(p.subject, quantity=turn.get(p.subject.quantity, p.subject.quantity)), object=object
    )


def statement(way: str, domain: Domain, chance: Chance) -> Proposition:
    """A proposition that can be changed in a way of `WAYS`."""
    tense: Tense = chance.weighted(TENSES, domain.tenses)
    if way == "comparison":
        return _comparison(domain, chance)
    verbs = {"roles": _reversible(domain.fields)}.get(way) or _transitive(domain.fields, chance.flip(domain.general))
    verb = chance.pick(verbs)
    p = proposition(domain, chance, verb=verb, tense=tense, negated=chance.flip(0.5) if way == "denial" else False)
    if way == "roles":
        one, other = chance.sample(_partners(verb, domain.fields), 2)
        p = replace(
            p, subject=Entity(one, chance.pick(("the", "a", "the"))), object=Entity(other, chance.pick(("the", "a")))
        )
        if chance.flip(domain.names) and _both_ways(verb, "person"):
            p = replace(p, subject=Entity(chance.pick(lexicon().names_of("person")), "name"))
    if way == "time" and not p.time:
        p = replace(p, time=chance.pick(TIMES[tense]))
    if way == "place" and not p.place:
        p = replace(p, place=draw_place(domain, chance))
    if way == "quantity" and p.object is not None and p.object.quantity != "name" and not _mass(p.object.noun):
        p = replace(
            p, subject=settled(p.subject, DENYING), object=replace(p.object, quantity=_digits(chance.pick(COUNTED)))
        )
    if way == "denial" and "no" in (p.subject.quantity, p.object.quantity if p.object else ""):
        return statement(way, domain, chance)
    return p


def changed(p: Proposition, way: str, domain: Domain, chance: Chance) -> Proposition:
    """The proposition with one part of it another; denied where the way does not apply."""
    words = lexicon()
    denied = _denied(p)
    if way == "comparison" and p.than is not None:
        return replace(p, subject=p.than, than=p.subject)
    if p.object is None or way == "denial" or p.verb == "be":
        return denied
    if way == "roles" and p.subject != p.object:
        return replace(p, subject=p.object, object=p.subject)
    if way == "object":
        for _ in range(9):
            quantity = "the" if p.object.quantity == "name" else p.object.quantity
            other = entity(words.verbs[p.verb].objects, domain, chance, quantity=quantity, other_than=p.object.noun)
            if not (words.is_a(other.noun, p.object.noun) or words.is_a(p.object.noun, other.noun)):
                return replace(p, object=replace(p.object, noun=other.noun, quantity=quantity))
    if way == "verb":
        fitting = _alternatives(p.verb, p.subject.noun, p.object.noun, domain.fields)
        if fitting:
            return replace(p, verb=chance.pick(fitting))
    if way == "time" and p.time:
        return replace(p, time=chance.pick([time for time in TIMES[p.tense] if time != p.time]))
    if way == "place" and p.place:
        return replace(p, place=_other_place(p.place, domain, chance))
    if way == "quantity" and p.object.quantity in [_digits(q) for q in COUNTED]:
        said = p.object.quantity
        others = [q for q in map(_digits, COUNTED) if q != said and {q, said} not in ALIKE]
        return replace(p, object=replace(p.object, quantity=chance.pick(others)))
    return denied


def _denied(p: Proposition) -> Proposition:
    """The contrary; of quantities that a denial makes unclear by the opposite quantity: "no dog barked"."""
    if not p.negated and p.subject.quantity in UNDENIED:
        return replace(p, subject=replace(p.subject, quantity=OPPOSED[p.subject.quantity]))
    if not p.negated and p.object is not None and p.object.quantity in (*DENYING, "several"):
        return replace(p, object=replace(p.object, quantity=OPPOSED[p.object.quantity]))
    return replace(p, negated=not p.negated)


def _counted(entity: Entity) -> Entity:
    if entity.quantity in SAME_QUANTITY:
        entity = replace(entity, quantity=SAME_QUANTITY[entity.quantity])
    return entity if entity.many == entity.plural else replace(entity, many=entity.plural)


def _digits(quantity: str) -> str:
    return {"two": "2", "three": "3", "five": "5", "seven": "7"}.get(quantity, quantity)


def _other_place(place: str, domain: Domain, chance: Chance) -> str:
    other = draw_place(domain, chance)
    return other if other != place else _other_place(place, domain, chance)


def _comparison(domain: Domain, chance: Chance) -> Proposition:
    """One thing is more of something than another of its kind."""
    kind = chance.pick(("person", "device", "building", "vehicle", "animal", "work"))
    one = entity((kind,), replace(domain, quality=0, names=0), chance, quantity="the")
    other = entity((kind,), replace(domain, quality=0, names=0), chance, quantity="the", other_than=one.noun)
    quality = describe(one, domain, chance)
    tense: Tense = chance.pick(("past", "present"))
    fitting = quality and lexicon().adjectives[quality].antonym and _gradable(quality)
    if not fitting or one.noun == other.noun or not lexicon().fits(other.noun, lexicon().adjectives[quality].kinds):
        return _comparison(Domain(), chance) if chance.flip(0.2) else _comparison(domain, chance)
    return Proposition(replace(one, many=False), "be", quality=quality, than=replace(other, many=False), tense=tense)


def _gradable(quality: str) -> bool:
    adjective = lexicon().adjectives[quality]
    return adjective.value != 0 or any(word.irregular for word in adjective.words)


def _mass(noun: str) -> bool:
    return lexicon().nouns[noun].mass


def _both_ways(verb: str, noun: str) -> bool:
    concept = lexicon().verbs[verb]
    return lexicon().fits(noun, concept.kinds) and lexicon().fits(noun, concept.objects)


@cache
def _reversible(fields: tuple[str, ...]) -> tuple[str, ...]:
    """Verbs whose subject and object could change places and make it another event."""
    words = lexicon()
    return tuple(
        verb
        for verb in words.verbs_of((*fields, "general"), True)
        if verb not in SYMMETRIC and len(_partners(verb, fields)) > 1
    )


@cache
def _partners(verb: str, fields: tuple[str, ...]) -> tuple[str, ...]:
    """Nouns that can be both subject and object of a verb: of the fields if they have two, else any."""
    near = tuple(noun for noun in _either_role(verb) if lexicon().nouns[noun].field in fields)
    return near if len(near) > 1 else _either_role(verb)


@cache
def _either_role(verb: str) -> tuple[str, ...]:
    return tuple(noun.id for noun in lexicon().nouns.values() if noun.parent and _both_ways(verb, noun.id))


@cache
def _transitive(fields: tuple[str, ...], general: bool) -> tuple[str, ...]:
    return (() if general else lexicon().verbs_of(fields, True)) or lexicon().verbs_of(("general",), True)


@cache
def _alternatives(verb: str, subject: str, object: str, fields: tuple[str, ...]) -> tuple[str, ...]:
    """Other verbs that the same participants allow."""
    words = lexicon()
    return tuple(
        other
        for other in words.verbs_of((*fields, "general"), True)
        if other != verb
        and words.fits(subject, words.verbs[other].kinds)
        and words.fits(object, words.verbs[other].objects)
    )
