"""Disasters in short posts: whether one is said to have happened, or the same words are meant otherwise (Disasters).

"The warehouse exploded" tells of a disaster, "my inbox exploded" does not, and neither does what a film showed, what
somebody dreamt, what might happen or what did not. In hard posts the same words and frames turn up under both
classes: of a warehouse and an inbox, one exploded in the film and the other one today.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cache
from typing import ClassVar

from tasks.sources.simulated.chance import Chance
from tasks.sources.simulated.clause import fixed, realise
from tasks.sources.simulated.compose import Domain, describe, entity, proposition
from tasks.sources.simulated.lexicon import ROOTS, lexicon
from tasks.sources.simulated.meaning import TIMES, Entity, Proposition
from tasks.sources.simulated.registers import style_of, write
from tasks.sources.simulated.twin import twin_of

DISASTER = ("fire", "flood", "storm", "earthquake", "crash", "attack", "epidemic")
FIGURATIVE = "figurative"
REAL = ("", "I just heard that", "the news says that", "they report that", "breaking:", "I saw how", "people say that")
UNTRUE = ("it is not true that", "it is a lie that", "it is wrong that")
UNREAL = ("in the film,", "I dreamed that", "imagine that", "in my new story,", "in the drill,", "in this video game,",
          "the joke is that", *UNTRUE)  # fmt: skip
UNDENIED = tuple(f"{denial} {other}" for denial in UNTRUE for other in UNTRUE if denial != other)
FELT = ("crush", "kill", "wreck", "flatten", "destroy", "batter", "bury", "bomb", "smash", "overwhelm", "rock",
        "shake", "burn", "flood", "devastate", "suffocate", "attack", "squash")  # fmt: skip
DID = ("explode", "blaze", "go up in flames", "crash", "collapse", "crumble", "sink", "derail", "nosedive", "erupt",
       "go off", "catch fire", "cave in", "smoulder", "capsize", "collide", "burn down")  # fmt: skip
DONE = ("bomb", "smash", "kill", "wreck", "storm", "burn", "torch", "destroy", "attack", "blow up")  # by a person
CALLED = ("bomb", "disaster", "explosion", "fire", "wreck", "blaze", "storm", "earthquake", "train crash", "inferno")
ME = Entity("I", "pronoun")


@dataclass(frozen=True)
class Said:
    """A statement and the words that put it into the world, or into another one."""

    what: Proposition
    frame: str = ""


@dataclass(frozen=True)
class Figurative:
    """Whether a disaster is said to have happened.

    Attributes:
        ways: Weights of how a statement is none of fact: within a fiction or declared untrue, denied, as a possibility.
        longer: Chance of one more statement: about things that other posts put figuratively, or about helpers.
    """

    hard_by: ClassVar[str] = (
        "which of two is real: the things or the verb of a post tell whether it is of a disaster (0); a post tells of "
        "a disaster and, in a disaster's words, of something else, one as a fact and the other as none, most by the "
        "even or odd number of denials, up to three (1)"
    )

    labels: tuple[str, ...] = ("Not Relevant", "Relevant")
    shares: tuple[float, ...] = (0.574, 0.426)
    space: str = "cf_disasters"
    register: str = "tweet"
    ways: tuple[float, ...] = (3, 2, 1.5)
    longer: float = 0.2
    difficulty: float = 0.5

    def draw(self, chance: Chance) -> tuple[Said, ...]:
        real, hard = chance.flip(self.shares[1]), chance.flip(self.difficulty)
        if hard:  # the two sorts of posts have the same words, and who is real in one is not in the other
            told = [Said(_disaster(chance)), Said(_figure(chance))]
            told = [self._fact(s, chance) if one == real else self._no_fact(s, chance) for s, one in zip(
                told, (True, False), strict=True)]  # fmt: skip
        elif real:
            told = [Said(_disaster(chance), chance.weighted(REAL, (5, 1, 1, 1, 1, 1, 1))), self._beside(chance)]
        else:
            told = [Said(_figure(chance), chance.pick(REAL) if chance.flip(0.25) else ""), self._beside(chance)]
        if chance.flip(self.longer):
            told.append(self._beside(chance))
        return tuple(chance.sample(told, len(told)))

    @property
    def _denials(self) -> float:
        """Probability that denials decide: those of a fact are even in number, those of no fact are odd."""
        return 0.8 * self.difficulty**2  # few where there is much else to tell the two by

    def _fact(self, said: Said, chance: Chance) -> Said:
        if chance.flip(self._denials):  # twice denied
            if said.what.verb == "be" or chance.flip(0.5):
                return replace(said, frame=chance.pick(UNDENIED))
            return Said(replace(said.what, negated=True), chance.pick(UNTRUE))
        return replace(said, frame=chance.weighted(REAL, (5, 1, 1, 1, 1, 1, 1)))

    def _no_fact(self, said: Said, chance: Chance) -> Said:
        if chance.flip(self._denials):  # denied once, or three times
            times = chance.pick((REAL, UNDENIED))
            if chance.flip(0.3):
                return replace(said, frame=chance.pick(UNTRUE))
            return Said(replace(said.what, negated=True), chance.pick(times))
        way = chance.weighted(("unreal", "denied", "possible"), self.ways)
        if way == "unreal":
            return replace(said, frame=chance.pick(UNREAL))
        frame = chance.pick(REAL) if chance.flip(0.3) else ""
        if way == "denied":
            return Said(replace(said.what, negated=True), frame)
        return Said(replace(said.what, tense="present", time="", modal=chance.pick(("might", "could"))), frame)

    def _beside(self, chance: Chance) -> Said:
        """What else happened, in the same or another world, and was no disaster."""
        fields = chance.pick(((FIGURATIVE,), (FIGURATIVE,), ("rescue", *DISASTER), ("home", "work")))
        domain = Domain(fields, general=1.0, negation=0.2, place=0.1, time=0.3, copula=0.3)
        p = proposition(domain, chance, subject=ME if chance.flip(0.3) else None)
        while happened(Said(p)) or happened(Said(replace(p, negated=not p.negated))):
            p = proposition(domain, chance)
        if chance.flip(0.1) and not p.negated:
            p = replace(p, tense="present", time="", modal=chance.pick(("might", "could")))
        return Said(p, chance.pick(UNREAL if chance.flip(0.6) else REAL) if chance.flip(0.3) else "")

    def label(self, meaning: tuple[Said, ...]) -> float:
        return float(any(map(happened, meaning)))

    def write(self, meaning: tuple[Said, ...], chance: Chance, split: str) -> tuple[str, str | None]:
        style = style_of(self.register)
        framed = replace(style, fronting=0.0, cleft=0.0)
        told = [(*fixed(s.frame), *realise(s.what, framed if s.frame else style, chance)) for s in meaning]
        return write(self.register, told, chance, chance.pick(("news", "fail", "today"))), None


def happened(said: Said) -> bool:
    """Whether a disaster is told as a fact, and literally: by a verb for one, of what the verb can be said of."""
    p, words = said.what, lexicon()
    untrue = said.frame in UNTRUE
    if (
        not (untrue or said.frame in REAL or said.frame in UNDENIED)
        or p.negated != untrue
        or p.modal
        or p.tense == "future"
        or p.verb == "be"
    ):
        return False
    verb = words.verbs[p.verb]
    parts = [(p.subject, verb.kinds), *([(p.object, verb.objects)] if p.object is not None else [])]
    literal = all(words.fits(e.noun, kinds) and _field(e.noun) != FIGURATIVE for e, kinds in parts)
    return literal and (_ruins(p.verb) or words.is_a(p.subject.noun, "disaster"))


@cache
def _ruins(verb: str) -> bool:
    concept = lexicon().verbs[verb]
    return concept.field in DISASTER and concept.value <= -2


@cache
def _ruinous() -> tuple[str, ...]:
    return tuple(verb for verb in lexicon().verbs_of(DISASTER) if _ruins(verb))


def _there(verbs: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(verb for verb in verbs if verb in lexicon().verbs)


def _field(noun: str) -> str:
    concept = lexicon().nouns.get(noun)
    return concept.field if concept else ""


def _disaster(chance: Chance) -> Proposition:
    words = lexicon()
    domain = Domain(DISASTER, general=0.3, names=0.1, quality=0.25, place=0.4, time=0.3)
    while True:
        if chance.flip(0.15):
            disasters = words.nouns_of(("disaster",), DISASTER)
            p = proposition(domain, chance, subject=Entity(chance.pick(disasters), "a"), verb="happen", tense="past")
        else:
            verb = words.verbs[chance.pick(_ruinous())]
            quantity = chance.pick(("the", "the", "a", "2", "our"))
            subject = entity(verb.kinds, domain, chance, quantity=quantity)
            p = proposition(domain, chance, subject=subject, verb=verb.id, tense="past")
            if p.object is not None and p.object.quantity in ("no", "few", "this"):
                continue
        p = replace(p, negated=False)
        if happened(Said(p)):
            return p


def _figure(chance: Chance) -> Proposition:
    """Something that ends well enough, in the words of a disaster."""
    words = lexicon()
    thing = _thing(chance)
    time = chance.pick(TIMES["past"]) if chance.flip(0.3) else ""
    way = chance.pick(("felt", "felt", "did", "did", "done", "called"))
    if way == "did":
        return Proposition(thing, chance.pick(_there(DID)), time=time)
    if way == "done":
        doer = Entity(chance.pick(words.names_of("person")), "name") if chance.flip(0.5) else ME
        return Proposition(doer, chance.pick(_there(DONE)), thing, time=time)
    if way == "called":
        return Proposition(thing, "be", Entity(chance.pick(CALLED), "a"), tense=chance.pick(("past", "present")))
    whom = chance.pick((ME, ME, Entity("we", "pronoun"), _thing(chance)))
    if whom.noun == thing.noun:
        whom = ME
    return Proposition(thing, chance.pick(_there(FELT)), whom, time=time)


def _thing(chance: Chance) -> Entity:
    noun = chance.pick(lexicon().nouns_of(ROOTS, (FIGURATIVE,)))
    plain = Entity(noun, chance.pick(("my", "the", "this", "our")))
    quality = describe(plain, Domain(), chance) if chance.flip(0.2) else ""
    return replace(plain, qualities=(quality,)) if quality else plain


TWINS = (twin_of("cf_disasters", Figurative()),)
