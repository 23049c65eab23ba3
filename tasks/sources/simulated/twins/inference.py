"""Textual inference: whether a hypothesis follows from a premise, is excluded by it, or neither (MNLI, RTE).

The hypothesis is drawn first and knows nothing of the class; the premise is made for it, out of edits that turn up
under every class: the same thing more or less closely described, denied or not, turned round, of opposites, counted.
What follows is then asked of the logic alone.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cache

from tasks.sources.simulated.chance import Chance
from tasks.sources.simulated.clause import realise
from tasks.sources.simulated.compose import Domain, describe, draw_place, entity, proposition
from tasks.sources.simulated.lexicon import lexicon
from tasks.sources.simulated.logic import SPECIFIC, UNIVERSAL, Relation, contradicts, denials, relation
from tasks.sources.simulated.meaning import TIMES, Proposition, Tense
from tasks.sources.simulated.registers import style_of, write
from tasks.sources.simulated.text import sentence
from tasks.sources.simulated.twin import twin_of

FIELDS = ("people", "animals", "food", "home", "clothes", "school", "work", "travel", "places")
SYMMETRIC = ("meet", "marry", "resemble", "hug", "swap")  # turned round they say the same
COUNTED = ("some", "every", "most", "several", "no")
SORTS = ("deed", "quality", "comparison", "quantity")
TRIES = 60
OTHERWISE: tuple[Relation, ...] = ("neutral", "contradiction")
RELATIONS: dict[str, Relation] = {"entailment": "entailment", "neutral": "neutral", "contradiction": "contradiction"}
MOSTLY_PAST: tuple[Tense, ...] = ("past", "past", "past", "present")


@dataclass(frozen=True)
class Pair:
    """A text of some statements, and a statement that may follow from it."""

    premises: tuple[Proposition, ...]
    hypothesis: Proposition
    field: str


@dataclass(frozen=True)
class Inference:
    """What follows from what.

    Attributes:
        labels: Of three classes entailment, contradiction and neutral; of two entailment and not_entailment.
        registers: How premises are written.
        test_registers: How those of validation and test are written, where these differ.
        others: Fewest and most statements beside the one that matters.
        sorts: Weights of `SORTS`.
    """

    labels: tuple[str, ...]
    shares: tuple[float, ...]
    space: str
    registers: tuple[str, ...]
    test_registers: tuple[str, ...] = ()
    fields: tuple[str, ...] = FIELDS
    others: tuple[int, int] = (1, 2)
    sorts: tuple[float, ...] = (5, 2, 1, 2)

    def draw(self, chance: Chance) -> Pair:
        name = chance.weighted(self.labels, self.shares)
        wanted = chance.pick(OTHERWISE) if name == "not_entailment" else RELATIONS[name]
        field = chance.pick(self.fields)
        domain = Domain((field,), general=0.45, negation=0.25, quality=0.4, place=0.35, time=0.5, tenses=(3, 1, 0))
        for _ in range(TRIES):
            hypothesis = _hypothesis(chance.weighted(SORTS, self.sorts), domain, chance)
            if hypothesis is None:
                continue
            for _ in range(4):
                premise = _premise(hypothesis, wanted, domain, chance)
                if relation(premise, hypothesis) == wanted:
                    told = [_beside(premise, hypothesis, domain, chance) for _ in range(chance.between(*self.others))]
                    told.insert(chance.between(0, len(told)), premise)
                    return Pair(tuple(told), hypothesis, field)
        raise RuntimeError(f"no {wanted} found in {field}")

    def label(self, meaning: Pair) -> float:
        found = _relation(meaning)
        return self.labels.index(found if found in self.labels else "not_entailment")

    def write(self, meaning: Pair, chance: Chance, split: str) -> tuple[str, str | None]:
        register = chance.pick(self.test_registers if split != "train" and self.test_registers else self.registers)
        style = replace(style_of(register), cleft=0.0)
        text = write(register, [realise(p, style, chance) for p in meaning.premises], chance, meaning.field)
        return text, sentence(realise(meaning.hypothesis, replace(style_of("plain"), cleft=0.0), chance))


def _relation(pair: Pair) -> Relation:
    found = [relation(premise, pair.hypothesis) for premise in pair.premises]
    return "entailment" if "entailment" in found else "contradiction" if "contradiction" in found else "neutral"


def _hypothesis(sort: str, domain: Domain, chance: Chance) -> Proposition | None:
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


def _premise(h: Proposition, wanted: Relation, domain: Domain, chance: Chance) -> Proposition:
    """A premise that may well have the wanted relation: the caller checks."""
    if h.than is not None:
        return _compared(h, wanted, domain, chance)
    if h.verb == "be":
        return _described(h, wanted, domain, chance)
    if h.subject.quantity not in SPECIFIC:
        return _counted(h, wanted, domain, chance)
    if wanted == "neutral":
        p = _elsewise(h, domain, chance) if chance.flip(0.55) else _nearer(h, h.negated, domain, chance)
        return replace(p, negated=not p.negated) if chance.flip(0.5) else p
    denied = h.negated == (wanted == "entailment")
    return replace(_nearer(h, not denied, domain, chance), negated=denied)


def _nearer(p: Proposition, closely: bool, domain: Domain, chance: Chance) -> Proposition:
    """The same said more closely, or more widely; now and then just the same."""
    for _ in range(chance.weighted((0, 1, 2), (2, 5, 3))):
        p = _closer(p, domain, chance) if closely else _wider(p, chance)
    return p


def _closer(p: Proposition, domain: Domain, chance: Chance, nouns: bool = True) -> Proposition:
    way = chance.pick(("place", "time", "object", "quality", "object", "subject"))
    if way == "place" and not p.place:
        return replace(p, place=draw_place(domain, chance))
    if way == "time" and not p.time:
        return replace(p, time=chance.pick(TIMES[p.tense]))
    part = p.subject if way == "subject" or p.object is None else p.object
    if way != "quality" and nouns:
        narrower = _below(part.noun)
        if narrower and part.quantity != "name":
            part = replace(part, noun=chance.pick(narrower), qualities=())
    elif not part.qualities and part.quantity != "name":
        quality = describe(part, domain, chance)
        part = replace(part, qualities=(quality,)) if quality else part
    return replace(p, subject=part) if way == "subject" or p.object is None else replace(p, object=part)


def _wider(p: Proposition, chance: Chance) -> Proposition:
    way = chance.pick(("place", "time", "object", "quality", "object"))
    if way == "place" or (way == "time" and not p.time):
        return replace(p, place="")
    if way == "time":
        return replace(p, time="")
    if p.object is None or p.object.quantity not in ("a", "some", "no"):
        return p
    objects = lexicon().verbs[p.verb].objects
    wider = [noun for noun in lexicon().hypernyms(p.object.noun) if lexicon().fits(noun, objects)]
    if way == "object" and wider:
        return replace(p, object=replace(p.object, noun=chance.pick(wider), qualities=()))
    return replace(p, object=replace(p.object, qualities=()))


def _elsewise(p: Proposition, domain: Domain, chance: Chance) -> Proposition:
    """Another deed, or the same of others, in mostly the same words."""
    words, verb = lexicon(), lexicon().verbs[p.verb]
    if p.object is not None and p.verb not in SYMMETRIC and p.object.quantity in SPECIFIC and words.fits(
            p.object.noun, verb.kinds) and words.fits(p.subject.noun, verb.objects):  # fmt: skip
        return replace(p, subject=p.object, object=p.subject)
    if chance.flip(0.35) and p.object is not None:
        return replace(p, object=replace(p.object, noun=_other(verb.objects, p.object.noun, chance), qualities=()))
    if chance.flip(0.5) or p.object is None:
        return replace(p, subject=entity(verb.kinds, domain, chance, quantity="the", other_than=p.subject.noun))
    same = same_frame(p.subject.noun, p.object.noun)
    return replace(p, verb=chance.pick([v for v in same if v != p.verb] or [p.verb]))


def _described(h: Proposition, wanted: Relation, domain: Domain, chance: Chance) -> Proposition:
    opposite = lexicon().adjectives[h.quality].antonym
    degree = chance.pick(("", "", "very", "really", "quite"))
    if wanted == "neutral":
        if chance.flip(0.6):
            return replace(h, quality=opposite, negated=True)
        others = [a for a in lexicon().adjectives_of(h.subject.noun) if a not in (h.quality, opposite)]
        return replace(h, quality=chance.pick(others), negated=chance.flip(0.5)) if others else h
    p = chance.pick((replace(h, negated=h.negated == (wanted == "entailment")),
                     replace(h, quality=opposite, negated=False), replace(h, negated=False)))  # fmt: skip
    p = p if p.negated else replace(p, degree=degree)
    return _closer(p, domain, chance) if chance.flip(0.4) else p


def _compared(h: Proposition, wanted: Relation, domain: Domain, chance: Chance) -> Proposition:
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
    p = chance.pick((h, replace(turned, quality=opposite), replace(h, quality=opposite), turned))
    return replace(p, negated=False) if chance.flip(0.8) else replace(p, negated=not p.negated)


def _counted(h: Proposition, wanted: Relation, domain: Domain, chance: Chance) -> Proposition:
    if wanted == "contradiction" and not h.subject.quantity.isdigit():
        p = chance.pick(denials(h))
        return replace(p, subject=replace(p.subject, quantity="every")) if (
            p.subject.quantity in ("a", "some") and h.subject.quantity == "no" and chance.flip(0.5)) else p  # fmt: skip
    quantity = chance.pick((*COUNTED, str(chance.between(2, 7)), h.subject.quantity))
    p = replace(h, subject=replace(h.subject, quantity=quantity))
    if h.subject.quantity in (*UNIVERSAL, "no") and wanted == "entailment":
        return _nearer(h, False, domain, chance) if h.subject.quantity == "no" else _nearer(h, True, domain, chance)
    if wanted == "neutral" and chance.flip(0.4):
        return _elsewise(h, domain, chance) if chance.flip(0.5) else _nearer(h, False, domain, chance)
    return _nearer(p, True, domain, chance) if chance.flip(0.5) else p


def _beside(premise: Proposition, h: Proposition, domain: Domain, chance: Chance) -> Proposition:
    """Another statement around the premise, often about the same one, which has nothing to say about the hypothesis."""
    if h.verb != "be" and chance.flip(0.25):  # the hypothesis' own words, of which something else is said
        told = _elsewise(h, domain, chance)
        if relation(told, h) == "neutral" and not contradicts(told, premise):
            return told
    again = h.subject.quantity in SPECIFIC and chance.flip(0.35)
    told = proposition(domain, chance, subject=replace(h.subject, qualities=()) if again else None, tense=h.tense)
    says = told.verb != "be" or told.quality  # "the mill was a building" says nothing
    return told if says and relation(told, h) == "neutral" else _beside(premise, h, domain, chance)


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


MNLI = Inference(
    labels=("contradiction", "entailment", "neutral"),
    shares=(0.33, 0.349, 0.321),
    space="mnli_m",
    registers=("article", "letter", "review"),
)
RTE = Inference(
    labels=("entailment", "not_entailment"), shares=(0.505, 0.495), space="rte", registers=("article",), others=(5, 5)
)
TWINS = (
    twin_of("mnli_m", MNLI),
    twin_of("mnli_mm", replace(MNLI, space="mnli_mm", test_registers=("speech", "forum", "forum", "tweet"))),
    twin_of("rte", RTE),
)
