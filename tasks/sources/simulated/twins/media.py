"""Posts of politicians: one text, and three things asked of it: its audience, its bias, and its message."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache
from types import MappingProxyType
from typing import Literal

from tasks.sources.simulated.acts import Act, request, utter
from tasks.sources.simulated.chance import Chance
from tasks.sources.simulated.compose import EVERYDAY, EVERYWHERE, Domain, entity, proposition
from tasks.sources.simulated.lexicon import Concept, lexicon
from tasks.sources.simulated.meaning import Entity, Proposition
from tasks.sources.simulated.registers import style_of, write
from tasks.sources.simulated.twin import twin_of

Asked = Literal["audience", "bias", "message"]
Meaning = tuple[Act, ...]
AUDIENCE = MappingProxyType({"constituency": 0.206, "national": 0.794})
BIAS = MappingProxyType({"neutral": 0.738, "partisan": 0.262})
MESSAGE = MappingProxyType(
    {"attack": 0.034, "constituency": 0.03, "information": 0.129, "media": 0.055, "mobilization": 0.026, "other": 0.024,
     "personal": 0.234, "policy": 0.282, "support": 0.184}
)  # fmt: skip
SHARES: Mapping[Asked, Mapping[str, float]] = MappingProxyType({"audience": AUDIENCE, "bias": BIAS, "message": MESSAGE})
ME, WE, YOU, IT = (Entity(pronoun, "pronoun") for pronoun in ("I", "we", "you", "it"))
STATE = ("legislation", "governance", "campaign")
PARTIES = ("party_left", "party_right")
POLITICAL = (*STATE, *PARTIES, "constituency", "politics", "activism")
JUDGING = ("praise", "blame", "governance", "legislation", "campaign")  # fields of adjectives that judge
ACTORS = ("politician", "official", "group")
AT_HOME = ("drop in on", "toast", "meet with", "inaugurate", "push for", "call on", "hear out", "mingle with")
CALLS = ("vote for", "vote against", "sign up to", "rally behind", "donate to", "attend")
LOCAL = ("constituent", "pensioner", "war veteran", "small farmer", "firefighter", "home district", "high-school team")
NATIONAL = ("whole nation", "taxpayer", "fellow citizen", "voter", "citizen")
RELATIVES = ("husband", "wife", "daughter", "son", "mother", "father", "sister", "friend")
SCARCE = frozenset({"no", "few", "name"})  # "no minister is wise" is another judgement; a name has no field


@dataclass(frozen=True)
class Post:
    """What a politician writes: first what it is for, then whom it concerns, party colour, and more of the matter.

    Attributes:
        asks: Which of the three labels this task has; all three say the same texts of the same meanings.
        sentences: Fewest and most statements.
        mentions: Probability that a neutral post mentions a party without judging it.
    """

    asks: Asked
    space: str = "cf_political"
    sentences: tuple[int, int] = (4, 5)
    mentions: float = 0.3
    register: str = "speech"

    @property
    def labels(self) -> tuple[str, ...]:
        return tuple(SHARES[self.asks])

    @property
    def shares(self) -> tuple[float, ...]:
        total = sum(SHARES[self.asks].values())
        return tuple(share / total for share in SHARES[self.asks].values())

    def draw(self, chance: Chance) -> Meaning:
        audience, bias, purpose = (chance.weighted(tuple(of), tuple(of.values())) for of in (AUDIENCE, BIAS, MESSAGE))
        coloured = bias == "partisan" and purpose in ("attack", "support", "policy")
        first = _first(purpose, coloured, chance)
        rest = [_address(audience, chance)]
        if bias == "partisan" and not coloured:
            rest.append(Act("state", _judged(PARTIES, chance.pick((1, -1)), chance)))
        elif bias == "neutral" and chance.flip(self.mentions):
            rest.append(Act("state", _unjudged(PARTIES, chance)))
        for _ in range(chance.between(*self.sentences) - 1 - len(rest)):
            rest.append(Act("state", _unjudged((*STATE, "constituency"), chance)))
        return (first, *chance.sample(rest, len(rest)))

    def label(self, meaning: Meaning) -> float:
        answer = {"audience": audience_of, "bias": bias_of, "message": message_of}[self.asks](meaning)
        return self.labels.index(answer)

    def write(self, meaning: Meaning, chance: Chance, split: str) -> tuple[str, str | None]:
        style = style_of(self.register)
        return write(self.register, [utter(act, style, chance) for act in meaning], chance), None


def audience_of(meaning: Meaning) -> str:
    """Constituency if the matter is of weight to people or places that are the writer's own."""
    objects = (act.proposition.object for act in meaning if act.proposition.verb in _addressing())
    own = any(thing is not None and thing.noun in LOCAL and thing.quantity in ("our", "my") for thing in objects)
    return "constituency" if own else "national"


def bias_of(meaning: Meaning) -> str:
    """Partisan if something of a party is judged, well or badly."""
    return "partisan" if any(of_party(act.proposition) and judgement(act.proposition) for act in meaning) else "neutral"


