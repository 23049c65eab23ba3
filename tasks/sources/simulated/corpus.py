"""Unlabelled text of the small language, for pretraining: passages, definitions, questions with answers, retellings.

Drawn from the general grammar over all fields and registers. No mechanism of a task is involved and no label: what a
pair of texts has to do with each other is said of their propositions alone.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cache
from typing import Literal

from tasks.sources.simulated.acts import Act, Force, request, utter
from tasks.sources.simulated.chance import Chance
from tasks.sources.simulated.clause import Token, Tokens, fixed, question, realise
from tasks.sources.simulated.compose import EVERYDAY, Domain, describe, entity, proposition
from tasks.sources.simulated.lexicon import ROOTS, Concept, Word, lexicon
from tasks.sources.simulated.logic import entails
from tasks.sources.simulated.meaning import TIMES, Entity, Proposition
from tasks.sources.simulated.morphology import article, comparative
from tasks.sources.simulated.registers import STYLES, style_of, write
from tasks.sources.simulated.text import sentence

Bond = Literal["retold", "implied", "changed", "continued", "other"]
BONDS: tuple[Bond, ...] = ("retold", "implied", "changed", "continued", "other")
REGISTERS = tuple(STYLES)
LINKS = ("and", "but", "because", "so", "while", "when")
PERSONS = ("I", "I", "we", "you", "they")
FORCES: tuple[Force, ...] = ("state", "urge", "ask", "thank", "apologise")
REPORTS = (
    "I think that", "I heard that", "I am sure that", "it is clear that", "it seems that", "they say that",
    "some say that", "nobody can deny that", "I doubt that", "it is not true that", "it is said that",
    "the report says that", "he believes that", "she does not believe that", "everybody knows that",
    "it turned out that", "do you know whether",
)  # fmt: skip
INTRODUCED = ("although", "because", "when", "while", "after", "before")


@dataclass(frozen=True)
class Document:
    """One text, or two and their bond.

    Attributes:
        bond: `retold`: the same propositions in other words; `implied`: less of the same, in more general terms;
            `changed`: one part of one proposition differs; `continued`: more about the same field; `other`: of another
            field; None for a single text.
        told: What the text says, where that is propositions; of an opinion, what it comes to.
    """

    text: str
    text_b: str | None = None
    bond: Bond | None = None
    told: tuple[Proposition, ...] = ()
    told_b: tuple[Proposition, ...] = ()


def document(seed: int, index: int) -> Document:
    """The document at a place; it depends on seed and index alone."""
    chance = Chance(seed, "corpus", index)
    kinds = ("passage", "pair", "definition", "question", "opinion", "talk")
    kind = chance.weighted(kinds, (28, 42, 8, 8, 9, 5))
    if kind == "passage":
        return passage(chance, chance.between(1, 4))
    if kind == "definition":
        return Document(" ".join(definition(chance) for _ in range(chance.between(1, 3))))
    if kind == "question":
        return _question(chance)
    if kind == "opinion":
        return opinion(chance)
    if kind == "talk":
        return talk(chance)
    return _pair(chance)


def passage(chance: Chance, sentences: int) -> Document:
    """Some sentences about one field in one register."""
    field, register = _field(chance), chance.pick(REGISTERS)
    told = _statements(field, chance, sentences)
    return Document(_tell(told, register, chance, field), told=tuple(told))


def definition(chance: Chance) -> str:
    """What a word means: a hypernym, a synonym, an opposite, what something can do or be."""
    words = lexicon()
    kind = chance.pick(("hypernym", "synonym", "opposite", "use", "degree"))
    if kind == "hypernym":
        noun = words.nouns[chance.pick(words.nouns_of(ROOTS))]
        above = chance.pick(words.hypernyms(noun.id))
        one, other = chance.pick(noun.words).base, words.nouns[above].words[0].base
        phrase = chance.pick(("{} is a kind of {}.", "every {1} is {3}.", "{} and other {} can differ."))
        if phrase.startswith("{} and") or noun.mass:
            return f"{one} is a kind of {other}.".capitalize()
        if "1" in phrase:
            return f"Every {one} is {article(other)} {other}."
        return f"{article(one).capitalize()} {one} is a kind of {other}."
    if kind == "synonym":
        one, other = (word.base for word in chance.sample(chance.pick(_synonyms()), 2))
        return chance.pick((f'"{one}" means the same as "{other}".', f"{one}, that is to say, {other}."))
    if kind == "opposite":
        adjective = chance.pick(_opposites())
        one, other = chance.pick(adjective.words).base, words.adjectives[adjective.antonym].words[0].base
        return chance.pick((f"The opposite of {one} is {other}.", f"What is {one} is not {other}.",
                            f"Not {one} but {other}."))  # fmt: skip
    if kind == "degree":
        thing = chance.pick(words.nouns_of(("person", "animal", "device", "work", "food", "building")))
        fitting = words.adjectives_of(thing)
        word = (
            chance.pick(words.adjectives[chance.pick(fitting)].words) if fitting else words.adjectives["new"].words[0]
        )
        return f"One {thing} can be {comparative(word)} than another."
    verb = chance.pick(tuple(words.verbs.values()))
    subject = entity(verb.kinds, Domain(names=0, quality=0), chance, quantity="a")
    object = entity(verb.objects, Domain(names=0, quality=0), chance, quantity="a") if verb.objects else None
    able = Proposition(subject, verb.id, object, tense="present", modal="can")
    return sentence(realise(able, style_of("plain"), chance))


def opinion(chance: Chance) -> Document:
    """Some sentences whose evaluations point the same way, with denials of the opposite and a contrast now and then."""
    words, sign = lexicon(), chance.pick((-1, 1))
    domain = Domain((_field(chance),), names=0.1)
    subject = entity(("work", "service", "device", "food", "event", "person"), domain, chance, quantity="the")
    told: list[Tokens] = []
    meant: list[Proposition] = []
    style = style_of("review")
    for _ in range(chance.between(1, 3)):
        denied = chance.flip(0.3)
        fitting = words.adjectives_of(subject.noun, (), -sign if denied else sign)
        if not fitting:
            break
        judged = Proposition(
            subject, "be", quality=chance.pick(fitting), degree=chance.pick(("", "", "very", "really", "quite")),
            negated=denied, tense=chance.pick(("past", "present")))  # fmt: skip
        meant.append(judged)
        if chance.flip(0.35):
            against = words.adjectives_of(subject.noun, (), sign if denied else -sign)
            other = Proposition(subject, "be", quality=chance.pick(against or fitting), tense=judged.tense)
            pronoun = replace(judged, subject=Entity("it", "pronoun"))
            told.append((*realise(other, style, chance), Token(",", "punctuation"), Token("but", "conjunction"),
                         *realise(pronoun, style, chance)))  # fmt: skip
        else:
            told.append(realise(judged, style, chance))
    if chance.flip(0.6) or not told:
        verbs = [verb for verb in _judging(sign) if words.fits(subject.noun, verb.objects)]
        if verbs:
            felt = Proposition(Entity("I", "pronoun"), chance.pick(verbs).id, subject, tense="past")
            told.append(realise(felt, style, chance))
            meant.append(felt)
    if not told:
        meant = [proposition(domain, chance)]
        told = [realise(meant[0], style, chance)]
    register = chance.pick(("review", "tweet", "plain"))
    return Document(write(register, told, chance, domain.fields[0]), told=tuple(meant))


def talk(chance: Chance) -> Document:
    """Some speech acts, to everybody or to somebody: requests, questions, thanks, apologies between statements."""
    field, register = _field(chance), chance.pick(("tweet", "sms", "plain", "speech"))
    style = style_of(register)
    said = []
    told = _statements(field, chance, chance.between(1, 3))
    for p in told:
        force = chance.pick(FORCES)
        able = lexicon().is_a(p.subject.noun, "person") and p.verb != "be"
        said.append(utter(Act(force, request(p, chance)), style, chance) if able else realise(p, style, chance))
    return Document(write(register, said, chance, field.replace("_", " ")), told=tuple(told))


def implied(p: Proposition, chance: Chance) -> Proposition:
    """Something weaker that the proposition implies: fewer details, and more general nouns where it is affirmed."""
    weaker = replace(p, time=p.time if chance.flip(0.3) else "", place=p.place if chance.flip(0.3) else "", degree="")
    if p.negated or "no" in (p.subject.quantity, p.object.quantity if p.object else ""):
        return weaker if entails(p, weaker) else p
    weaker = replace(weaker, subject=_wider(p.subject, chance), object=p.object and _wider(p.object, chance))
    return weaker if entails(p, weaker) else p


def changed(p: Proposition, domain: Domain, chance: Chance) -> Proposition:
    """The proposition with one part of it another: denied, turned round, or with another participant, time or place."""
    words = lexicon()
    ways = ["deny", "verb"]
    if p.object is not None and p.verb != "be" and words.fits(p.object.noun, words.verbs[p.verb].kinds):
        ways += ["swap"] * 2 if words.fits(p.subject.noun, words.verbs[p.verb].objects) else []
    ways += ["object"] if p.object is not None and p.verb != "be" else []
    ways += ["time"] if p.time else []
    way = chance.pick(ways)
    if way == "swap" and p.object is not None:
        return replace(p, subject=p.object, object=p.subject)
    if way == "object" and p.object is not None:
        return replace(p, object=replace(entity(words.verbs[p.verb].objects, domain, chance, other_than=p.object.noun)))
    if way == "time":
        return replace(p, time=chance.pick([time for time in TIMES[p.tense] if time != p.time]))
    if way == "verb" and p.verb == "be" and p.quality:
        opposite = words.adjectives[p.quality].antonym
        return replace(p, quality=opposite or describe(p.subject, domain, chance) or p.quality)
    if way == "verb" and p.verb != "be":
        other = proposition(domain, chance, subject=p.subject, object=p.object, tense=p.tense, negated=p.negated)
        if other.verb != p.verb:
            return replace(other, time=p.time, place=p.place)
    return replace(p, negated=not p.negated)


def _pair(chance: Chance) -> Document:
    bond = chance.weighted(BONDS, (44, 16, 24, 10, 6))
    field, register = _field(chance), chance.pick(REGISTERS)
    first = told = _statements(field, chance, chance.between(1, 2))
    text = _tell(told, register, chance, field)
    domain = Domain((field,))
    if bond == "implied":
        told = [implied(p, chance) for p in (told if chance.flip(0.5) else chance.sample(told, 1))]
    elif bond == "changed":
        position = chance.below(len(told))
        told = [changed(p, domain, chance) if i == position else p for i, p in enumerate(told)]
    elif bond == "continued":
        told = _statements(field, chance, len(told))
    elif bond == "other":
        field = _field(chance)
        told = _statements(field, chance, len(told))
    if len(told) == 2 and chance.flip(0.2):
        told = told[::-1]
    second = register if chance.flip(0.6) else chance.pick(REGISTERS)
    return Document(text, _tell(told, second, chance, field), bond, tuple(first), tuple(told))


def _question(chance: Chance) -> Document:
    field = _field(chance)
    p = proposition(Domain((field,), negation=0, time=0.6, place=0.5, copula=0), chance)
    asked = [part for part, there in (("subject", True), ("object", p.object), ("place", p.place), ("time", p.time)) if
             there]  # fmt: skip
    style = style_of("plain")
    text = sentence(question(p, chance.pick(asked), style, chance), "?")
    others = _statements(field, chance, chance.between(0, 1))
    told = [p, *others] if chance.flip(0.5) else [*others, p]
    return Document(text, _tell(told, "plain", chance, field), told=(p,), told_b=tuple(told))


def _wider(entity: Entity, chance: Chance) -> Entity:
    """The same thing in more general terms: a hypernym that says more than the mere kind, or fewer qualities."""
    above = [noun for noun in lexicon().hypernyms(entity.noun) if lexicon().nouns[noun].parent]
    fewer = entity.qualities if chance.flip(0.4) else ()
    noun = chance.pick(above) if above and entity.quantity != "name" and chance.flip(0.6) else entity.noun
    return replace(entity, noun=noun, qualities=fewer)


def _statements(field: str, chance: Chance, n: int) -> list[Proposition]:
    domain = Domain((field,), general=chance.pick((0.15, 0.4)))
    speaker = Entity(chance.pick(PERSONS), "pronoun") if chance.flip(0.25) else None
    told = [proposition(domain, chance, subject=speaker)]
    while len(told) < n:
        before = told[-1].subject
        again = replace(before, quantity="the") if before.quantity in ("a", "some", "the") else before
        told.append(proposition(domain, chance, subject=again if chance.flip(0.4) else None))
    return told


def _tell(told: list[Proposition], register: str, chance: Chance, topic: str) -> str:
    style = style_of(register)
    joined = len(told) > 1 and register != "headline" and chance.flip(0.4)
    plain = replace(style, fronting=0.0) if joined else style  # "when, last week, ..." helps nobody
    clauses = [realise(p, plain if position < 2 else style, chance) for position, p in enumerate(told)]
    clauses = [(*fixed(chance.pick(REPORTS)), *clause) if plain.cleft and chance.flip(0.12) else clause
               for clause in clauses]  # fmt: skip
    if joined:
        clauses[:2] = [_joined(clauses[0], clauses[1], chance)]
    return write(register, clauses, chance, topic.replace("_", " "))


def _joined(first: Tokens, second: Tokens, chance: Chance) -> Tokens:
    if chance.flip(0.3):
        return (Token(chance.pick(INTRODUCED), "conjunction"), *first, Token(",", "punctuation"), *second)
    return (*first, Token(",", "punctuation"), Token(chance.pick(LINKS), "conjunction"), *second)


def _field(chance: Chance) -> str:
    return chance.pick(EVERYDAY) if chance.flip(0.2) else chance.pick(lexicon().fields)


@cache
def _synonyms() -> tuple[tuple[Word, ...], ...]:
    words = lexicon()
    concepts = (c for table in (words.nouns, words.verbs, words.adjectives) for c in table.values())
    return tuple(concept.words for concept in concepts if len(concept.words) > 1)


@cache
def _opposites() -> tuple[Concept, ...]:
    return tuple(adjective for adjective in lexicon().adjectives.values() if adjective.antonym)


@cache
def _judging(sign: int) -> tuple[Concept, ...]:
    """Verbs by which a person says something good, or bad, of their object."""
    verbs = lexicon().verbs.values()
    return tuple(v for v in verbs if v.value * sign > 0 and v.objects and lexicon().fits("person", v.kinds))
