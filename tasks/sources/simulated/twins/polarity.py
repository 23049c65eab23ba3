"""Polarity: what a writer thinks of something, computed from values of words, denial, contrast and what is merely said.

"Although the script is witty, I did not enjoy the film": the clause that counts is the main one, a praise denied.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cache
from typing import ClassVar

from tasks.sources.simulated.chance import Chance
from tasks.sources.simulated.clause import fixed
from tasks.sources.simulated.compose import Domain, proposition
from tasks.sources.simulated.lexicon import Concept, lexicon
from tasks.sources.simulated.meaning import Entity, Proposition, Tense
from tasks.sources.simulated.opinions import Judgement, Opinion, argued, polarity, said
from tasks.sources.simulated.registers import style_of, write
from tasks.sources.simulated.twin import twin_of

OPINION = ("praise", "blame")
ME, US, THEY = Entity("I", "pronoun"), Entity("we", "pronoun"), Entity("they", "pronoun")
LEAST = 0.08  # share of opinions, at difficulty 0, that the words alone do not tell
# Ways to compose a judgement, with their weights where the words alone do not tell.
COMPOSED = {"negated": 6, "contrast": 9, "concession": 5, "unreal": 4, "who": 3}
OPENERS = (
    "in my view ,",
    "to be honest ,",
    "for me ,",
    "frankly ,",
    "overall ,",
    "in the end ,",
    "all in all ,",
    "I think",
)
STUCK = (" well", " waiting", " behind")  # "left behind us" is no clause


@dataclass(frozen=True)
class Polarity:
    """Opinions on the things of a domain.

    Attributes:
        domain: What the writers judge; its `fields` must have nouns that adjectives of opinion describe.
        labels: Two classes, negative and positive, or three with neutral between them.
        composed: Share of opinions, at difficulty 1, that only denial, contrast, concession or mode decide.
        attitudes, events: Shares of judgements by a verb ("I enjoyed the film") and of good or bad events.
        facts: Weights of 0, 1, 2, ... sentences without an opinion.
        openers: Share of opinions that begin with "in my view" and the like.
        spared: Nouns that are not judged: those who judge.
        writer: What sort of person writes, which says what "I" can do.
        wishes: Share of texts, at difficulty 1, that also hope for something good or ask for something bad.
    """

    domain: Domain
    register: str
    shares: tuple[float, ...]
    labels: tuple[str, ...]
    space: str
    composed: float = 0.9
    attitudes: float = 0.3
    events: float = 0.0
    facts: tuple[float, ...] = (1,)
    openers: float = 0.35
    spared: tuple[str, ...] = ("critic", "filmgoer", "passenger", "stowaway")
    writer: str = "person"
    wishes: float = 0.4
    difficulty: float = 0.5
    hard_by: ClassVar[str] = (
        "composition: nearly all opinions are in their words (0); nearly all are turned round, by denial, contrast, "
        "concession, what could have been or who will think so, several of these in one text, beside wishes (1)"
    )

    def draw(self, chance: Chance) -> Opinion:
        classes = (-1, 0, 1) if len(self.labels) == 3 else (-1, 1)
        sign = chance.weighted(classes, self.shares)
        n = chance.weighted(range(len(self.facts)), self.facts)
        facts = [self._fact(chance) for _ in range(n if sign else max(n, 1))]
        if chance.flip(self.wishes * self.difficulty):  # an evaluation that is none: asked or hoped for
            wanted, mode = chance.pick(((1, "hoped"), (1, "asked"), (-1, "asked")))
            wish = self._judgement(wanted, chance, negated=False, mode=mode)
            facts = chance.sample([*facts[sign == 0 :], wish], len(facts) + 1)  # alone, or beside the others
        if sign == 0:
            return Opinion(tuple(facts))
        kind = "plain"
        if chance.flip(LEAST + self.difficulty * (self.composed - LEAST)):
            kind = chance.weighted(tuple(COMPOSED), tuple(COMPOSED.values()))
        return replace(self._opinion(kind, sign, chance), facts=tuple(facts))

    def label(self, meaning: Opinion) -> float:
        sign = polarity(meaning)
        return float(sign + 1) if len(self.labels) == 3 else float(sign > 0)

    def write(self, meaning: Opinion, chance: Chance, split: str) -> tuple[str, str | None]:
        style = style_of(self.register)
        told = [said(fact, style, chance) for fact in meaning.facts]
        if meaning.first is not None:
            at = chance.below(len(told) + 1)
            clauses = argued(meaning, style, chance)
            if chance.flip(self.openers) and clauses[0][0].text[:1].islower() != clauses[0][0].text.startswith("what"):
                clauses[0] = (*fixed(chance.pick(OPENERS)), *clauses[0])
            told[at:at] = clauses
        topic = self.domain.fields[0] if chance.flip(0.7) else ""
        return write(self.register, told, chance, topic), None

    def _opinion(self, kind: str, sign: int, chance: Chance) -> Opinion:
        if kind == "plain":
            first = self._judgement(sign, chance, negated=False, mode="thanks" if chance.flip(self.events / 4) else "")
            if first.mode or chance.flip(0.45):
                return Opinion((), first)
            return Opinion((), first, self._judgement(sign, chance, negated=False, like=first), "and")
        if kind == "negated":
            return Opinion((), self._judgement(sign, chance, negated=True))
        if kind == "unreal":
            return Opinion((), self._judgement(sign, chance, negated=False, mode="unreal"))
        if kind == "who":
            return self._foretold(sign, chance)
        link = "but" if kind == "contrast" else chance.pick(("although", "although first"))
        first = self._part(sign if link == "although" else -sign, chance)
        second = self._part(-sign if link == "although" else sign, chance, like=first)
        conceded = self._part(-sign, chance) if link == "but" and chance.flip(0.4 * self.difficulty) else None
        return Opinion((), first, second, link, conceded)

    def _part(self, sign: int, chance: Chance, like: Judgement | None = None) -> Judgement:
        """One side of a contrast or concession, which may be turned round itself."""
        if chance.flip(0.3 * self.difficulty):
            return self._judgement(sign, chance, negated=False, mode="unreal", like=like)
        return self._judgement(sign, chance, negated=chance.flip(0.5 * self.difficulty), like=like)

    def _judgement(
        self, sign: int, chance: Chance, negated: bool, mode: str = "", like: Judgement | None = None
    ) -> Judgement:
        """A judgement of a given sign; `like` names one whose object may come up again."""
        want = -sign if negated != (mode == "unreal") else sign
        if mode == "thanks" or (not mode and chance.flip(self.events)):
            events = _events(self.domain.fields, want)
            if events:
                return Judgement(self._event(chance.pick(events), negated, chance), mode)
        mode = "" if mode == "thanks" else mode
        target = like.about.subject if like and like.about.verb == "be" and chance.flip(0.35) else None
        if target is None or not _verdicts(target.noun, self.domain.fields, want):
            noun = chance.pick(_targets(self.domain.fields, self.spared))
            target = Entity(noun, chance.pick(("the", "the", "the", "this")), (), chance.flip(0.2))
        attitudes = _attitudes(target.noun, want)
        if attitudes and not mode and chance.flip(self.attitudes):
            who = chance.weighted((ME, US), (4, 1))
            when = like.about.tense if like else "past"
            return Judgement(Proposition(who, chance.pick(attitudes), target, negated=negated, tense=when), mode)
        quality = chance.pick(_verdicts(target.noun, self.domain.fields, want))
        strong = abs(lexicon().adjectives[quality].value) > 1  # "very good", not "very superb"
        degrees = ("", "", "really") if strong else ("", "", "", "very", "really", "quite", "so")
        degree = chance.pick(degrees[:5] if negated else degrees) if mode != "unreal" else ""
        tense: Tense = "future" if mode == "hoped" else chance.pick(("past", "present"))
        if like is not None and like.about.tense in ("past", "present"):
            tense = like.about.tense
        return Judgement(Proposition(target, "be", quality=quality, degree=degree, negated=negated, tense=tense), mode)

    def _event(self, verb: str, negated: bool, chance: Chance) -> Proposition:
        plain = replace(self.domain, quality=0, names=0)
        event = proposition(plain, chance, verb=verb, negated=negated, tense="past")
        if event.object is None:
            return replace(event, subject=replace(event.subject, quantity=chance.pick(("the", "my", "our"))), place="")
        mine = replace(event.object, quantity=chance.pick(("my", "our")), many=False)
        if lexicon().is_a(mine.noun, "person"):
            mine = chance.pick((ME, US))
        return replace(event, subject=replace(event.subject, quantity="the", many=False), object=mine, place="")

    def _foretold(self, sign: int, chance: Chance) -> Opinion:
        """ "People who hate thrillers will enjoy this film"."""
        noun = chance.pick(
            [noun for noun in _targets(self.domain.fields, self.spared) if _attitudes(noun, 1) and _attitudes(noun, -1)]
        )
        negated = chance.flip(0.25)
        first, second = (chance.pick(_attitudes(noun, s)) for s in (-sign, -sign if negated else sign))
        sort = Entity(noun, "bare", (), True)
        return Opinion((), Judgement(Proposition(THEY, first, sort, tense="present")), Judgement(
            Proposition(THEY, second, Entity(noun, "this"), negated=negated, tense="future")), "who")  # fmt: skip

    def _fact(self, chance: Chance) -> Judgement:
        """A statement or question without a value."""
        verb = chance.pick(_neutral(self.domain.fields if chance.flip(1 - self.domain.general) else ("general",)))
        fact = proposition(replace(self.domain, quality=0, place=0), chance, verb=verb, negated=False)
        fact = replace(fact, subject=_usual(fact.subject, chance), object=fact.object and _usual(fact.object, chance))
        if chance.flip(self.domain.place):
            fact = replace(fact, place=chance.pick(lexicon().names_of("place")))
        if lexicon().fits(self.writer, lexicon().verbs[verb].kinds) and chance.flip(0.6):
            fact = replace(fact, subject=chance.pick((ME, US)))
        mode = chance.pick(("", "", "asked"))
        if mode and fact.subject in (ME, US):  # "can I print out the boarding pass?"
            fact = replace(fact, tense="present", modal="can", time="")
        return Judgement(fact, mode)


def _usual(entity: Entity, chance: Chance) -> Entity:
    """With a quantity that things in short remarks have: what can be had may be mine."""
    if entity.quantity == "name":
        return entity
    owned = lexicon().fits(entity.noun, ("document", "garment", "device", "service")) and chance.flip(0.5)
    return replace(entity, quantity=chance.pick(("my", "our") if owned else ("the", "the", "a")))


@cache
def _targets(fields: tuple[str, ...], spared: tuple[str, ...]) -> tuple[str, ...]:
    """Nouns of the fields that can be praised and blamed."""
    kinds = ("person", "group", "work", "service", "device", "food", "event", "building", "idea")
    return tuple(noun for noun in lexicon().nouns_of(kinds, fields)
                 if not lexicon().fits(noun, spared)
                 and all(len(_verdicts(noun, fields, sign)) > 1 for sign in (-1, 1)))  # fmt: skip


@cache
def _verdicts(noun: str, fields: tuple[str, ...], sign: int) -> tuple[str, ...]:
    return lexicon().adjectives_of(noun, (*OPINION, *fields), sign)


@cache
def _attitudes(noun: str, sign: int) -> tuple[str, ...]:
    """Verbs of liking (sign 1) or disliking (-1) something."""
    return tuple(verb.id for verb in _valued(OPINION, sign) if lexicon().fits(noun, verb.objects)
                 and lexicon().fits("person", verb.kinds))  # fmt: skip


@cache
def _events(fields: tuple[str, ...], sign: int) -> tuple[str, ...]:
    return tuple(verb.id for verb in _valued(fields, sign))


@cache
def _neutral(fields: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(verb.id for verb in _valued(fields, 0)) or tuple(verb.id for verb in _valued(("general",), 0))


@cache
def _valued(fields: tuple[str, ...], sign: int) -> tuple[Concept, ...]:
    verbs = (lexicon().verbs[verb] for verb in lexicon().verbs_of(fields))
    return tuple(verb for verb in verbs if (verb.value > 0) - (verb.value < 0) == sign and not verb.id.endswith(STUCK))


TWINS = (
    twin_of("sst2", Polarity(Domain(("film",)), "review", (0.449, 0.551), ("0", "1"), "sst2", difficulty=0.2)),
    twin_of(
        "cf_airline",
        Polarity(
            Domain(("airline",), general=0, names=0.1, place=0.15, time=0.4),
            "tweet", (0.629, 0.212, 0.159), ("negative", "neutral", "positive"), "cf_airline",
            composed=0.8, attitudes=0.15, events=0.35, facts=(1, 3, 2), writer="passenger",
            spared=("passenger", "stowaway", "delay", "cancellation", "turbulence patch", "emergency landing"),
            difficulty=1.0,
        ),
    ),
)  # fmt: skip
