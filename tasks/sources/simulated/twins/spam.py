"""Spam among text messages: an unknown sender offers the reader a gain and asks for a call, a code or money.

It is easy where friends never use the words of spam, hard where they do: to warn, to tell, or with one half alone.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cache
from typing import ClassVar

from tasks.sources.simulated.acts import Act, utter
from tasks.sources.simulated.chance import Chance
from tasks.sources.simulated.compose import Domain, entity, proposition
from tasks.sources.simulated.lexicon import lexicon
from tasks.sources.simulated.meaning import Entity, Proposition
from tasks.sources.simulated.registers import style_of, write
from tasks.sources.simulated.twin import twin_of

Meaning = tuple[Act, ...]
ME, YOU, WE = (Entity(pronoun, "pronoun") for pronoun in ("I", "you", "we"))
GAINS = ("prize", "free gift", "free trial", "limited offer", "inheritance")
CONTACTS = ("prize hotline", "premium number", "claim code", "processing fee")
WINNING = ("win", "qualify for")
GIVING = ("award", "offer", "send", "provide")
ASKING = ("text back", "ring up", "reply with", "call free on", "pay by text")
TOWARDS_ME = ("text", "meet", "help", "wait for", "listen to", "visit")


@dataclass(frozen=True)
class Spam:
    """Text messages; a message is spam if it offers the reader a gain and asks for what its sender profits from.

    Attributes:
        daily: Fields that friends write about.
        share: Share of spam.
        disguise: Share of what spam adds to offer and request that reads like a friend's message, at difficulty 1; at
            0 there is none.
        lookalike: Share of the other messages that use the words of spam without being it, likewise.
        difficulty: See `hard_by`.
    """

    space: str
    daily: tuple[str, ...] = ("food", "home", "travel", "school", "phone", "weather", "people")
    share: float = 0.124
    disguise: float = 1.0
    lookalike: float = 0.7
    difficulty: float = 0.1
    register: str = "sms"

    labels: tuple[str, ...] = ("Ham", "Spam")
    hard_by: ClassVar[str] = (
        "lookalikes: no message of a friend has the words of spam (0); seven of ten tell of somebody's gain, of one "
        "that was not had, or of a call not to be made, with the same words and as many acts, and spam chats too (1)"
    )

    @property
    def shares(self) -> tuple[float, ...]:
        return (1 - self.share, self.share)

    def draw(self, chance: Chance) -> Meaning:
        if chance.flip(self.share):
            acts = [_offer(chance), _request(chance)]
            if chance.flip(0.4):
                acts.append(self._chat(chance) if chance.flip(self.disguise * self.difficulty) else _request(chance))
            return tuple(acts if chance.flip(0.75) else acts[::-1])
        acts = [self._chat(chance) for _ in range(chance.between(2, 3))]
        if chance.flip(self.lookalike * self.difficulty):
            acts = [*_lookalike(chance), *(acts[:1] if chance.flip(0.4) else [])]
        return tuple(acts)

    def label(self, meaning: Meaning) -> float:
        return float(any(map(offers_gain, meaning)) and any(map(asks_profit, meaning)))

    def write(self, meaning: Meaning, chance: Chance, split: str) -> tuple[str, str | None]:
        style = style_of(self.register)
        return write(self.register, [utter(act, style, chance) for act in meaning], chance), None

    def _chat(self, chance: Chance) -> Act:
        """What friends write: statements, questions, small requests."""
        domain = Domain(self.daily, quality=0.3, place=0.15)
        kind = chance.below(4)
        if kind == 0:
            plain = replace(domain, time=0.0)
            return Act(
                "urge",
                proposition(plain, chance, subject=YOU, object=ME, verb=chance.pick(TOWARDS_ME), tense="present"),
            )
        if kind == 1:
            return Act("ask", proposition(domain, chance, subject=chance.pick((YOU, YOU, WE)), negated=False))
        return Act("state", proposition(domain, chance, subject=chance.pick((ME, ME, WE, YOU, None))))


def offers_gain(act: Act) -> bool:
    """Whether a statement says that the reader wins something, or that an organisation gives something away."""
    p, words = act.proposition, lexicon()
    if act.force != "state" or p.negated:
        return False
    if p.verb == "shortlist":
        return p.object == YOU
    gain = p.object is not None and words.fits(p.object.noun, GAINS)
    giver = words.is_a(p.subject.noun, "group") and p.verb in GIVING
    return gain and (giver or (p.subject == YOU and p.verb in WINNING))


def asks_profit(act: Act) -> bool:
    """Whether the reader is to do what profits the sender."""
    p = act.proposition
    return act.force == "urge" and not p.negated and p.object is not None and lexicon().fits(p.object.noun, CONTACTS)


def _company(chance: Chance) -> Entity:
    return Entity(chance.pick(lexicon().names_of("group")), "name")


def _gain(chance: Chance) -> Proposition:
    """An offer: the reader has won, or an organisation gives."""
    if chance.flip(0.15):
        return Proposition(_company(chance), "shortlist", YOU, tense=chance.pick(("past", "future")))
    won = chance.flip(0.5)
    verb = chance.pick(WINNING if won else GIVING)
    kinds = tuple(kind for kind in GAINS if _takes(verb, kind))
    what = entity(
        kinds, Domain(("fraud", "spam_offers"), quality=0.3), chance, quantity=chance.pick(("a", "the", "this", "your"))
    )
    return Proposition(YOU if won else _company(chance), verb, what, tense=chance.pick(("past", "past", "future")))


def _offer(chance: Chance) -> Act:
    return Act("state", _gain(chance))


def _request(chance: Chance) -> Act:
    verb = chance.pick(ASKING)
    kinds = tuple(kind for kind in CONTACTS if _takes(verb, kind))
    what = entity(
        kinds, Domain(("fraud", "spam_offers"), quality=0), chance, quantity=chance.pick(("our", "our", "the", "this"))
    )
    return Act("urge", Proposition(YOU, verb, what, tense="present"))


def _lookalike(chance: Chance) -> list[Act]:
    """What has the words of spam, a gain and a request, one of which is nobody's offer, or not asked of the reader."""
    who = chance.pick((ME, Entity(chance.pick(lexicon().names_of("person")), "name"), Entity("uncle", "my"), WE))
    gain, asked = _gain(chance), _request(chance).proposition
    if chance.flip(0.5):  # a gain of somebody else, or none
        acts = [Act("state", replace(_won(chance), subject=who) if chance.flip(0.5) else replace(gain, negated=True))]
        acts.append(Act("urge", asked))
    else:
        acts = [Act("state", gain)]
        told = Act("state", replace(asked, subject=who, tense="past"))
        acts.append(Act("urge", replace(asked, negated=True)) if chance.flip(0.5) else told)
    return acts if chance.flip(0.75) else acts[::-1]


def _won(chance: Chance) -> Proposition:
    while True:
        gain = _gain(chance)
        if gain.subject == YOU:
            return gain


@cache
def _takes(verb: str, kind: str) -> bool:
    """Whether a verb's object may be a kind of thing."""
    return lexicon().fits(kind, lexicon().verbs[verb].objects)


TWINS = (twin_of("sms_spam", Spam("sms_spam")),)
