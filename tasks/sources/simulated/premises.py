"""Hypotheses, and premises for them: pairs of statements that one edit or two set apart.

A hypothesis knows nothing of what its premise will be. The edits turn up whatever the relation is to be: the same thing
more or less closely described, denied or not, turned round, of opposites, compared, counted. What follows from what is
for the logic to say. `depth`, from 0 to 1, says how much a premise asks of its reader: at 0 it differs from the
hypothesis in a denial, a part that one of them lacks, or another word; at 1 in more edits at once, in hypernyms, in who
does it to whom, in opposites and in comparisons turned round.
"""

from __future__ import annotations

from dataclasses import replace
from functools import cache

from tasks.sources.simulated.chance import Chance
from tasks.sources.simulated.clause import Style
from tasks.sources.simulated.compose import Domain, describe, draw_place, entity, proposition
from tasks.sources.simulated.lexicon import lexicon
from tasks.sources.simulated.logic import SPECIFIC, UNIVERSAL, Relation, denials
from tasks.sources.simulated.meaning import TIMES, Proposition, Tense

FIELDS = ("people", "animals", "food", "home", "clothes", "school", "work", "travel", "places")
SYMMETRIC = ("meet", "marry", "resemble", "hug", "swap")  # turned round they say the same
COUNTED = ("some", "every", "most", "several", "no")
SORTS = ("deed", "quality", "comparison", "quantity")
MOSTLY_PAST: tuple[Tense, ...] = ("past", "past", "past", "present")


def draw_hypothesis(sort: str, domain: Domain, chance: Chance) -> Proposition | None:
    """A statement of a sort (one of `SORTS`) from which much can follow; None where the words drawn do not fit."""
    quantity = "the" if chance.flip(0.75) else ""
    if sort in ("quality", "comparison"):
        subject = entity(("person", "animal", "device", "vehicle", "food", "building"), domain, chance, quantity="the")
        subject = replace(subject, qualities=())
        opposites = [a for a in lexicon().adjectives_of(subject.noun) if lexicon().adjectives[a].antonym]
        if not opposites:
            return None
        tense = chance.pick(MOSTLY_PAST)
        told = Proposition(subject, "be", quality=chance.pick(opposites), negated=chance.flip(0.5), tense=tense)
        if sort == "quality":
            return told
        than = replace(entity((subject.noun,), domain, chance, quantity="the"), qualities=(), many=False)
        kind = lexicon().hypernyms(subject.noun)
        than = than if than.noun != subject.noun else replace(than, noun=_other((kind[-1],), subject.noun, chance))
        fits = lexicon().fits(than.noun, lexicon().adjectives[told.quality].kinds) and than.noun != subject.noun
        graded = lexicon().adjectives[told.quality].words[0].irregular
        return replace(told, than=than, subject=replace(subject, many=False), negated=chance.flip(0.3)) if (
            fits and graded) else None  # fmt: skip
    verb = lexicon().verbs[proposition(replace(domain, copula=0), chance).verb]
    if sort == "quantity":
        quantity = chance.pick((*COUNTED, str(chance.between(2, 7))))
        subject = replace(entity(verb.kinds, domain, chance, quantity=quantity), many=True)
        if lexicon().nouns[subject.noun].mass:  # "five rain", and several of it is some
            return None
    else:
        subject = entity(verb.kinds, domain, chance, quantity=quantity)
        if subject.quantity not in SPECIFIC:
            subject = replace(subject, quantity="the")
    object = None
    if verb.objects:
        object = entity(verb.objects, domain, chance, quantity=chance.pick(("a", "a", "the", "some")))
        object = replace(object, many=object.quantity == "some" or (object.quantity == "the" and object.many))
        if object.noun == subject.noun:
            return None
    denied = sort == "deed" and chance.flip(0.5)
    tense = chance.pick(MOSTLY_PAST)
    told = Proposition(subject, verb.id, object, negated=denied, tense=tense)
    return _closer(told, domain, chance, nouns=False) if chance.flip(0.5) else told


