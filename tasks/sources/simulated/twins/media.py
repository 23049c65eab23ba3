"""Posts of politicians: one text, and three things asked of it: its audience, its bias, and its message.

It is easy where a post speaks of one audience, one side and one purpose; hard where it names others too.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import ClassVar, Literal

from tasks.sources.simulated.acts import Act, request, utter
from tasks.sources.simulated.chance import Chance
from tasks.sources.simulated.compose import EVERYDAY, EVERYWHERE, Domain, entity, proposition
from tasks.sources.simulated.lexicon import lexicon
from tasks.sources.simulated.meaning import Entity, Proposition
from tasks.sources.simulated.politics import (
    IT,
    LOCAL,
    ME,
    PARTIES,
    RELATIVES,
    STATE,
    WE,
    YOU,
    Meaning,
    addressing,
    audience_of,
    bias_of,
    judgement,
    message_of,
    of_party,
    political,
    valued,
)
from tasks.sources.simulated.registers import style_of, write
from tasks.sources.simulated.twin import twin_of

Asked = Literal["audience", "bias", "message"]
AUDIENCE = MappingProxyType({"constituency": 0.206, "national": 0.794})
BIAS = MappingProxyType({"neutral": 0.738, "partisan": 0.262})
MESSAGE = MappingProxyType(
    {"attack": 0.034, "constituency": 0.03, "information": 0.129, "media": 0.055, "mobilization": 0.026, "other": 0.024,
     "personal": 0.234, "policy": 0.282, "support": 0.184}
)  # fmt: skip
SHARES: Mapping[Asked, Mapping[str, float]] = MappingProxyType({"audience": AUDIENCE, "bias": BIAS, "message": MESSAGE})
JUDGING = ("praise", "blame", "governance", "legislation", "campaign")  # fields of adjectives that judge
ACTORS = ("politician", "official", "group")
AT_HOME = ("drop in on", "toast", "meet with", "inaugurate", "push for", "call on", "hear out", "mingle with")
CALLS = ("vote for", "vote against", "sign up to", "rally behind", "donate to", "attend")
NATIONAL = ("whole nation", "taxpayer", "fellow citizen", "voter", "citizen")
IN_PASSING = ("mobilization", "information", "policy", "constituency", "media", "personal", "other")
SCARCE = frozenset({"no", "few", "name"})  # "no minister is wise" is another judgement; a name has no field


@dataclass(frozen=True)
class Post:
    """What a politician writes: first what it is for, then whom it concerns, party colour, and more of the matter.

    Attributes:
        asks: Which of the three labels this task has; all three say the same texts of the same meanings.
        sentences: Fewest and most statements, where what is to be said leaves room for others.
        passing: How many sentences are of another purpose at difficulty 1, room or not.
        difficulty: See `hard_by`; the same for tasks that share texts.
    """

    asks: Asked
    space: str = "cf_political"
    sentences: tuple[int, int] = (4, 5)
    passing: int = 2
    difficulty: float = 0.75
    register: str = "speech"
    hard_by: ClassVar[str] = (
        "what is named in passing: a post speaks of one audience, judges nothing but a party, and has no sentence of "
        "another purpose (0); each post also says to whom the matter is of no weight, mentions a party and judges "
        "something, the one by the other or not, and later does what other posts are for; the writer's own life "
        "is told in words of politics, and half of all judgements are denials (1)"
    )

    @property
    def labels(self) -> tuple[str, ...]:
        return tuple(SHARES[self.asks])

    @property
    def shares(self) -> tuple[float, ...]:
        total = sum(SHARES[self.asks].values())
        return tuple(share / total for share in SHARES[self.asks].values())

    def draw(self, chance: Chance) -> Meaning:
        audience, bias, purpose = (chance.weighted(tuple(of), tuple(of.values())) for of in (AUDIENCE, BIAS, MESSAGE))
        judging = purpose in ("attack", "support", "policy")
        first = self._first(purpose, judging and bias == "partisan", chance)
        rest = [_address(audience, chance)]
        if chance.flip(self.difficulty):
            rest.append(_unaddressed("national" if audience == "constituency" else "constituency", chance))
        rest += self._colour(bias, judging, chance)
        # What other posts are for is said here too, or the words would tell the purpose. It never judges: that would
        # give away that no party is judged.
        room = chance.between(*self.sentences) - 1 - len(rest)
        others = [other for other in IN_PASSING if other != purpose]
        for position in range(max(self.passing, room)):
            if chance.flip(self.difficulty):
                other = chance.weighted(others, [MESSAGE[other] for other in others])
                rest.append(self._first(other, False, chance))
            elif position < room:
                rest.append(Act("state", _unjudged((*STATE, "constituency"), chance)))
        return (first, *chance.sample(rest, len(rest)))

    def _first(self, purpose: str, coloured: bool, chance: Chance) -> Act:
        return _first(purpose, coloured, self.difficulty, chance)

    def _colour(self, bias: str, judging: bool, chance: Chance) -> list[Act]:
        """A judgement of a party or of something else, unless the post begins with it, and a mention of the other."""
        judged, mentioned = (PARTIES, STATE) if bias == "partisan" else (STATE, PARTIES)
        acts = []
        if not judging and (bias == "partisan" or chance.flip(self.difficulty)):
            acts.append(Act("state", _judged(judged, chance.pick((1, -1)), denied(self.difficulty), chance)))
        if chance.flip(self.difficulty):
            acts.append(Act("state", _mentioned(mentioned, chance)))
        return acts

    def label(self, meaning: Meaning) -> float:
        answer = {"audience": audience_of, "bias": bias_of, "message": message_of}[self.asks](meaning)
        return self.labels.index(answer)

    def write(self, meaning: Meaning, chance: Chance, split: str) -> tuple[str, str | None]:
        style = style_of(self.register)
        return write(self.register, [utter(act, style, chance) for act in meaning], chance), None


def _first(purpose: str, coloured: bool, difficulty: float, chance: Chance) -> Act:
    """The sentence that does what the post is for."""
    about = Domain(PARTIES if coloured else STATE, place=0.05)
    who = chance.pick((ME, ME, WE))
    if purpose == "mobilization":
        calm = replace(about, time=0.0, place=0.0)
        call = proposition(calm, chance, subject=YOU, verb=chance.pick(CALLS), tense="present", negated=False)
        return Act("urge", request(call, chance))
    if purpose in ("attack", "support"):
        return Act("state", _judged(about.fields, 1 if purpose == "support" else -1, denied(difficulty), chance))
    if purpose == "information":
        return Act("state", _unjudged(about.fields, chance))
    if purpose == "policy":
        policy = entity(("policy",), about, chance, quantity=chance.pick(("the", "this", "a")))
        verb = chance.pick(("support", "oppose"))
        return Act("state", proposition(about, chance, subject=who, verb=verb, object=policy))
    if purpose == "constituency":
        home = Domain(("constituency",))
        return Act("state", proposition(home, chance, subject=who, verb=chance.pick(AT_HOME), negated=False))
    if purpose == "media":
        verb = chance.pick(lexicon().verbs_of(("broadcast",)))
        return Act("state", proposition(Domain(("broadcast",)), chance, subject=who, verb=verb, negated=False))
    if purpose == "personal":
        return Act("state", _own_life(who, difficulty, chance))
    while True:  # everyday life, without the writer and without politics
        p = proposition(Domain(EVERYDAY), chance)
        if message_of((Act("state", p),)) == "other":
            return Act("state", p)


def _own_life(who: Entity, difficulty: float, chance: Chance) -> Proposition:
    """What the writer or a relative does; as often as the difficulty is among those whom a politician deals with."""
    family = Entity(chance.pick(RELATIVES), chance.pick(("my", "our")))
    domain = Domain((*STATE, "constituency")) if chance.flip(difficulty) else EVERYWHERE
    while True:
        p = proposition(domain, chance, subject=chance.pick((who, who, family)))
        if message_of((Act("state", p),)) == "personal":
            return p


def _unaddressed(audience: str, chance: Chance) -> Act:
    """To whom the matter is of no weight."""
    act = _address(audience, chance)
    whom = act.proposition.object
    assert whom is not None
    if whom.quantity in ("every", "most"):  # denied of all, or of most, it may still be so of many
        whom = replace(whom, quantity="the", many=True)
    return replace(act, proposition=replace(act.proposition, object=whom, negated=True))


def _address(audience: str, chance: Chance) -> Act:
    noun = chance.pick(LOCAL if audience == "constituency" else (*NATIONAL, *NATIONAL, *LOCAL))
    quantity = "our" if audience == "constituency" else chance.pick(("the", "every", "most"))
    if lexicon().is_a(noun, "place") and quantity != "our":
        quantity = "the"
    whom = Entity(noun, quantity, many=quantity != "every" and lexicon().is_a(noun, "person"))
    verbs = [verb for verb in addressing() if lexicon().fits(noun, lexicon().verbs[verb].objects)]
    return Act("state", Proposition(IT, chance.pick(verbs), whom, tense="present"))


def denied(difficulty: float) -> float:
    """Share of judgements that deny the opposite."""
    return 0.1 + 0.4 * difficulty


def _judged(fields: tuple[str, ...], sign: int, denials: float, chance: Chance) -> Proposition:
    """Someone or something political is good or bad, or does good or bad; sometimes by denying the opposite."""
    words = lexicon()
    while True:
        negated = chance.flip(denials)
        raw = -sign if negated else sign
        what = _judgeable(fields, chance)
        verbs = [verb for verb in valued(STATE, raw) if words.fits(what.noun, words.verbs[verb].kinds)]
        if verbs and chance.flip(0.3):  # the same verbs whoever is judged: they do not tell a party
            verb = chance.pick(verbs)
            p = proposition(Domain(STATE, time=0.1), chance, subject=what, verb=verb, negated=negated)
        else:
            good = words.adjectives_of(what.noun, JUDGING, raw)
            p = Proposition(what, "be", quality=chance.pick(good or ("",)), negated=negated, tense="present")
        fits = (
            judgement(p) == sign
            and political(p)
            and not {p.subject.quantity, p.object.quantity if p.object else ""} & SCARCE
        )
        if fits and (of_party(p) or fields != PARTIES) and (fields == PARTIES or not of_party(p)):
            return p


def _unjudged(fields: tuple[str, ...], chance: Chance) -> Proposition:
    while True:
        p = proposition(Domain(fields, names=0.1, place=0.05), chance)
        if judgement(p) == 0 and political(p) and not of_party(p):
            return p


def _mentioned(fields: tuple[str, ...], chance: Chance) -> Proposition:
    """Something that could be judged, and is not."""
    while True:
        p = proposition(Domain(STATE, names=0.1, place=0.05), chance, subject=_judgeable(fields, chance))
        if judgement(p) == 0 and political(p) and (fields == PARTIES) == of_party(p):
            return p


def _judgeable(fields: tuple[str, ...], chance: Chance) -> Entity:
    """Someone or something that can be called good and bad: the same are judged and mentioned."""
    words = lexicon()
    while True:
        what = entity((*ACTORS, "policy"), Domain(fields, names=0.0, quality=0.1), chance, quantity="the")
        if all(words.adjectives_of(what.noun, JUDGING, sign) for sign in (1, -1)):
            return what


TWINS = (
    twin_of("cf_political_audience", Post("audience")),
    twin_of("cf_political_bias", Post("bias")),
    twin_of("cf_political_message", Post("message")),
)
