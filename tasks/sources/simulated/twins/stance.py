"""Stance: which side of a cause the writer of a post is on, and what the writer gives an opinion on (progressive).

`sides` adds both up from who says and does what about whom.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar, Literal

from tasks.sources.simulated.chance import Chance
from tasks.sources.simulated.clause import fixed, noun_phrase, realise
from tasks.sources.simulated.compose import Domain, entity
from tasks.sources.simulated.lexicon import lexicon
from tasks.sources.simulated.meaning import TIMES, Entity, Proposition, Tense
from tasks.sources.simulated.registers import style_of, write
from tasks.sources.simulated.sides import JUDGING, ME, OPINIONS, STANCES, Post, Remark, opinion_of, stance_of
from tasks.sources.simulated.text import join
from tasks.sources.simulated.twin import twin_of

BELIEVES = ("says that", "thinks that", "is sure that", "does not doubt that", "believes that")


@dataclass(frozen=True)
class Side:
    """On which side of a cause the writer is, and what the writer gives an opinion on, if on anything.

    Attributes:
        asks: Which of the two the task asks for.
        sides: Shares of against, for, neutral, none_of_the_above.
        opinions: Shares of no_opinion, opinion_on_other, opinion_on_target.
        targets: Causes.
    """

    hard_by: ClassVar[str] = (
        "whose side it is: the writer's own view of the cause is said plainly (0); it follows from a judgement, half "
        "of them denied, of those who are for or against the cause, beside views of others that do not count (1)"
    )

    asks: Literal["stance", "opinion"]
    sides: tuple[float, ...] = (0.414, 0.301, 0.01, 0.275)
    opinions: tuple[float, ...] = (0.073, 0.296, 0.631)
    space: str = "cf_progressive"
    register: str = "tweet"
    targets: tuple[str, ...] = (
        "equality march", "minimum wage", "paid leave", "gender equality", "equal marriage", "prison reform", "sit-in",
        "police reform", "wealth tax", "social programme", "food aid plan", "strike", "boycott", "housing subsidy",
        "green energy plan",
    )  # fmt: skip
    difficulty: float = 1.0

    @property
    def labels(self) -> tuple[str, ...]:
        return STANCES if self.asks == "stance" else OPINIONS

    @property
    def shares(self) -> tuple[float, ...]:
        return self.sides if self.asks == "stance" else self.opinions

    def draw(self, chance: Chance) -> Post:
        stance, opinion = chance.weighted(STANCES, self.sides), chance.weighted(OPINIONS, self.opinions)
        target = _cause(chance.pick(self.targets))
        signs = {"for": (1,), "against": (-1,), "neutral": (1, -1), "none_of_the_above": ()}[stance]
        if opinion == "opinion_on_target":
            told = [self._judgement(target, sign, chance) for sign in signs]
            told = told or [Remark(_described(target, chance), True)]
            told.append(self._news(target, chance))
        elif opinion == "opinion_on_other":
            other = _other(chance)
            if len(signs) == 1 and chance.flip(min(1.0, 1.5 * self.difficulty)):  # its friend or enemy is judged
                ally = chance.pick((1, -1))
                told = [self._sides(other, ally, target, chance), self._judgement(other, ally * signs[0], chance)]
            else:
                told = [self._judgement(other, chance.pick((1, -1)), chance)]
                told += [_act(target, sign, chance) for sign in signs] or [self._news(target, chance, other.noun)]
        else:
            told = [_act(target, sign, chance) for sign in signs] or [self._news(target, chance)]
            told.append(self._news(target, chance))
        return Post(target.noun, tuple(told if chance.flip(0.5) else told[::-1]))

    def label(self, meaning: Post) -> float:
        found = stance_of(meaning) if self.asks == "stance" else opinion_of(meaning)
        return self.labels.index(found)

    def write(self, meaning: Post, chance: Chance, split: str) -> tuple[str, str | None]:
        style = replace(style_of(self.register), cleft=0.0, passive=0.0)
        told = []
        for remark in meaning.remarks:
            view = chance.pick(("I think that", "I find that", "in my view", "to me,")) if remark.mine else ""
            if remark.holder is not None:
                view = f"{join(noun_phrase(remark.holder, style, chance))} {chance.pick(BELIEVES)}"
            told.append((*fixed(view), *realise(remark.what, replace(style, fronting=0.0) if view else style, chance)))
        return write(self.register, told, chance, meaning.target), None

    def _judgement(self, about: Entity, sign: int, chance: Chance, own: bool = True) -> Remark:
        """A judgement of either polarity, denied where need be; the writer's own, or else somebody's."""
        words, denied = lexicon(), chance.flip(self.difficulty / 2)
        value = -sign if denied else sign
        verbs = _judging(about, value)
        if own and verbs and chance.flip(0.25):
            return Remark(Proposition(ME, chance.pick(verbs), about, negated=denied, tense="present"))
        fitting = words.adjectives_of(about.noun, ("praise", "blame"), value)
        quality = chance.pick(fitting[: max(4, round(len(fitting) * (0.2 + 0.8 * self.difficulty)))])
        degree = "" if denied else chance.pick(("", "", "really", "so", "quite"))
        told = Proposition(about, "be", quality=quality, degree=degree, negated=denied, tense="present")
        return Remark(told, own and chance.flip(0.3))

    def _sides(self, other: Entity, sign: int, target: Entity, chance: Chance) -> Remark:
        """Somebody else's side, told by what is done or what is thought."""
        if chance.flip(0.5 + 0.3 * self.difficulty):
            return replace(self._judgement(target, sign, chance, own=False), holder=other)
        words = lexicon()
        deeds = [v for v in ("support", "oppose", "rally behind", *words.verbs_of(("stance",), True))
                 if words.verbs[v].value * sign > 0 and words.fits(target.noun, words.verbs[v].objects)]  # fmt: skip
        return Remark(Proposition(other, chance.pick(deeds), target, tense=chance.pick(("present", "past"))))

    def _news(self, target: Entity, chance: Chance, judged: str = "") -> Remark:
        """What others think or do, or a plain fact: nothing that takes the writer's side; not of who is judged."""
        other = _other(chance)
        while other.noun == judged:
            other = _other(chance)
        if not chance.flip(min(1.0, 1.5 * self.difficulty)):
            return _fact(target, chance, other)
        # Posts that judge the cause tell how people are judged, and those that judge people how the cause is: so the
        # words do not tell what the writer judges.
        way = chance.weighted(("sides", "other", "plain"), (1, 1 + 3 * self.difficulty, 1))
        if way == "plain":  # what the writer might have put as an opinion
            described = _described(target, chance)
            return Remark(described) if chance.flip(0.5) else Remark(described, holder=other)
        about = _other(chance)
        if way == "sides" or about.noun == other.noun:
            return self._sides(other, chance.pick((1, -1)), target, chance)
        if chance.flip(0.25):  # as the writer puts it of whom the writer judges
            return Remark(
                Proposition(other, chance.pick(_judging(about, chance.pick((1, -1)))), about, tense="present")
            )
        return replace(self._judgement(about, chance.pick((1, -1)), chance, own=False), holder=other)


