"""Emotion of a tweet: what its writer feels, told, shown, caused or by denial of the opposite; not what others feel.

Compound emotions are two basic ones together, as in Plutchik's wheel (1980): awe is fear with surprise. Hard messages
tell of other people's feelings, in words of which each is rare, and say of whom it is not true, "it was Anna and not I
who was sad", or whose feeling the writer shares: "Anna was sad, Ben was not. I felt as Ben did".
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import ClassVar, TypeVar

from tasks.sources.simulated.chance import Chance
from tasks.sources.simulated.clause import Style, Token, Tokens, fixed, noun_phrase, realise
from tasks.sources.simulated.compose import DENYING, EVERYWHERE, entity, proposition, settled
from tasks.sources.simulated.feelings import emotion, of_writer, telling
from tasks.sources.simulated.lexicon import lexicon
from tasks.sources.simulated.meaning import TIMES, Entity, Proposition, Tense
from tasks.sources.simulated.registers import style_of, write
from tasks.sources.simulated.twin import twin_of

T = TypeVar("T")
Recipe = tuple[str, ...]  # fields of the emotions felt, in alphabetical order
WRITER = (Entity("I", "pronoun"), Entity("I", "pronoun"), Entity("I", "pronoun"), Entity("we", "pronoun"))
DETAILED = replace(EVERYWHERE, quality=0.45, time=0.4)
# What is on a day, as "my birthday was yesterday" says; other events happen.
DATED = ("gathering", "birthday", "birthday party", "anniversary", "wedding", "funeral", "exam", "deadline", "debut",
         "due date", "big day", "day off", "date", "opening night", "kick-off", "sleepless night", "graduation party",
         "garden party", "housewarming", "surprise party", "rehearsal", "driving test", "checkup",
         "sleepover")  # fmt: skip
DEGREES = ("", "", "so", "very", "really", "quite")


@dataclass(frozen=True)
class Alike:
    """That someone felt as another person did."""

    subject: Entity
    other: Entity


Meaning = tuple[Proposition | Alike, ...]


@dataclass(frozen=True)
class Emotion:
    """Short messages about what the writer and others feel and do.

    Attributes:
        classes: Class name, share, and recipes: sets of emotion fields that the writer feels, () for none.
        modes: Weights of telling a feeling, showing it, naming its cause, denying its opposite, at difficulty 1; at 0
            feelings are told.
        others: Probability at difficulty 0.5 that other people's feelings are told too; twice that at 1.
        crowd: Fewest and most feelings of a message that tells of other people's.
        everyday: Fewest and most statements without feeling where nobody else's is told; at least one where nobody
            feels anything.
    """

    hard_by: ClassVar[str] = (
        "whose feeling it is, and rare words: few words name a feeling, and nobody but the writer has one (0); a "
        "feeling has 20 to 40 words, others have feelings too, and the writer felt, or not, as one of them did (1)"
    )

    space: str
    classes: tuple[tuple[str, float, tuple[Recipe, ...]], ...]
    modes: tuple[float, float, float, float] = (4, 3, 2, 1.5)
    others: float = 0.5
    crowd: tuple[int, int] = (2, 2)
    everyday: tuple[int, int] = (0, 2)
    register: str = "tweet"
    difficulty: float = 0.5

    @property
    def labels(self) -> tuple[str, ...]:
        return tuple(name for name, _, _ in self.classes)

    @cached_property
    def shares(self) -> tuple[float, ...]:
        total = sum(share for _, share, _ in self.classes)
        return tuple(share / total for _, share, _ in self.classes)

    @cached_property
    def class_of(self) -> Mapping[Recipe, int]:
        return {recipe: index for index, (_, _, recipes) in enumerate(self.classes) for recipe in recipes}

    @cached_property
    def fields(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(field for _, _, recipes in self.classes for recipe in recipes for field in recipe))

    def draw(self, chance: Chance) -> Meaning:
        _, _, recipes = self.classes[chance.weighted(range(len(self.classes)), self.shares)]
        recipe = chance.pick(recipes)
        told = [self._feeling(chance.pick(WRITER), field, chance) for field in recipe]
        crowded = chance.flip(min(1.0, 2 * self.others * self.difficulty))
        if crowded and chance.flip(self.difficulty):
            return self._compared(recipe, chance)
        if crowded:  # as many feelings in all, whatever the writer's are: their number says nothing
            felt = list(recipe)
            for _ in range(max(1, chance.between(*self.crowd) - len(recipe))):
                felt.append(self._field_of_others(felt, chance))
                told.append(self._feeling(_someone(chance), felt[-1], chance))
        for _ in range(max(0 if crowded else chance.between(*self.everyday), not told)):
            told.append(proposition(DETAILED, chance, subject=_anyone(chance)))
        return tuple(chance.sample(told, len(told)))

    def _compared(self, recipe: Recipe, chance: Chance) -> Meaning:
        """What several people feel, and that the writer, or one more of them, felt as some of them did."""
        felt = list(recipe)
        while len(felt) < max(chance.between(*self.crowd), len(recipe) + 1):
            felt.append(self._field_of_others(felt, chance))
        people = {someone.noun: someone for someone in (_someone(chance) for _ in range(40))}
        *others, another = list(people.values())[: len(felt) + 1]
        told = [self._feeling(who, field, chance, caused=False) for who, field in zip(others, felt, strict=True)]
        subject = chance.pick(WRITER) if recipe else another
        alike = [Alike(subject, who) for who in others[: max(1, len(recipe))]]
        return (*chance.sample(told, len(told)), *alike)

    def _field_of_others(self, felt: list[str], chance: Chance) -> str:
        """A feeling that is not told yet, drawn like the writer's: its word tells nothing of whose it is."""
        while True:
            _, _, recipes = self.classes[chance.weighted(range(len(self.classes)), self.shares)]
            left = [field for field in chance.pick(recipes) if field not in felt]
            if left:
                return chance.pick(left)

    def label(self, meaning: Meaning) -> float:
        told = [p for p in meaning if isinstance(p, Proposition)]
        shared = {a.other.noun for a in meaning if isinstance(a, Alike) and a.subject in WRITER}
        felt = {emotion(p) for p in told if of_writer(p) or p.subject.noun in shared} & set(self.fields)
        return self.class_of[tuple(sorted(field for field in felt if field is not None))]

    def write(self, meaning: Meaning, chance: Chance, split: str) -> tuple[str, str | None]:
        style = replace(style_of(self.register), passive=0.0, cleft=0.0, synonyms=self.difficulty)
        clauses: list[Tokens] = []
        told = [p for p in meaning if isinstance(p, Proposition)]
        opposed = 0.0 if len(told) < len(meaning) else self.difficulty
        for p in told:
            caused = p.verb == "be" and not p.quality and p.object is None
            said = p if not caused or lexicon().fits(p.subject.noun, DATED) else replace(p, verb="happen")
            if not caused and emotion(p) and not p.negated and chance.flip(opposed):
                clause = _opposed(p, style, chance)
            else:
                clause = realise(said, replace(style, fronting=0.0) if caused else style, chance)
            if clauses and emotion(p) and len(clauses[-1]) < 9 and chance.flip(0.4):
                link = ", but" if of_writer(p) != of_writer(told[len(clauses) - 1]) else "and"
                clauses[-1] = (*clauses[-1], *fixed(link), *clause)
            else:
                clauses.append(clause)
        clauses += [_alike(a, chance.flip(self.difficulty / 2), style, chance) for a in meaning if isinstance(a, Alike)]
        return write(self.register, clauses, chance), None

    def _words(self, words: tuple[T, ...]) -> tuple[T, ...]:
        """The words in use: the first third at difficulty 0, all at 1."""
        return words[: max(2, round(len(words) * (0.3 + 0.7 * self.difficulty)))]

    def _feeling(self, holder: Entity, field: str, chance: Chance, caused: bool = True) -> Proposition:
        """That someone feels something, in one of four ways; in another where the field has no words for it."""
        words, own = lexicon(), holder.quantity == "pronoun"
        tense: Tense = "past" if chance.flip(0.2 + 0.7 * self.difficulty) else "present"  # "am" would tell who
        mode = chance.weighted(range(4), self.modes) if chance.flip(self.difficulty) else 0
        shown = self._words(words.verbs_of((field,)))
        if mode == 1 and shown:
            verb = words.verbs[chance.pick(shown)]
            object = (
                entity(verb.objects, replace(EVERYWHERE, fields=(field,), quality=0), chance) if verb.objects else None
            )
            object = object and settled(object, DENYING)  # to mourn no uncle is not to mourn
            return Proposition(holder, verb.id, object, tense=tense)
        causes = self._words(words.nouns_of(("event",), (field,)))
        if mode == 2 and causes and caused:
            tense = chance.pick(("past", "present", "future"))
            time = "today" if tense == "present" else chance.pick(TIMES[tense][:6])
            whose = ("my", "my", "our") if own else ("her", "his", "their")
            return Proposition(Entity(chance.pick(causes), chance.pick(whose)), "be", tense=tense, time=time)
        denials = self._words(telling(field, True))
        negated = mode == 3 and bool(denials)
        quality = chance.pick(denials if negated else self._words(telling(field, False)))
        brief = chance.flip(self.difficulty)  # the room goes to the feelings of others
        time = chance.pick(TIMES[tense]) if tense == "past" and not brief and chance.flip(0.4) else ""
        degree = "" if negated or brief else chance.pick(DEGREES)
        return Proposition(holder, "be", quality=quality, degree=degree, negated=negated, tense=tense, time=time)


