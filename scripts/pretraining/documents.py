"""Unlabelled text of the simulated language for pretraining: passages, definitions, opinions, talk, pairs of texts.

The general grammar generates it over all fields and registers. It uses no mechanism and no label of a task. The
relation of a pair of texts follows from their propositions alone.
"""

from __future__ import annotations

from dataclasses import replace
from functools import cache

from pretraining.pairs import VIEWS, inquiry, pair, views
from pretraining.passages import Document, draw_field, passage, statements
from tasks.sources.simulated.acts import Act, Force, request, utter
from tasks.sources.simulated.chance import Chance
from tasks.sources.simulated.clause import Token, Tokens, fixed, realise
from tasks.sources.simulated.compose import Domain, entity, proposition
from tasks.sources.simulated.lexicon import ROOTS, Concept, Word, lexicon
from tasks.sources.simulated.meaning import Entity, Proposition
from tasks.sources.simulated.morphology import article, comparative
from tasks.sources.simulated.registers import style_of, write
from tasks.sources.simulated.text import sentence

FORCES: tuple[Force, ...] = ("state", "urge", "ask", "thank", "apologise")
SHARES = {"passage": 19, "pair": 40, "inquiry": 12, "views": 8, "definition": 7, "opinion": 10, "talk": 4}


def document(seed: int, index: int) -> Document:
    """The document with a given index. It depends on seed and index alone."""
    chance = Chance(seed, "corpus", index)
    kind = chance.weighted(tuple(SHARES), tuple(SHARES.values()))
    if kind == "passage":
        return passage(chance, chance.between(1, 4))
    if kind == "definition":
        return Document(" ".join(definition(chance) for _ in range(chance.between(1, 3))))
    return {"pair": pair, "inquiry": inquiry, "views": views, "opinion": opinion, "talk": talk}[kind](chance)


def definition(chance: Chance) -> str:
    """A sentence about the meaning of a word: a hypernym, a synonym, an opposite, a use or a comparison."""
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
    """Sentences that evaluate something in the same direction; some deny the opposite, some have a contrast."""
    words, sign = lexicon(), chance.pick((-1, 1))
    domain = Domain((draw_field(chance),), names=0.1)
    subject = entity(("work", "service", "device", "food", "event", "person"), domain, chance, quantity="the")
    clauses: list[Tokens] = []
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
            clauses.append((*realise(other, style, chance), Token(",", "punctuation"), Token("but", "conjunction"),
                         *realise(pronoun, style, chance)))  # fmt: skip
        else:
            clauses.append(realise(judged, style, chance))
        if denied and chance.flip(0.5):  # "I doubt that it is bad" for "it is not bad"
            clause = realise(replace(judged, negated=False), replace(style, fronting=0.0, cleft=0.0), chance)
            clauses[-1] = (*fixed(chance.pick(VIEWS[-1])), *clause)
    if chance.flip(0.6) or not clauses:
        verbs = [verb for verb in _judging(sign) if words.fits(subject.noun, verb.objects)]
        if verbs:
            felt = Proposition(Entity("I", "pronoun"), chance.pick(verbs).id, subject, tense="past")
            clauses.append(realise(felt, style, chance))
            meant.append(felt)
    if not clauses:
        meant = [proposition(domain, chance)]
        clauses = [realise(meant[0], style, chance)]
    register = chance.pick(("review", "tweet", "plain"))
    return Document(write(register, clauses, chance, domain.fields[0]), told=tuple(meant))


def talk(chance: Chance) -> Document:
    """Speech acts between statements: requests, questions, thanks, apologies."""
    field, register = draw_field(chance), chance.pick(("tweet", "sms", "plain", "speech"))
    style = style_of(register)
    said = []
    told = statements(field, chance, chance.between(1, 3))
    for p in told:
        force = chance.pick(FORCES)
        able = lexicon().is_a(p.subject.noun, "person") and p.verb != "be"
        said.append(utter(Act(force, request(p, chance)), style, chance) if able else realise(p, style, chance))
    return Document(write(register, said, chance, field.replace("_", " ")), told=tuple(told))


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
    """Verbs with which a person says something good (sign 1) or bad (sign -1) about the object."""
    verbs = lexicon().verbs.values()
    return tuple(v for v in verbs if v.value * sign > 0 and v.objects and lexicon().fits("person", v.kinds))