def message_of(meaning: Meaning) -> str:
    """What the first sentence does, by who does what in it."""
    act, words = meaning[0], lexicon()
    p = act.proposition
    if act.force == "urge":
        return "mobilization"
    field = words.verbs[p.verb].field if p.verb != "be" else ""
    if p.subject in (ME, WE):
        own = {"constituency": "constituency", "broadcast": "media", "activism": "policy"}
        return own.get(field, "personal")
    if p.subject.quantity in ("my", "our") and p.subject.noun in RELATIVES:
        return "personal"
    if _political(p):
        return {1: "support", -1: "attack", 0: "information"}[judgement(p)]
    return "other"


def judgement(p: Proposition) -> int:
    """1 if well is spoken, -1 if ill, 0 if neither; denial turns it round."""
    words = lexicon()
    said = words.adjectives[p.quality].value if p.quality else words.verbs[p.verb].value if p.verb != "be" else 0
    return (said > 0) - (said < 0) if not p.negated else (said < 0) - (said > 0)


def of_party(p: Proposition) -> bool:
    return any(concept.field in PARTIES for concept in _nouns(p))


def _political(p: Proposition) -> bool:
    said = [lexicon().verbs[p.verb]] if p.verb != "be" else []
    return any(concept.field in POLITICAL for concept in (*said, *_nouns(p)))


def _nouns(p: Proposition) -> list[Concept]:
    nouns = (lexicon().nouns.get(part.noun) for part in (p.subject, p.object) if part is not None)
    return [noun for noun in nouns if noun is not None]


def _first(purpose: str, coloured: bool, chance: Chance) -> Act:
    """The sentence that does what the post is for."""
    about = Domain(PARTIES if coloured else STATE, place=0.05)
    who = chance.pick((ME, ME, WE))
    if purpose == "mobilization":
        calm = replace(about, time=0.0, place=0.0)
        call = proposition(calm, chance, subject=YOU, verb=chance.pick(CALLS), tense="present", negated=False)
        return Act("urge", request(call, chance))
    if purpose in ("attack", "support"):
        return Act("state", _judged(about.fields, 1 if purpose == "support" else -1, chance))
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
        family = Entity(chance.pick(RELATIVES), chance.pick(("my", "our")))
        return Act("state", proposition(EVERYWHERE, chance, subject=chance.pick((who, who, family))))
    while True:  # everyday life, without the writer and without politics
        p = proposition(Domain(EVERYDAY), chance)
        if message_of((Act("state", p),)) == "other":
            return Act("state", p)


def _address(audience: str, chance: Chance) -> Act:
    noun = chance.pick(LOCAL if audience == "constituency" else (*NATIONAL, *NATIONAL, *LOCAL))
    quantity = "our" if audience == "constituency" else chance.pick(("the", "every", "most"))
    if lexicon().is_a(noun, "place") and quantity != "our":
        quantity = "the"
    whom = Entity(noun, quantity, many=quantity != "every" and lexicon().is_a(noun, "person"))
    verbs = [verb for verb in _addressing() if lexicon().fits(noun, lexicon().verbs[verb].objects)]
    return Act("state", Proposition(IT, chance.pick(verbs), whom, tense="present"))


def _judged(fields: tuple[str, ...], sign: int, chance: Chance) -> Proposition:
    """Someone or something political is good or bad, or does good or bad; sometimes by denying the opposite."""
    words = lexicon()
    while True:
        negated = chance.flip(0.2)
        raw = -sign if negated else sign
        verbs = _valued(fields, raw)
        if verbs and chance.flip(0.3):
            p = proposition(Domain(fields, time=0.1), chance, verb=chance.pick(verbs), negated=negated)
        else:
            what = entity((*ACTORS, "policy"), Domain(fields, names=0.0, quality=0.1), chance, quantity="the")
            good = words.adjectives_of(what.noun, JUDGING, raw)
            p = Proposition(what, "be", quality=chance.pick(good or ("",)), negated=negated, tense="present")
        fits = (
            judgement(p) == sign
            and _political(p)
            and not {p.subject.quantity, p.object.quantity if p.object else ""} & SCARCE
        )
        if fits and (of_party(p) or fields != PARTIES) and (fields == PARTIES or not of_party(p)):
            return p


def _unjudged(fields: tuple[str, ...], chance: Chance) -> Proposition:
    while True:
        p = proposition(Domain(fields, names=0.1, place=0.05), chance)
        if judgement(p) == 0 and _political(p) and (fields == PARTIES or not of_party(p)):
            return p


@cache
def _addressing() -> tuple[str, ...]:
    return lexicon().verbs_of(("address",))


@cache
def _valued(fields: tuple[str, ...], sign: int) -> tuple[str, ...]:
    return tuple(verb for verb in lexicon().verbs_of(fields) if lexicon().verbs[verb].value * sign > 0)


TWINS = (
    twin_of("cf_political_audience", Post("audience")),
    twin_of("cf_political_bias", Post("bias")),
    twin_of("cf_political_message", Post("message")),
)