def _opposed(p: Proposition, style: Style, chance: Chance) -> Tokens:
    """Who feels it, and who does not: "Anna, not I, was sad"; the writer is named in either part."""
    plain = replace(style, fronting=0.0, contractions=0.0)
    one = noun_phrase(p.subject, plain, chance)
    return _set_against(p.subject, realise(p, plain, chance)[len(one) :], "is" if p.tense == "present" else "was",
                        plain, chance)  # fmt: skip


def _alike(alike: Alike, opposed: bool, style: Style, chance: Chance) -> Tokens:
    """Who felt as whom: "I felt as Ben did", or set against another one, as above."""
    felt = (*fixed("felt as"), *noun_phrase(alike.other, style, chance), *fixed("did"))
    if opposed:
        return _set_against(alike.subject, felt, "was", style, chance)
    return (*noun_phrase(alike.subject, style, chance), *felt)


def _set_against(who: Entity, felt: Tokens, was: str, style: Style, chance: Chance) -> Tokens:
    other = _someone(chance) if who in WRITER else chance.pick(WRITER)
    one, two = noun_phrase(who, style, chance), noun_phrase(other, style, chance)
    way = chance.below(3)
    if way == 0:
        return (*one, *fixed(", not"), *two, *fixed(","), *felt)
    if way == 1:
        return (*fixed("not"), *two, *fixed("but"), *one, *felt)
    return (*fixed(f"it {was}"), *one, *fixed("and not"), *two, Token("who", "relative"), *felt)


