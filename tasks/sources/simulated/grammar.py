"""Rules of grammar, and sentences that keep or break one of them.

Every rule comes in two halves that mirror each other, equally often ("every dog" and "most dogs" against "every dogs"
and "most dog"): so right and wrong sentences are made of the same words, and only their fit tells.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import cache
from types import MappingProxyType

from tasks.sources.simulated.chance import Chance
from tasks.sources.simulated.clause import PLAIN, Token, Tokens, fixed, noun_phrase, question, realise
from tasks.sources.simulated.compose import Domain, describe, entity, proposition
from tasks.sources.simulated.lexicon import lexicon
from tasks.sources.simulated.meaning import TIMES, Entity, Proposition, Tense
from tasks.sources.simulated.morphology import past, plural, third_person

STYLE = replace(PLAIN, passive=0, fronting=0, cleft=0, relative=0, never=0)
SINGULAR, PLURAL = ("a", "every", "this", "another"), ("bare", "most", "these", "several")
CASES = {"I": "me", "we": "us", "he": "him", "she": "her", "they": "them"}
REFLEXIVES = ("himself", "herself", "themselves")
MALE = ("man", "boy", "father", "grandfather", "brother", "husband", "son", "uncle", "nephew", "king")
FEMALE = ("woman", "girl", "mother", "grandmother", "sister", "wife", "daughter", "aunt", "niece", "queen")
ASKERS = ("I know", "I wonder", "nobody knows", "tell me", "they asked", "she told us", "we forgot", "he remembered")
CLEAR_TIMES: dict[Tense, tuple[str, ...]] = {  # "on Monday" goes with both tenses
    "past": tuple(time for time in TIMES["past"] if time.startswith(("last", "yester")) or time.endswith("ago")),
    "future": tuple(time for time in TIMES["future"] if time.startswith(("next", "tomor"))),
}
# Verbs that are at home with an object and without: neither is a mistake.
# fmt: off
EITHER_WAY = frozenset((
    "see", "notice", "watch", "draw", "remember", "explain", "change", "choose", "read", "write", "count", "follow",
    "know", "drop", "describe", "consider", "accept", "sell", "order", "lose", "show", "hide", "collect", "share",
    "offer", "open", "close", "clean", "wash", "measure", "copy", "check", "visit", "enter", "leave", "meet",
    "help", "lead", "earn", "spend", "eat", "drink", "taste", "cook", "bake", "chew", "swallow", "stretch", "rub",
    "learn", "revise", "finish", "sign", "type", "file", "explore", "cross", "board", "drive", "sail", "ride",
    "teach", "mark", "spell", "memorise", "dust", "patrol", "polish", "sweep", "vacuum", "sew", "knit", "iron", "weave",
    "hunt", "climb", "speak", "return", "sleep", "wait", "breathe", "land", "pack", "plan", "organise", "attend",
    "want", "test", "use", "produce", "own", "photograph",
))
# fmt: on
_ONE_TO_MANY = {"is": "are", "was": "were", "does": "do", "isn't": "aren't", "wasn't": "weren't", "doesn't": "don't"}
OTHER_NUMBER = _ONE_TO_MANY | {many: one for one, many in _ONE_TO_MANY.items()}


@dataclass(frozen=True)
class Judged:
    """A sentence and what is wrong with it.

    Attributes:
        proposition: What it says.
        rule: The rule that it puts to the test.
        corruption: The rule that it breaks, "" for none.
        form: Which half of the rule: `than` or `as`, `direct` or `embedded`, ...
        other: Who stands between subject and verb, or the object that an intransitive verb must not have.
        reporter: Who said so, if anyone.
        link, companion: A second clause and its conjunction.
    """

    proposition: Proposition
    rule: str
    corruption: str = ""
    form: str = ""
    other: Entity | None = None
    reporter: Entity | None = None
    link: str = ""
    companion: Proposition | None = None


@dataclass(frozen=True)
class Rule:
    """A rule of grammar: how often it is tested, what is drawn for it, and how that is said rightly or wrongly."""

    weight: float
    draw: Callable[[Domain, Chance], Judged]
    write: Callable[[Judged, bool, Chance], Tokens]


# --- the number of a noun against its determiner: "every dogs", "most dog" ---


def _draw_number(domain: Domain, chance: Chance) -> Judged:
    many, plain = chance.flip(0.5), simple_fact(domain, chance)
    marked = _thing(lexicon().verbs[plain.verb].kinds, domain, chance, many, chance.pick(PLURAL if many else SINGULAR))
    verb = lexicon().verbs[plain.verb]
    if _countable(verb.objects, domain.fields) and chance.flip(0.4):
        marked = _thing(verb.objects, domain, chance, many, marked.quantity)
        return Judged(replace(plain, object=marked), "", form="object number")
    return Judged(replace(plain, subject=marked), "")


def _write_number(m: Judged, wrong: bool, chance: Chance) -> Tokens:
    tokens = realise(replace(m.proposition, time=""), STYLE, chance)
    nouns = [position for position, token in enumerate(tokens) if token.tag == "noun"]
    return _timed(_changed(tokens, nouns[-1 if m.form else 0], wrong), m, chance)


# --- the verb agrees with its subject, whatever stands between them ---


def _draw_agreement(domain: Domain, chance: Chance) -> Judged:
    kinds = chance.pick((("person",), ("person",), ("animal",), ("vehicle",), ("building",)))
    subject = _thing(kinds, domain, chance, chance.flip(0.5), "the", plain=True)
    other = _thing(kinds, domain, chance, chance.flip(0.5), "the", plain=True)
    quality = describe(subject, domain, chance)
    if quality and (chance.flip(0.5) or kinds[0] in ("vehicle", "building")):
        return Judged(Proposition(subject, "be", quality=quality, negated=chance.flip(0.2), tense=chance.pick(
            ("past", "present"))), "", other=other)  # fmt: skip
    fact = simple_fact(domain, chance, tense="present", subject=subject if kinds[0] == "person" else None)
    if kinds[0] != "person":
        subject = _thing(lexicon().verbs[fact.verb].kinds, domain, chance, subject.many, "the", plain=True)
    return Judged(replace(fact, subject=subject, negated=chance.flip(0.2)), "", other=other)


def _write_agreement(m: Judged, wrong: bool, chance: Chance) -> Tokens:
    tokens = realise(replace(m.proposition, time=""), STYLE, chance)
    end = next(position for position, token in enumerate(tokens) if token.tag == "noun") + 1
    person = lexicon().is_a(m.proposition.subject.noun, "person")
    between = chance.pick(("near", "beside", "behind", "near", "who met" if person else "next to"))
    assert m.other is not None
    aside = (*fixed(between), *noun_phrase(m.other, STYLE, chance))
    return (*tokens[:end], *aside, *_changed(tokens, end, wrong)[end:])


# --- the form of the verb after an auxiliary, and without one: "did barked", "the dog bark" ---


def _draw_form(domain: Domain, chance: Chance) -> Judged:
    tense: Tense = chance.pick(("past", "past", "past", "present"))
    fact = simple_fact(domain, chance, tense=tense)
    subject = _thing(lexicon().verbs[fact.verb].kinds, domain, chance, False, "the")
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
    return _timed(tokens, m, chance)


# --- the order of adjective, noun, determiner, auxiliary: "the dog old barked" ---


def _draw_order(domain: Domain, chance: Chance) -> Judged:
    fact = simple_fact(domain, chance)
    subject = _thing(lexicon().verbs[fact.verb].kinds, domain, chance, chance.flip(0.3), chance.pick(("the", "our")))
    quality = describe(subject, domain, chance)
    if not quality:
        return _draw_order(domain, chance)
    return Judged(replace(fact, subject=replace(subject, qualities=(quality,))), "")


def _write_order(m: Judged, wrong: bool, chance: Chance) -> Tokens:
    tokens = list(realise(replace(m.proposition, time=""), STYLE, chance))
    if wrong:
        tags = [token.tag for token in tokens]
        places = [0, 1] + [at for at in range(2, len(tokens) - 1) if tags[at : at + 2] in (
            ["auxiliary", "verb"], ["auxiliary", "negation"], ["determiner", "noun"])]  # fmt: skip
        at = chance.pick(places)
        tokens[at], tokens[at + 1] = tokens[at + 1], tokens[at]
    return _timed(tuple(tokens), m, chance)


# --- the case of a pronoun: "him saw the dog", "the dog saw he" ---


def _draw_case(domain: Domain, chance: Chance) -> Judged:
    pronoun, person = Entity(chance.pick(tuple(CASES)), "pronoun"), _thing(("person",), domain, chance, False, "the")
    verb = chance.pick(_verbs(domain.fields, "personal"))
    ends = (pronoun, person) if chance.flip(0.5) else (person, pronoun)
    return Judged(_about(ends[0], verb, ends[1], chance), "")


def _write_case(m: Judged, wrong: bool, chance: Chance) -> Tokens:
    tokens = realise(replace(m.proposition, time=""), STYLE, chance)
    other_case = CASES | {objective: subjective for subjective, objective in CASES.items()}
    if wrong:
        tokens = tuple(replace(t, text=other_case[t.text]) if t.tag == "pronoun" else t for t in tokens)
    return _timed(tokens, m, chance)


# --- what a verb takes: "the boy greeted", "the boy arrived the chair" ---


def _draw_argument(domain: Domain, chance: Chance) -> Judged:
    verb = chance.pick(_verbs(domain.fields, chance.pick(("strict", "intransitive"))))
    fact = proposition(domain, chance, verb=verb, tense="past", negated=False)
    thing = entity(("garment", "device", "document", "person"), domain, chance, quantity="the")
    return Judged(replace(fact, place=""), "", other=None if fact.object else thing)


def _write_argument(m: Judged, wrong: bool, chance: Chance) -> Tokens:
    p = replace(m.proposition, time="")
    if wrong:
        p = replace(p, object=m.other)
    return _timed(realise(p, STYLE, chance), m, chance)


# --- comparisons: "bigger than", "as big as" against "big than", "as bigger as" ---


def _draw_comparison(domain: Domain, chance: Chance) -> Judged:
    subject = _thing(chance.pick((("person",), ("animal",), ("vehicle",), ("building",), ("garment",))), domain, chance,
                     chance.flip(0.3), "the", plain=True)  # fmt: skip
    quality = describe(subject, domain, chance)
    than = replace(subject, noun=_thing((lexicon().hypernyms(subject.noun)[-1],), domain, chance, False, "the").noun)
    fitting = quality and quality in _gradable() and lexicon().fits(than.noun, lexicon().adjectives[quality].kinds)
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
    verb = chance.pick(_verbs(domain.fields, "personal"))
    return Judged(_about(subject, verb, Entity(REFLEXIVES[who], "pronoun"), chance), "")


def _write_reflexive(m: Judged, wrong: bool, chance: Chance) -> Tokens:
    p, turn = replace(m.proposition, time=""), chance.between(1, 2)
    if wrong and p.object is not None:
        p = replace(p, object=replace(p.object, noun=REFLEXIVES[(REFLEXIVES.index(p.object.noun) + turn) % 3]))
    return _timed(realise(p, STYLE, chance), m, chance)


# --- what is asked for is missing from its place: "what did the boy buy" against "what did the boy buy the car" ---


def _draw_gap(domain: Domain, chance: Chance) -> Judged:
    verb = chance.pick(_verbs(domain.fields, "strict"))
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
    return _timed(tokens, m, chance)


# Local rules weigh more: they are what a reader of few examples finds first.
RULES: Mapping[str, Rule] = MappingProxyType(
    {
        "number": Rule(3, _draw_number, _write_number),
        "agreement": Rule(2, _draw_agreement, _write_agreement),
        "form": Rule(3, _draw_form, _write_form),
        "order": Rule(3, _draw_order, _write_order),
        "case": Rule(1.5, _draw_case, _write_case),
        "argument": Rule(2, _draw_argument, _write_argument),
        "comparison": Rule(1.5, _draw_comparison, _write_comparison),
        "reflexive": Rule(1, _draw_reflexive, _write_reflexive),
        "gap": Rule(1.5, _draw_gap, _write_gap),
        "inversion": Rule(1.5, _draw_inversion, _write_inversion),
        "tense": Rule(1, _draw_tense, _write_tense),
    }
)


def simple_fact(domain: Domain, chance: Chance, tense: Tense = "past", subject: Entity | None = None) -> Proposition:
    """An affirmative statement with a verb that shows its form."""
    verb = chance.pick(_verbs(domain.fields, chance.pick(("transitive", "transitive", "intransitive"))))
    if subject is not None and not lexicon().fits(subject.noun, lexicon().verbs[verb].kinds):
        return simple_fact(domain, chance, tense, subject)
    fact = proposition(domain, chance, verb=verb, negated=False, tense=tense, subject=subject)
    return replace(fact, place="", time=fact.time if tense == "past" else "")


def _about(subject: Entity, verb: str, object: Entity, chance: Chance) -> Proposition:
    time = chance.pick(TIMES["past"]) if chance.flip(0.25) else ""
    return Proposition(subject, verb, object, time=time)


def _thing(
    kinds: tuple[str, ...], domain: Domain, chance: Chance, many: bool, quantity: str, plain: bool = False
) -> Entity:
    """An entity whose noun shows its number; where the kinds have none, a person."""
    nouns = _countable(kinds, domain.fields) or _countable(("person",), domain.fields)
    thing = Entity(chance.pick(nouns), quantity, (), many)
    quality = "" if plain or not chance.flip(domain.quality) else describe(thing, domain, chance)
    return replace(thing, qualities=(quality,)) if quality else thing


@cache
def _gradable() -> frozenset[str]:
    """Adjectives that compare: those with forms in -er, and those with a value."""
    adjectives = lexicon().adjectives.values()
    return frozenset(a.id for a in adjectives if a.value or any(word.irregular for word in a.words))


@cache
def _countable(kinds: tuple[str, ...], fields: tuple[str, ...]) -> tuple[str, ...]:
    words = lexicon()
    return tuple(
        noun
        for noun in words.nouns_of(kinds, fields) or words.nouns_of(kinds)
        if not words.nouns[noun].mass and all(plural(word) != word.base for word in words.nouns[noun].words)
    )


@cache
def _verbs(fields: tuple[str, ...], frame: str) -> tuple[str, ...]:
    """Verbs of the fields and the general ones, of a frame, whose forms can be told apart."""
    words, chosen = lexicon(), []
    for verb in (words.verbs[verb] for verb in words.verbs_of(("general", *fields))):
        personal = words.fits("person", verb.kinds) and words.fits("person", verb.objects)
        strict = bool(verb.objects) and verb.id not in EITHER_WAY
        of_frame = {"transitive": bool(verb.objects), "strict": strict, "personal": personal,
                    "intransitive": not verb.objects and verb.id not in EITHER_WAY}[frame]  # fmt: skip
        if of_frame and _countable(verb.kinds, fields) and all(past(word) != word.base for word in verb.words):
            chosen.append(verb.id)
    return tuple(chosen)


def _changed(tokens: Tokens, at: int, wrong: bool) -> Tokens:
    """The tokens with a noun or finite verb in the other number."""
    token = tokens[at]
    if not wrong:
        return tokens
    if token.text in OTHER_NUMBER:
        text = OTHER_NUMBER[token.text]
    else:
        assert token.word is not None
        other = plural(token.word) if token.tag == "noun" else third_person(token.word)
        text = token.word.base if token.text == other else other
    return (*tokens[:at], replace(token, text=text), *tokens[at + 1 :])


def _timed(tokens: Tokens, m: Judged, chance: Chance) -> Tokens:
    """The clause with its time, at the end or in front."""
    time = fixed(m.proposition.time) if m.proposition.time else ()
    if time and not m.reporter and chance.flip(0.25):
        return (*time, Token(",", "punctuation"), *tokens)
    return (*tokens, *time)
