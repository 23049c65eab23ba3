"""Rules of grammar that span a clause: what is drawn for each, and its right and wrong sentences."""

from __future__ import annotations

from dataclasses import replace

from tasks.sources.simulated.chance import Chance
from tasks.sources.simulated.clause import Tokens, fixed, question, realise
from tasks.sources.simulated.compose import Domain, describe, entity, proposition
from tasks.sources.simulated.judged import (
    STYLE,
    Judged,
    about,
    drawn,
    in_other_number,
    simple_fact,
    timed,
    verbs_of,
)
from tasks.sources.simulated.lexicon import lexicon
from tasks.sources.simulated.meaning import TIMES, Entity, Proposition, Tense

REFLEXIVES = ("himself", "herself", "themselves")
MALE = ("man", "boy", "father", "grandfather", "brother", "husband", "son", "uncle", "nephew", "king")
FEMALE = ("woman", "girl", "mother", "grandmother", "sister", "wife", "daughter", "aunt", "niece", "queen")
ASKERS = ("I know", "I wonder", "nobody knows", "we know", "they asked", "she told us", "we forgot", "he remembered")
CLEAR_TIMES: dict[Tense, tuple[str, ...]] = {  # "on Monday" goes with both tenses
    "past": tuple(time for time in TIMES["past"] if time.startswith(("last", "yester")) or time.endswith("ago")),
    "future": tuple(time for time in TIMES["future"] if time.startswith(("next", "tomor"))),
}


# --- the verb agrees with its subject, whatever comes to stand between them ---


def draw_agreement(domain: Domain, chance: Chance) -> Judged:
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


def write_agreement(m: Judged, wrong: bool, chance: Chance) -> Tokens:
    tokens = realise(replace(m.proposition, time=""), STYLE, chance)
    verb = next(position for position, token in enumerate(tokens) if token.tag == "noun") + 1
    return in_other_number(tokens, verb, wrong)


# --- reflexives: "the boy saw himself" against "the girl saw himself" ---


def draw_reflexive(domain: Domain, chance: Chance) -> Judged:
    who = chance.below(3)
    noun = chance.pick((MALE, FEMALE, MALE + FEMALE)[who])
    subject = Entity(noun, chance.pick(("the", "our")), (), who == 2)
    verb = chance.pick(verbs_of(domain.fields, "personal"))
    return Judged(about(subject, verb, Entity(REFLEXIVES[who], "pronoun"), chance), "")


def write_reflexive(m: Judged, wrong: bool, chance: Chance) -> Tokens:
    p, turn = replace(m.proposition, time=""), chance.between(1, 2)
    if wrong and p.object is not None:
        p = replace(p, object=replace(p.object, noun=REFLEXIVES[(REFLEXIVES.index(p.object.noun) + turn) % 3]))
    return timed(realise(p, STYLE, chance), m, chance)


# --- what a verb takes: "the boy greeted", "the boy arrived the chair" ---


def draw_argument(domain: Domain, chance: Chance) -> Judged:
    verb = chance.pick(verbs_of(domain.fields, chance.pick(("strict", "intransitive"))))
    fact = proposition(domain, chance, verb=verb, tense="past", negated=False)
    thing = entity(("garment", "device", "document", "person"), domain, chance, quantity="the")
    adverbial = fact.time.startswith(("on ", "in ")) or fact.time.endswith(" ago")  # "ignored last week" has an object
    return Judged(replace(fact, place="", time=fact.time if adverbial else ""), "",
                  other=None if fact.object else thing)  # fmt: skip


def write_argument(m: Judged, wrong: bool, chance: Chance) -> Tokens:
    p = replace(m.proposition, time="")
    if wrong:
        p = replace(p, object=m.other)
    return timed(realise(p, STYLE, chance), m, chance)


# --- the time that is named goes with the tense: "will sleep yesterday" ---


def draw_tense(domain: Domain, chance: Chance) -> Judged:
    tense: Tense = chance.pick(("past", "future"))
    return Judged(replace(simple_fact(domain, chance, tense=tense), time=chance.pick(CLEAR_TIMES[tense])), "")


def write_tense(m: Judged, wrong: bool, chance: Chance) -> Tokens:
    tokens = realise(replace(m.proposition, time=""), STYLE, chance)
    if wrong:
        times = CLEAR_TIMES["past" if m.proposition.tense == "future" else "future"]
        m = replace(m, proposition=replace(m.proposition, time=chance.pick(times)))
    return timed(tokens, m, chance)


# --- what is asked for is missing from its place: "what did the boy buy" against "what did the boy buy the car" ---


def draw_gap(domain: Domain, chance: Chance) -> Judged:
    verb = chance.pick(verbs_of(domain.fields, "gap"))
    tense: Tense = chance.pick(("past", "past", "future"))
    fact = proposition(domain, chance, verb=verb, tense=tense, negated=False)
    return Judged(replace(fact, place="", time=""), "", form=chance.pick(("object", "whether")))


def write_gap(m: Judged, wrong: bool, chance: Chance) -> Tokens:
    whole, gapped = (question(m.proposition, asked, STYLE, chance) for asked in ("whether", "object"))
    if m.form == "object":
        return (gapped[0], *whole) if wrong else gapped
    return gapped[1:] if wrong else whole


# --- inversion in direct, not in embedded questions: "where the dog slept?", "I know where did the dog sleep" ---


def draw_inversion(domain: Domain, chance: Chance) -> Judged:
    tense: Tense = chance.pick(("past", "past", "future"))
    return Judged(
        replace(simple_fact(domain, chance, tense=tense), time=""), "", form=chance.pick(("direct", "embedded"))
    )


def write_inversion(m: Judged, wrong: bool, chance: Chance) -> Tokens:
    asked = fixed(chance.pick(("where", "when", "why", "how")))
    inverted = (m.form == "direct") != wrong
    style = replace(STYLE, contractions=0)
    clause = question(m.proposition, "whether", style, chance) if inverted else realise(m.proposition, style, chance)
    start = fixed(chance.pick(ASKERS)) if m.form == "embedded" else ()
    return (*start, *asked, *clause)