def draw_premise(h: Proposition, wanted: Relation, domain: Domain, chance: Chance, depth: float = 1) -> Proposition:
    """A premise that may well have the wanted relation: the caller checks."""
    if h.than is not None:
        return _compared(h, wanted, chance, depth)
    if h.verb == "be":
        return _described(h, wanted, domain, chance, depth)
    if h.subject.quantity not in SPECIFIC:
        return _counted(h, wanted, domain, chance, depth)
    if wanted == "neutral":
        other = chance.flip(0.9 - 0.35 * depth)  # a part that the premise lacks is easier to miss
        p = elsewise(h, domain, chance, depth) if other else _nearer(h, h.negated, domain, chance, depth)
        return replace(p, negated=not p.negated) if chance.flip(0.5) else p
    denied = h.negated == (wanted == "entailment")
    return replace(_nearer(h, not denied, domain, chance, depth), negated=denied)


def _nearer(p: Proposition, closely: bool, domain: Domain, chance: Chance, depth: float) -> Proposition:
    """The same said more closely, or more widely; now and then just the same."""
    for _ in range(chance.weighted((0, 1, 2), (2, 6 - 3 * depth, 5 * depth))):
        nouns = chance.flip(depth)
        p = _closer(p, domain, chance, nouns) if closely else _wider(p, chance, nouns)
    return p


def _closer(p: Proposition, domain: Domain, chance: Chance, nouns: bool) -> Proposition:
    way = chance.pick(("place", "time", "object", "quality", "object", "subject"))
    if way == "place" and not p.place:
        return replace(p, place=draw_place(domain, chance))
    if way == "time" and not p.time:
        return replace(p, time=chance.pick(TIMES[p.tense]))
    part = p.subject if way == "subject" or p.object is None else p.object
    if way != "quality" and nouns:
        narrower = _below(part.noun)
        if narrower and part.quantity != "name":
            noun = chance.pick(narrower)
            part = replace(part, noun=chance.pick((noun, *_below(noun))), qualities=())
    elif not part.qualities and part.quantity != "name":
        quality = describe(part, domain, chance)
        part = replace(part, qualities=(quality,)) if quality else part
    return replace(p, subject=part) if way == "subject" or p.object is None else replace(p, object=part)


def _wider(p: Proposition, chance: Chance, nouns: bool) -> Proposition:
    way = chance.pick(("place", "time", "object", "quality", "object"))
    if way == "place" or (way == "time" and not p.time):
        return replace(p, place="")
    if way == "time":
        return replace(p, time="")
    if p.object is None or p.object.quantity not in ("a", "some", "no"):
        return p
    objects = lexicon().verbs[p.verb].objects
    wider = [noun for noun in lexicon().hypernyms(p.object.noun) if lexicon().fits(noun, objects)]
    if way == "object" and wider and nouns:
        return replace(p, object=replace(p.object, noun=chance.pick(wider), qualities=()))
    return replace(p, object=replace(p.object, qualities=()))


def elsewise(p: Proposition, domain: Domain, chance: Chance, depth: float = 1) -> Proposition:
    """Another deed, or the same of others, in mostly the same words."""
    words, verb = lexicon(), lexicon().verbs[p.verb]
    turns = p.object is not None and p.verb not in SYMMETRIC and p.object.quantity in SPECIFIC
    if p.object is not None and turns and chance.flip(depth) and words.fits(
            p.object.noun, verb.kinds) and words.fits(p.subject.noun, verb.objects):  # fmt: skip
        return replace(p, subject=p.object, object=p.subject)
    if chance.flip(0.35) and p.object is not None:
        return replace(p, object=replace(p.object, noun=_other(verb.objects, p.object.noun, chance), qualities=()))
    if chance.flip(0.5) or p.object is None:
        return replace(p, subject=entity(verb.kinds, domain, chance, quantity="the", other_than=p.subject.noun))
    same = same_frame(p.subject.noun, p.object.noun)
    return replace(p, verb=chance.pick([v for v in same if v != p.verb] or [p.verb]))


def reworded(style: Style, share: float) -> Style:
    """A style that makes a share of the choices that a writer has: at 0 the same is said in the same words."""
    return replace(
        style,
        synonyms=share * style.synonyms,
        passive=share * style.passive,
        fronting=share * style.fronting,
        relative=share * style.relative,
        never=share * style.never,
        cleft=0.0,
    )


