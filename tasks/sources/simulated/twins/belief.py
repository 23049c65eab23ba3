"""Belief: what the writer of a post holds to be so, whoever else is quoted (global warming).

It is not the tone of the words: to doubt that warming is a hoax is to hold it real, and so is to disagree with an uncle
who thinks that it is none. Attitudes are multiplied along the way from the statement to the writer.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from math import prod
from types import MappingProxyType
from typing import ClassVar

from tasks.sources.simulated.chance import Chance
from tasks.sources.simulated.clause import Tokens, fixed, realise
from tasks.sources.simulated.compose import Domain, proposition
from tasks.sources.simulated.lexicon import lexicon
from tasks.sources.simulated.meaning import Entity, Proposition
from tasks.sources.simulated.registers import style_of, write
from tasks.sources.simulated.twin import twin_of

SIDES: Mapping[str, int] = MappingProxyType({  # what a statement says of warming, by its verb, quality or object
    "retreat": 1, "thaw": 1, "warm the planet": 1, "bleach": 1, "exaggerate": -1, "manipulate": -1,
    "real": 1, "unreal": -1, "serious": 1, "negligible": -1, "pressing danger": 1, "hoax": -1, "swindle": -1,
})  # fmt: skip
VIEWS: Mapping[int, tuple[str, ...]] = MappingProxyType({
    1: ("", "", "", "I think that", "I am sure that", "nobody can deny that", "I do not doubt that", "I know that"),
    -1: ("I doubt that", "I do not believe that", "I refuse to believe that", "it is not true that",
         "nobody can show that", "it is a lie that"),
})  # fmt: skip
OTHERS_VIEWS: Mapping[int, tuple[str, ...]] = MappingProxyType({
    1: ("says that", "thinks that", "is sure that", "does not doubt that", "believes that"),
    -1: ("doubts that", "denies that", "does not believe that", "refuses to believe that"),
})  # fmt: skip
COMMENTS: Mapping[int, tuple[str, ...]] = MappingProxyType({
    1: ("That is right.", "I agree.", "So do I.", "How true.", "I cannot disagree."),
    -1: ("That is wrong.", "I disagree.", "I do not agree.", "How silly.", "That is not true."),
})  # fmt: skip
TURNS: Mapping[int, tuple[str, ...]] = MappingProxyType({  # what stands between a view and a statement
    1: ("it is true that", "it is a fact that", "it is right that"),
    -1: ("it is false that", "it is a lie that", "it is wrong that"),
})  # fmt: skip
HOLDERS = ("my uncle", "my neighbour", "the senator", "my teacher", "the mayor", "a climate scientist", "my boss",
           "the journalist", "a climate sceptic", "my sister")  # fmt: skip


@dataclass(frozen=True)
class Claim:
    """A statement, and who takes it to be so.

    Attributes:
        attitude: 1 where the holder believes it, -1 where the holder does not.
        holder: "" for the writer.
        comment: What the writer says of somebody else's view: 1 agrees, -1 disagrees, 0 says nothing.
        turns: For each clause between the view and the statement: 1 if it affirms what follows, -1 if it denies it.
    """

    content: Proposition
    attitude: int = 1
    holder: str = ""
    comment: int = 0
    turns: tuple[int, ...] = ()

    @property
    def held(self) -> int:
        """What the attitude and the turns make of the statement: 1 warming is real, -1 it is not, 0 nothing of it."""
        return side(self.content) * self.attitude * prod(self.turns)


@dataclass(frozen=True)
class Belief:
    """Whether the writer holds that warming is real.

    The words of a plain post tell as much as the post: so they do in most real ones, and most of the posts are
    plain at the default difficulty. What full fine-tuning loses on the others is less than what real annotators
    disagree about, so the twin is somewhat easier than the real task.

    Attributes:
        reported: Share of the posts with a chain that tell somebody else's view and comment on it.
    """

    hard_by: ClassVar[str] = (
        "chains of views: the writer says plainly what is so (0); each post is a chain of up to four attitudes, each "
        "of which may turn the statement round, half of them with another's view and the writer's comment (1)"
    )

    labels: tuple[str, ...] = ("No", "Yes")
    shares: tuple[float, ...] = (0.268, 0.732)
    space: str = "cf_global_warming"
    register: str = "tweet"
    fields: tuple[str, ...] = ("climate", "weather", "home", "travel")
    reported: float = 0.5
    difficulty: float = 0.45

    @property
    def denials(self) -> float:
        """Share of statements that deny one of the other side."""
        return 0.3 * self.difficulty

    def draw(self, chance: Chance) -> tuple[Claim, ...]:
        wanted = 1 if chance.flip(self.shares[1]) else -1
        if not chance.flip(self.difficulty):
            claim = Claim(_climate(wanted, self.denials, chance))
        else:
            content = _climate(chance.pick((1, -1)), self.denials, chance)
            turns = tuple(chance.pick((1, -1)) for _ in range(2) if chance.flip(self.difficulty))
            claim = Claim(content, turns=turns)
            if chance.flip(self.reported):
                claim = replace(claim, attitude=chance.pick((1, -1)), holder=chance.pick(HOLDERS))
                claim = replace(claim, comment=claim.held * wanted)
            else:
                claim = replace(claim, attitude=claim.held * wanted)
        if chance.flip(0.24 * self.difficulty):
            return claim, Claim(
                _climate(chance.pick((1, -1)), self.denials, chance), chance.pick((1, -1)), chance.pick(HOLDERS)
            )
        return tuple(chance.sample([claim, *(self._aside(chance) for _ in range(2 if chance.flip(0.3) else 1))], 3))

    def _aside(self, chance: Chance) -> Claim:
        aside = proposition(Domain((chance.pick(self.fields),), negation=0.2), chance)
        return self._aside(chance) if side(aside) else Claim(aside)

    def label(self, meaning: tuple[Claim, ...]) -> float:
        return float(sum(c.held * (c.comment if c.holder else 1) for c in meaning) > 0)

    def write(self, meaning: tuple[Claim, ...], chance: Chance, split: str) -> tuple[str, str | None]:
        return write(self.register, [t for c in meaning for t in self._said(c, chance)], chance, "climate"), None

    def _said(self, claim: Claim, chance: Chance) -> Iterator[Tokens]:
        style = replace(style_of(self.register), cleft=0.0)
        view = chance.pick(VIEWS[claim.attitude])
        if claim.holder:
            view = f"{claim.holder} {chance.pick(OTHERS_VIEWS[claim.attitude])}"
        if not side(claim.content):
            view = ""
        view = " ".join((view, *(chance.pick(TURNS[turn]) for turn in claim.turns))).strip()
        yield (*fixed(view), *realise(claim.content, replace(style, fronting=0.0) if view else style, chance))
        if claim.comment:
            yield fixed(chance.pick(COMMENTS[claim.comment]))


def side(p: Proposition) -> int:
    """1 for a statement by which warming is real, -1 for one by which it is not, 0 for one that says nothing of it."""
    told = SIDES.get(p.verb, 0) or SIDES.get(p.quality, 0) or (SIDES.get(p.object.noun, 0) if p.object else 0)
    return -told if p.negated else told


def _climate(wanted: int, denials: float, chance: Chance) -> Proposition:
    """A statement on the wanted side, at times the denial of one on the other."""
    words, warming = lexicon(), Entity("global warming", "bare")
    denied = chance.flip(denials)
    said = chance.pick([said for said, of in SIDES.items() if of == (-wanted if denied else wanted)])
    if said in words.nouns:
        return Proposition(warming, "be", Entity(said, "a"), negated=denied, tense="present")
    if said not in words.verbs:
        return Proposition(warming, "be", quality=said, negated=denied, tense="present")
    verb = words.verbs[said]
    subjects = words.nouns_of(verb.kinds, ("climate",)) or words.nouns_of(verb.kinds)
    object = Entity(chance.pick(words.nouns_of(verb.objects, ("climate",))), "the") if verb.objects else None
    if object is not None and object.noun == warming.noun:
        object = warming
    return Proposition(Entity(chance.pick(subjects), "the", (), True), said, object, negated=denied, tense="present")


TWINS = (twin_of("cf_global_warming", Belief()),)