def _anyone(chance: Chance) -> Entity | None:
    """Whom an everyday statement is about; None leaves it open."""
    return chance.weighted((chance.pick(WRITER), _someone(chance), None), (5, 3, 2))


def _someone(chance: Chance) -> Entity:
    if chance.flip(0.5):
        return Entity(chance.pick(lexicon().names_of("person")), "name")
    return Entity(
        chance.pick(lexicon().nouns_of(("relative", "friend", "neighbour"))), chance.pick(("my", "my", "the", "her"))
    )


EMOTIONS = (
    ("anger", 0.003, (("anger",),)), ("boredom", 0.005, (("boredom",),)), ("empty", 0.022, (("emptiness",),)),
    ("enthusiasm", 0.02, (("enthusiasm",),)), ("fun", 0.045, (("fun",),)), ("happiness", 0.129, (("joy",),)),
    ("hate", 0.033, (("hate",),)), ("love", 0.094, (("love",),)), ("neutral", 0.215, ((),)),
    ("relief", 0.039, (("relief",),)), ("sadness", 0.129, (("sadness",),)), ("surprise", 0.055, (("surprise",),)),
    ("worry", 0.212, (("worry",),)),
)  # fmt: skip
PRIMARY = (
    ("Aggression", 0.017, (("anger", "anticipation"),)),
    ("Ambiguous", 0.04, (("joy", "sadness"), ("disgust", "trust"), ("anger", "fear"), ("anticipation", "surprise"))),
    ("Anger", 0.066, (("anger",),)), ("Anticipation", 0.068, (("anticipation",),)),
    ("Awe", 0.013, (("fear", "surprise"),)), ("Contempt", 0.033, (("hate",), ("anger", "disgust"))),
    ("Disapproval", 0.129, (("sadness", "surprise"),)), ("Disgust", 0.017, (("disgust",),)),
    ("Fear", 0.049, (("fear",),)), ("Joy", 0.073, (("joy",),)), ("Love", 0.027, (("love",), ("joy", "trust"))),
    ("Neutral", 0.214, ((),)), ("Optimism", 0.107, (("optimism",), ("anticipation", "joy"))),
    ("Remorse", 0.017, (("remorse",), ("disgust", "sadness"))), ("Sadness", 0.047, (("sadness",),)),
    ("Submission", 0.031, (("fear", "trust"),)), ("Surprise", 0.041, (("surprise",),)), ("Trust", 0.013, (("trust",),)),
)  # fmt: skip
TWINS = (
    twin_of("cf_emotion", Emotion("cf_emotion", EMOTIONS, difficulty=0.9)),
    twin_of(
        "cf_primary_emotions", Emotion("cf_primary_emotions", PRIMARY, crowd=(3, 3), everyday=(0, 1), difficulty=0.65)
    ),
)