def _described(h: Proposition, wanted: Relation, domain: Domain, chance: Chance, depth: float) -> Proposition:
    opposite = lexicon().adjectives[h.quality].antonym
    degree = chance.pick(("", "", "very", "really", "quite"))
    if wanted == "neutral":
        if chance.flip(0.6 * depth):
            return replace(h, quality=opposite, negated=True)
        others = [a for a in lexicon().adjectives_of(h.subject.noun) if a not in (h.quality, opposite)]
        return replace(h, quality=chance.pick(others), negated=chance.flip(0.5)) if others else h
    p = replace(h, negated=h.negated == (wanted == "entailment"))
    if chance.flip(depth):
        p = chance.pick((replace(h, quality=opposite, negated=False), replace(h, negated=False)))
    p = p if p.negated else replace(p, degree=degree)
    return _closer(p, domain, chance, chance.flip(depth)) if chance.flip(0.4) else p


def _compared(h: Proposition, wanted: Relation, chance: Chance, depth: float) -> Proposition:
    assert h.than is not None
    opposite = lexicon().adjectives[h.quality].antonym
    turned = replace(h, subject=h.than, than=h.subject)
    if wanted == "neutral":
        kind = lexicon().hypernyms(h.subject.noun)[-1:]
        third = replace(h.subject, noun=_other(kind, h.subject.noun, chance))
        if third.noun in (h.subject.noun, h.than.noun):
            return h
        p = replace(chance.pick((h, turned)), than=third) if chance.flip(0.7) else replace(h, negated=not h.negated)
        return chance.pick((p, replace(p, quality=opposite)))
    p = chance.pick((turned, replace(turned, quality=opposite)) if chance.flip(0.75 * depth) else (
        h, replace(h, quality=opposite)))  # fmt: skip
    return replace(p, negated=False) if chance.flip(0.8) else replace(p, negated=not p.negated)


def _counted(h: Proposition, wanted: Relation, domain: Domain, chance: Chance, depth: float) -> Proposition:
    if wanted == "contradiction" and not h.subject.quantity.isdigit():
        p = chance.pick(denials(h))
        return replace(p, subject=replace(p.subject, quantity="every")) if (
            p.subject.quantity in ("a", "some") and h.subject.quantity == "no" and chance.flip(0.5)) else p  # fmt: skip
    quantity = chance.pick((*COUNTED, str(chance.between(2, 7)), h.subject.quantity))
    p = replace(h, subject=replace(h.subject, quantity=quantity))
    if h.subject.quantity in (*UNIVERSAL, "no") and wanted == "entailment":
        return _nearer(h, h.subject.quantity != "no", domain, chance, depth)
    if wanted == "neutral" and chance.flip(0.4):
        return elsewise(h, domain, chance, depth) if chance.flip(0.5) else _nearer(h, False, domain, chance, depth)
    return _nearer(p, True, domain, chance, depth) if chance.flip(0.5) else p


def _other(kinds: tuple[str, ...], noun: str, chance: Chance) -> str:
    """A noun of the kinds that says nothing about the given one."""
    words = lexicon()
    field = words.nouns[noun].field if noun in words.nouns else ""
    nouns = [n for n in words.nouns_of(kinds, (field,)) or words.nouns_of(kinds, FIELDS) or words.nouns_of(kinds)
             if not words.is_a(n, noun) and not words.is_a(noun, n)]  # fmt: skip
    return chance.pick(nouns) if nouns else noun


@cache
def _below(noun: str) -> tuple[str, ...]:
    """Concepts right below a noun."""
    return tuple(n.id for n in lexicon().nouns.values() if n.parent == noun and n.field in FIELDS)


def same_frame(subject: str, object: str) -> tuple[str, ...]:
    """Everyday verbs that can be said of both."""
    others = _said_of(object)
    return tuple(verb for verb in _said_by(subject) if verb in others)


@cache
def _said_by(subject: str) -> tuple[str, ...]:
    words = lexicon()
    return tuple(v for v in words.verbs_of(("general", *FIELDS), True) if words.fits(subject, words.verbs[v].kinds))


@cache
def _said_of(object: str) -> frozenset[str]:
    words = lexicon()
    verbs = words.verbs_of(("general", *FIELDS), True)
    return frozenset(verb for verb in verbs if words.fits(object, words.verbs[verb].objects))
