"""Rules of grammar, and sentences that keep or break one of them.

Every rule comes in two halves that mirror each other, equally often ("every dog" and "most dogs" against "every dogs"
and "most dog"): so right and wrong sentences are made of the same words, and only their fit tells.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType

from tasks.sources.simulated.chance import Chance
from tasks.sources.simulated.clause import Token, Tokens, fixed, question, realise
from tasks.sources.simulated.compose import Domain, describe, entity, proposition
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
from tasks.sources.simulated.meaning import TIMES, Entity, Proposition, Tense
from tasks.sources.simulated.morphology import past, third_person

SINGULAR, PLURAL = ("a", "every", "this", "another"), ("many", "most", "these", "several")  # none of them bare: "cake"
CASES = {"I": "me", "we": "us", "he": "him", "she": "her", "they": "them"}
REFLEXIVES = ("himself", "herself", "themselves")
MALE = ("man", "boy", "father", "grandfather", "brother", "husband", "son", "uncle", "nephew", "king")
FEMALE = ("woman", "girl", "mother", "grandmother", "sister", "wife", "daughter", "aunt", "niece", "queen")
ASKERS = ("I know", "I wonder", "nobody knows", "we know", "they asked", "she told us", "we forgot", "he remembered")
CLEAR_TIMES: dict[Tense, tuple[str, ...]] = {  # "on Monday" goes with both tenses
    "past": tuple(time for time in TIMES["past"] if time.startswith(("last", "yester")) or time.endswith("ago")),
    "future": tuple(time for time in TIMES["future"] if time.startswith(("next", "tomor"))),
}


@dataclass(frozen=True)
class Rule:
    """A rule of grammar.

    Attributes:
        easy, hard: How often it is tested, in relation to others, at difficulty 0 and 1.
        draw: What is drawn for it.
        write: How that is said, rightly or wrongly.
    """

    easy: float
    hard: float
    draw: Callable[[Domain, Chance], Judged]
    write: Callable[[Judged, bool, Chance], Tokens]


# --- the number of a noun against its determiner: "every dogs", "most dog" ---


def _draw_number(domain: Domain, chance: Chance) -> Judged:
    many, plain = chance.flip(0.5), simple_fact(domain, chance)
    verb, quantity = lexicon().verbs[plain.verb], chance.pick(PLURAL if many else SINGULAR)
    if countable(verb.objects, domain.fields) and chance.flip(0.4):
        return Judged(replace(plain, object=_marked(verb.objects, domain, chance, quantity)), "", form="object number")
    return Judged(replace(plain, subject=_marked(verb.kinds, domain, chance, quantity)), "")


def _marked(kinds: tuple[str, ...], domain: Domain, chance: Chance, quantity: str) -> Entity:
    thing = drawn(kinds, domain, chance, quantity in PLURAL, quantity)
    return replace(thing, quantity="several") if quantity == "most" and lexicon().fits(thing.noun, STUFF) else thing


def _write_number(m: Judged, wrong: bool, chance: Chance) -> Tokens:
    tokens = realise(replace(m.proposition, time=""), STYLE, chance)
    nouns = [position for position, token in enumerate(tokens) if token.tag == "noun"]
    return timed(in_other_number(tokens, nouns[-1 if m.form else 0], wrong), m, chance)


# --- the verb agrees with its subject, whatever comes to stand between them ---


def _draw_agreement(domain: Domain, chance: Chance) -> Judged:
    kinds = chance.pick((("person",), ("person",), ("animal",), ("vehicle",), ("building",)))
    subject = drawn(kinds, domain, chance, chance.flip(0.5), "the", plain=True)
    quality = describe(subject, domain, chance)
    if quality and (chance.flip(0.5) or kinds[0] in ("vehicle", "building")):
        return Judged(Proposition(subject, "be", quality=quality, negated=chance.flip(0.2), tense=chance.pick(
            ("past", "present"))), "")  # fmt: skip
    fact = simple_fact(domain, chance, tense="present", subject=subject if kinds[0] == "person" else None)
    if kinds[0] != "person":
        subject = drawn(lexicon().verbs[fact.verb].kinds, domain, chance, subject.many, "the", plain=True)
    return Judged(replace(fact, subject=subject, negated=chance.flip(0.2)), "")


def _write_agreement(m: Judged, wrong: bool, chance: Chance) -> Tokens:
    tokens = realise(replace(m.proposition, time=""), STYLE, chance)
    verb = next(position for position, token in enumerate(tokens) if token.tag == "noun") + 1
    return in_other_number(tokens, verb, wrong)


# --- the form of the verb after an auxiliary, and without one: "did barked", "the dog bark" ---


def _draw_form(domain: Domain, chance: Chance) -> Judged:
    tense: Tense = chance.pick(("past", "past", "past", "present"))
    fact = simple_fact(domain, chance, tense=tense)
    subject = drawn(lexicon().verbs[fact.verb].kinds, domain, chance, False, "the")
    helped = chance.pick(("", "", "not", "modal"))
    fact = replace(fact, subject=subject, negated=helped == "not", time=fact.time if tense == "past" else "")
    if helped == "modal":
        fact = replace(fact, modal=chance.pick(("will", "might", "must", "should")), time="")
    return Judged(fact, "")


def _write_form(m: Judged, wrong: bool, chance: Chance) -> Tokens:
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


def _draw_order(domain: Domain, chance: Chance) -> Judged:
    fact = simple_fact(domain, chance)
    subject = drawn(lexicon().verbs[fact.verb].kinds, domain, chance, chance.flip(0.3), chance.pick(("the", "our")))
    quality = describe(subject, domain, chance)
    if not quality:
        return _draw_order(domain, chance)
    return Judged(replace(fact, subject=replace(subject, qualities=(quality,))), "")


def _write_order(m: Judged, wrong: bool, chance: Chance) -> Tokens:
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


def _draw_case(domain: Domain, chance: Chance) -> Judged:
    pronoun, person = Entity(chance.pick(tuple(CASES)), "pronoun"), drawn(("person",), domain, chance, False, "the")
    verb = chance.pick(verbs_of(domain.fields, "personal"))
    ends = (pronoun, person) if chance.flip(0.5) else (person, pronoun)
    return Judged(about(ends[0], verb, ends[1], chance), "")


def _write_case(m: Judged, wrong: bool, chance: Chance) -> Tokens:
    tokens = realise(replace(m.proposition, time=""), STYLE, chance)
    other_case = CASES | {objective: subjective for subjective, objective in CASES.items()}
    if wrong:
        tokens = tuple(replace(t, text=other_case[t.text]) if t.tag == "pronoun" else t for t in tokens)
    return timed(tokens, m, chance)


# --- what a verb takes: "the boy greeted", "the boy arrived the chair" ---


def _draw_argument(domain: Domain, chance: Chance) -> Judged:
    verb = chance.pick(verbs_of(domain.fields, chance.pick(("strict", "intransitive"))))
    fact = proposition(domain, chance, verb=verb, tense="past", negated=False)
    thing = entity(("garment", "device", "document", "person"), domain, chance, quantity="the")
    adverbial = fact.time.startswith(("on ", "in ")) or fact.time.endswith(" ago")  # "ignored last week" has an object
    return Judged(replace(fact, place="", time=fact.time if adverbial else ""), "",
                  other=None if fact.object else thing)  # fmt: skip


def _write_argument(m: Judged, wrong: bool, chance: Chance) -> Tokens:
    p = replace(m.proposition, time="")
    if wrong:
        p = replace(p, object=m.other)
    return timed(realise(p, STYLE, chance), m, chance)


# --- comparisons: "bigger than", "as big as" against "big than", "as bigger as" ---


def _draw_comparison(domain: Domain, chance: Chance) -> Judged:
    subject = drawn(chance.pick((("person",), ("animal",), ("vehicle",), ("building",), ("garment",))), domain, chance,
                     chance.flip(0.3), "the", plain=True)  # fmt: skip
    quality = describe(subject, domain, chance)
    than = replace(subject, noun=drawn((lexicon().hypernyms(subject.noun)[-1],), domain, chance, False, "the").noun)
    fitting = quality and quality in gradable() and lexicon().fits(than.noun, lexicon().adjectives[quality].kinds)
    if not fitting or than.noun == subject.noun:
        return _draw_comparison(domain, chance)
    tense: Tense = chance.pick(("past", "present"))
    return Judged(
        Proposition(subject, "be", quality=quality, than=than, tense=tense), "", form=chance.pick(("than", "as"))
    )


def _write_comparison(m: Judged, wrong: bool, chance: Chance) -> Tokens:
    tokens = realise(m.proposition, STYLE, chance)
    at = next(position for position, token in enumerate(tokens) if token.form == "comparative")
    word = tokens[at].word
    assert word is not None
    compared = tokens[at] if (m.form == "than") != wrong else Token(word.base, "adjective", word, "positive")
    if m.form == "than":
        return (*tokens[:at], compared, *tokens[at + 1 :])
    return (*tokens[:at], *fixed("as"), compared, *fixed("as"), *tokens[at + 2 :])


# --- reflexives: "the boy saw himself" against "the girl saw himself" ---


def _draw_reflexive(domain: Domain, chance: Chance) -> Judged:
    who = chance.below(3)
    noun = chance.pick((MALE, FEMALE, MALE + FEMALE)[who])
    subject = Entity(noun, chance.pick(("the", "our")), (), who == 2)
    verb = chance.pick(verbs_of(domain.fields, "personal"))
    return Judged(about(subject, verb, Entity(REFLEXIVES[who], "pronoun"), chance), "")


def _write_reflexive(m: Judged, wrong: bool, chance: Chance) -> Tokens:
    p, turn = replace(m.proposition, time=""), chance.between(1, 2)
    if wrong and p.object is not None:
        p = replace(p, object=replace(p.object, noun=REFLEXIVES[(REFLEXIVES.index(p.object.noun) + turn) % 3]))
    return timed(realise(p, STYLE, chance), m, chance)


# --- what is asked for is missing from its place: "what did the boy buy" against "what did the boy buy the car" ---


def _draw_gap(domain: Domain, chance: Chance) -> Judged:
    verb = chance.pick(verbs_of(domain.fields, "gap"))
    tense: Tense = chance.pick(("past", "past", "future"))
    fact = proposition(domain, chance, verb=verb, tense=tense, negated=False)
    return Judged(replace(fact, place="", time=""), "", form=chance.pick(("object", "whether")))


def _write_gap(m: Judged, wrong: bool, chance: Chance) -> Tokens:
    whole, gapped = (question(m.proposition, asked, STYLE, chance) for asked in ("whether", "object"))
    if m.form == "object":
        return (gapped[0], *whole) if wrong else gapped
    return gapped[1:] if wrong else whole


# --- inversion in direct, not in embedded questions: "where the dog slept?", "I know where did the dog sleep" ---


def _draw_inversion(domain: Domain, chance: Chance) -> Judged:
    tense: Tense = chance.pick(("past", "past", "future"))
    return Judged(
        replace(simple_fact(domain, chance, tense=tense), time=""), "", form=chance.pick(("direct", "embedded"))
    )


def _write_inversion(m: Judged, wrong: bool, chance: Chance) -> Tokens:
    asked = fixed(chance.pick(("where", "when", "why", "how")))
    inverted = (m.form == "direct") != wrong
    style = replace(STYLE, contractions=0)
    clause = question(m.proposition, "whether", style, chance) if inverted else realise(m.proposition, style, chance)
    start = fixed(chance.pick(ASKERS)) if m.form == "embedded" else ()
    return (*start, *asked, *clause)


# --- the time that is named goes with the tense: "will sleep yesterday" ---


def _draw_tense(domain: Domain, chance: Chance) -> Judged:
    tense: Tense = chance.pick(("past", "future"))
    return Judged(replace(simple_fact(domain, chance, tense=tense), time=chance.pick(CLEAR_TIMES[tense])), "")


def _write_tense(m: Judged, wrong: bool, chance: Chance) -> Tokens:
    tokens = realise(replace(m.proposition, time=""), STYLE, chance)
    if wrong:
        times = CLEAR_TIMES["past" if m.proposition.tense == "future" else "future"]
        m = replace(m, proposition=replace(m.proposition, time=chance.pick(times)))
    return timed(tokens, m, chance)


# First the rules that two neighbouring words can break; then those that need the subject of a verb, or what it takes.
RULES: Mapping[str, Rule] = MappingProxyType(
    {
        "number": Rule(3, 1, _draw_number, _write_number),
        "form": Rule(3, 1, _draw_form, _write_form),
        "order": Rule(3, 0.5, _draw_order, _write_order),
        "case": Rule(2, 0.5, _draw_case, _write_case),
        "comparison": Rule(2, 0.5, _draw_comparison, _write_comparison),
        "inversion": Rule(1, 1, _draw_inversion, _write_inversion),
        "tense": Rule(0.5, 2, _draw_tense, _write_tense),
        "agreement": Rule(0.5, 4, _draw_agreement, _write_agreement),
        "reflexive": Rule(0.5, 2.5, _draw_reflexive, _write_reflexive),
        "argument": Rule(0.5, 3.5, _draw_argument, _write_argument),
        "gap": Rule(0.5, 3.5, _draw_gap, _write_gap),
    }
)