PLAIN = ("new", "old", "long", "brief", "common", "rare", "ordinary", "unusual", "temporary", "permanent", "local",
         "simple", "complex", "public", "private", "official", "unofficial", "familiar", "unfamiliar")  # fmt: skip
BARE = ("paid leave", "gender equality", "equal marriage", "prison reform", "police reform")


def _judging(about: Entity, sign: int) -> list[str]:
    """Verbs by which somebody judges something well or badly."""
    verbs = [lexicon().verbs[verb] for verb in JUDGING if verb in lexicon().verbs]
    return [verb.id for verb in verbs if lexicon().fits(about.noun, verb.objects) and verb.value * sign > 0]


def _cause(noun: str) -> Entity:
    return Entity(noun, "bare" if lexicon().nouns[noun].mass or noun in BARE else "the")


def _other(chance: Chance) -> Entity:
    domain = Domain(("legislation", "governance", "activism", "campaign"), names=0, quality=0)
    somebody = entity(("politician", "activist", "journalist"), domain, chance, quantity=chance.pick(("the", "our")))
    return replace(somebody, many=False)


def _described(about: Entity, chance: Chance) -> Proposition:
    fitting = [quality for quality in lexicon().adjectives_of(about.noun, ("general",), 0) if quality in PLAIN]
    return Proposition(about, "be", quality=chance.pick(fitting), negated=chance.flip(0.2), tense="present")


def _act(target: Entity, sign: int, chance: Chance) -> Remark:
    """What the writer does for the cause, or against it."""
    verbs = [v for v in lexicon().verbs_of(("stance",), True) if lexicon().verbs[v].value * sign > 0]
    tense: Tense = chance.pick(("past", "past", "future"))
    time = chance.pick(TIMES[tense]) if chance.flip(0.4) else ""
    return Remark(Proposition(ME, chance.pick(verbs), target, tense=tense, time=time))


def _fact(target: Entity, chance: Chance, other: Entity) -> Remark:
    """Something about the cause that takes no side."""
    verbs = ("discuss", "mention", "ask about", "learn about", "describe", "explain")
    verb = chance.pick([v for v in verbs if lexicon().fits(target.noun, lexicon().verbs[v].objects)])
    tense: Tense = chance.pick(("past", "past", "present"))
    time = chance.pick(TIMES[tense]) if chance.flip(0.4) else ""
    return Remark(Proposition(other, verb, target, tense=tense, time=time))


TWINS = (
    twin_of("cf_progressive_opinion", Side(asks="opinion")),
    twin_of("cf_progressive_stance", Side(asks="stance")),
)
