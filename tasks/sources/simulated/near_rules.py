"""Rules of grammar that two neighbouring words can break: what is drawn for each, and its right and wrong sentences."""

from __future__ import annotations

from dataclasses import replace

from tasks.sources.simulated.chance import Chance
from tasks.sources.simulated.clause import Token, Tokens, fixed, realise
from tasks.sources.simulated.compose import Domain, describe
from tasks.sources.simulated.judged import (
    STUFF,
    STYLE,
    Judged,
    about,
    countable,
    drawn,
    gradable,
    in_other_number,
    simple_fact,
    timed,
    verbs_of,
)
from tasks.sources.simulated.lexicon import lexicon
from tasks.sources.simulated.meaning import Entity, Proposition, Tense
from tasks.sources.simulated.morphology import past, third_person

SINGULAR, PLURAL = ("a", "every", "this", "another"), ("many", "most", "these", "several")  # none of them bare: "cake"
CASES = {"I": "me", "we": "us", "he": "him", "she": "her", "they": "them"}


# --- the number of a noun against its determiner: "every dogs", "most dog" ---


def draw_number(domain: Domain, chance: Chance) -> Judged:
    many, plain = chance.flip(0.5), simple_fact(domain, chance)
    verb, quantity = lexicon().verbs[plain.verb], chance.pick(PLURAL if many else SINGULAR)
    if countable(verb.objects, domain.fields) and chance.flip(0.4):
        return Judged(replace(plain, object=_marked(verb.objects, domain, chance, quantity)), "", form="object number")
    return Judged(replace(plain, subject=_marked(verb.kinds, domain, chance, quantity)), "")


def _marked(kinds: tuple[str, ...], domain: Domain, chance: Chance, quantity: str) -> Entity:
    thing = drawn(kinds, domain, chance, quantity in PLURAL, quantity)
    return replace(thing, quantity="several") if quantity == "most" and lexicon().fits(thing.noun, STUFF) else thing


def write_number(m: Judged, wrong: bool, chance: Chance) -> Tokens:
    tokens = realise(replace(m.proposition, time=""), STYLE, chance)
    nouns = [position for position, token in enumerate(tokens) if token.tag == "noun"]
    return timed(in_other_number(tokens, nouns[-1 if m.form else 0], wrong), m, chance)


# --- the form of the verb after an auxiliary, and without one: "did barked", "the dog bark" ---


def draw_form(domain: Domain, chance: Chance) -> Judged:
    tense: Tense = chance.pick(("past", "past", "past", "present"))
    fact = simple_fact(domain, chance, tense=tense)
    subject = drawn(lexicon().verbs[fact.verb].kinds, domain, chance, False, "the")
    helped = chance.pick(("", "", "not", "modal"))
    fact = replace(fact, subject=subject, negated=helped == "not", time=fact.time if tense == "past" else "")
    if helped == "modal":
        fact = replace(fact, modal=chance.pick(("will", "might", "must", "should")), time="")
    return Judged(fact, "")


def write_form(m: Judged, wrong: bool, chance: Chance) -> Tokens:
    tokens = realise(replace(m.proposition, time=""), STYLE, chance)
    at = next(position for position, token in enumerate(tokens) if token.tag == "verb")
    word = tokens[at].word
    assert word is not None
    if wrong and tokens[at].form == "base":
        inflected = past(word) if m.proposition.tense == "past" else third_person(word)
        tokens = (*tokens[:at], replace(tokens[at], text=inflected), *tokens[at + 1 :])
    elif wrong:
        tokens = (*tokens[:at], replace(tokens[at], text=word.base), *tokens[at + 1 :])
    return timed(tokens, m, chance)


# --- the order of adjective, noun, determiner, auxiliary: "the dog old barked" ---


def draw_order(domain: Domain, chance: Chance) -> Judged:
    fact = simple_fact(domain, chance)
    subject = drawn(lexicon().verbs[fact.verb].kinds, domain, chance, chance.flip(0.3), chance.pick(("the", "our")))
    quality = describe(subject, domain, chance)
    if not quality:
        return draw_order(domain, chance)
    return Judged(replace(fact, subject=replace(subject, qualities=(quality,))), "")


def write_order(m: Judged, wrong: bool, chance: Chance) -> Tokens:
    tokens = list(realise(replace(m.proposition, time=""), STYLE, chance))
    if wrong:
        tags = [token.tag for token in tokens]
        places = [0, 1] + [at for at in range(2, len(tokens) - 1) if tags[at : at + 2] in (
            ["auxiliary", "verb"], ["auxiliary", "negation"], ["determiner", "noun"]) and tokens[at].text != "most"
        ]  # "remembered girls most" is right  # fmt: skip
        at = chance.pick(places)
        tokens[at], tokens[at + 1] = tokens[at + 1], tokens[at]
    return timed(tuple(tokens), m, chance)


# --- the case of a pronoun: "him saw the dog", "the dog saw he" ---


def draw_case(domain: Domain, chance: Chance) -> Judged:
    pronoun, person = Entity(chance.pick(tuple(CASES)), "pronoun"), drawn(("person",), domain, chance, False, "the")
    verb = chance.pick(verbs_of(domain.fields, "personal"))
    ends = (pronoun, person) if chance.flip(0.5) else (person, pronoun)
    return Judged(about(ends[0], verb, ends[1], chance), "")


def write_case(m: Judged, wrong: bool, chance: Chance) -> Tokens:
    tokens = realise(replace(m.proposition, time=""), STYLE, chance)
    other_case = CASES | {objective: subjective for subjective, objective in CASES.items()}
    if wrong:
        tokens = tuple(replace(t, text=other_case[t.text]) if t.tag == "pronoun" else t for t in tokens)
    return timed(tokens, m, chance)


# --- comparisons: "bigger than", "as big as" against "big than", "as bigger as" ---


def draw_comparison(domain: Domain, chance: Chance) -> Judged:
    subject = drawn(chance.pick((("person",), ("animal",), ("vehicle",), ("building",), ("garment",))), domain, chance,
                     chance.flip(0.3), "the", plain=True)  # fmt: skip
    quality = describe(subject, domain, chance)
    than = replace(subject, noun=drawn((lexicon().hypernyms(subject.noun)[-1],), domain, chance, False, "the").noun)
    fitting = quality and quality in gradable() and lexicon().fits(than.noun, lexicon().adjectives[quality].kinds)
    if not fitting or than.noun == subject.noun:
        return draw_comparison(domain, chance)
    tense: Tense = chance.pick(("past", "present"))
    return Judged(
        Proposition(subject, "be", quality=quality, than=than, tense=tense), "", form=chance.pick(("than", "as"))
    )


def write_comparison(m: Judged, wrong: bool, chance: Chance) -> Tokens:
    tokens = realise(m.proposition, STYLE, chance)
    at = next(position for position, token in enumerate(tokens) if token.form == "comparative")
    word = tokens[at].word
    assert word is not None
    compared = tokens[at] if (m.form == "than") != wrong else Token(word.base, "adjective", word, "positive")
    if m.form == "than":
        return (*tokens[:at], compared, *tokens[at + 1 :])
    return (*tokens[:at], *fixed("as"), compared, *fixed("as"), *tokens[at + 2 :])
