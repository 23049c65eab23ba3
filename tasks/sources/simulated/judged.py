"""Sentences that are to keep or break a rule of grammar: what they say, and what they are made of."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cache

from tasks.sources.simulated.chance import Chance
from tasks.sources.simulated.clause import PLAIN, Token, Tokens, fixed, noun_phrase
from tasks.sources.simulated.compose import Domain, describe, proposition
from tasks.sources.simulated.lexicon import lexicon
from tasks.sources.simulated.meaning import TIMES, Entity, Proposition, Tense
from tasks.sources.simulated.morphology import past, plural, third_person

STYLE = replace(PLAIN, passive=0, fronting=0, cleft=0, relative=0, never=0)

# Verbs that are at home with an object and without: neither is a mistake. Synonyms count: a car can pull up.
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
    "marry", "hug", "scold", "join", "approach", "reach", "bite", "sting", "feed", "pet", "scratch", "bend",
    "plant", "water", "prune", "harvest", "cultivate", "pluck", "uproot", "fertilise",
    "boil", "fry", "slice", "peel", "stir", "pour",
    "tidy", "decorate", "unpack", "assemble", "light", "dwell in", "scrub", "renovate", "build",
    "pull off", "fold", "button up", "mend", "drench", "stroll through",
    "instruct", "enrol", "supervise", "hire", "lay off", "manage", "fill in", "train", "overtake", "delay",
    "buy", "borrow", "lend", "rent", "hold", "throw", "push", "deliver", "swap",
    "graze", "gallop", "wither", "sprout", "graduate", "resign", "retire", "commute", "blow", "melt", "weaken", "lift",
))
# Verbs that may have two objects: "what did the niece bring the boy" lacks nothing and has nothing too many.
DITRANSITIVE = frozenset(("assign", "bring", "carry", "find", "keep", "provide", "send"))
# Kinds of things that are also stuff: "most cake", "most work" are right.
STUFF = ("food", "substance", "plant", "weather", "money", "idea", "work", "event", "illness")
# fmt: on
SEEN = ("person", "animal", "vehicle", "building", "garment", "device")  # what something can be near
NEAR = ("near", "beside", "behind", "next to")
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
        other: The object that an intransitive verb must not have.
        reporter: Who said so, if anyone.
        outer: Who said that the reporter said so.
        link, companion: A second clause and its conjunction.
        between: Those who stand between subject and verb: each near the one before it, the first near the subject.
    """

    proposition: Proposition
    rule: str
    corruption: str = ""
    form: str = ""
    other: Entity | None = None
    reporter: Entity | None = None
    outer: Entity | None = None
    link: str = ""
    companion: Proposition | None = None
    between: tuple[Entity, ...] = ()


def simple_fact(domain: Domain, chance: Chance, tense: Tense = "past", subject: Entity | None = None) -> Proposition:
    """An affirmative statement with a verb that shows its form."""
    verb = chance.pick(verbs_of(domain.fields, chance.pick(("transitive", "transitive", "intransitive"))))
    if subject is not None and not lexicon().fits(subject.noun, lexicon().verbs[verb].kinds):
        return simple_fact(domain, chance, tense, subject)
    fact = proposition(domain, chance, verb=verb, negated=False, tense=tense, subject=subject)
    return replace(fact, place="", time=fact.time if tense == "past" else "")


def about(subject: Entity, verb: str, object: Entity, chance: Chance) -> Proposition:
    time = chance.pick(TIMES["past"]) if chance.flip(0.25) else ""
    return Proposition(subject, verb, object, time=time)


def drawn(
    kinds: tuple[str, ...], domain: Domain, chance: Chance, many: bool, quantity: str, plain: bool = False
) -> Entity:
    """An entity whose noun shows its number; where the kinds have none, a person."""
    nouns = countable(kinds, domain.fields) or countable(("person",), domain.fields)
    thing = Entity(chance.pick(nouns), quantity, (), many)
    quality = "" if plain or not chance.flip(domain.quality) else describe(thing, domain, chance)
    return replace(thing, qualities=(quality,)) if quality else thing


def bystanders(subject: Entity, domain: Domain, chance: Chance, n: int) -> tuple[Entity, ...]:
    """Up to `n` that stand beside a subject, each of either number whatever the subject's; none where none can."""
    if subject.quantity in ("name", "pronoun") or not lexicon().fits(subject.noun, SEEN):
        return ()
    person = lexicon().is_a(subject.noun, "person")
    kinds = (("person",),) if person else tuple((kind,) for kind in ("person", "animal", "vehicle", "building"))
    return tuple(drawn(chance.pick(kinds), domain, chance, chance.flip(0.5), "the", plain=True) for _ in range(n))


def said_between(m: Judged, chance: Chance) -> Tokens:
    """ "near the cats behind the tree", "who met the boys": nouns with which the verb must not agree."""
    said: Tokens = ()
    for before, thing in zip((m.proposition.subject, *m.between), m.between, strict=False):
        people = lexicon().is_a(before.noun, "person") and lexicon().is_a(thing.noun, "person")
        said = (*said, *fixed(chance.pick((*NEAR, "who met", "who met") if people else NEAR)))
        said = (*said, *noun_phrase(thing, STYLE, chance))
    return said


def parted(tokens: Tokens, between: Tokens) -> Tokens:
    """A clause with something between its subject, the first noun, and its verb."""
    if not between:
        return tokens
    end = next(position for position, token in enumerate(tokens) if token.tag == "noun") + 1
    return (*tokens[:end], *between, *tokens[end:])


@cache
def gradable() -> frozenset[str]:
    """Adjectives that compare: those with forms in -er, and those with a value."""
    adjectives = lexicon().adjectives.values()
    return frozenset(a.id for a in adjectives if a.value or any(word.irregular for word in a.words))


@cache
def countable(kinds: tuple[str, ...], fields: tuple[str, ...]) -> tuple[str, ...]:
    """Nouns whose number shows, in themselves and in their verb: a group is, or are."""
    words = lexicon()
    return tuple(
        noun
        for noun in words.nouns_of(kinds, fields) or words.nouns_of(kinds)
        if not words.nouns[noun].mass
        and not words.is_a(noun, "group")
        and all(plural(word) != word.base for word in words.nouns[noun].words)
    )


@cache
def verbs_of(fields: tuple[str, ...], frame: str) -> tuple[str, ...]:
    """Verbs of the fields and the general ones, of a frame, whose forms can be told apart."""
    words, chosen = lexicon(), []
    for verb in (words.verbs[verb] for verb in words.verbs_of(("general", *fields))):
        personal = words.fits("person", verb.kinds) and words.fits("person", verb.objects)
        strict = bool(verb.objects) and verb.id not in EITHER_WAY
        of_frame = {"transitive": bool(verb.objects), "strict": strict, "personal": personal,
                    "gap": strict and verb.id not in DITRANSITIVE,
                    "intransitive": not verb.objects and verb.id not in EITHER_WAY}[frame]  # fmt: skip
        if of_frame and countable(verb.kinds, fields) and all(past(word) != word.base for word in verb.words):
            chosen.append(verb.id)
    return tuple(chosen)


def in_other_number(tokens: Tokens, at: int, wrong: bool) -> Tokens:
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


def timed(tokens: Tokens, m: Judged, chance: Chance) -> Tokens:
    """The clause with its time, at the end or in front."""
    time = fixed(m.proposition.time) if m.proposition.time else ()
    if time and not m.reporter and chance.flip(0.25):
        return (*time, Token(",", "punctuation"), *tokens)
    return (*tokens, *time)
