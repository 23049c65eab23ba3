"""Paraphrase: whether two texts say the same in other words, or nearly the same words say something else.

The second text repeats the propositions of the first, or changes one decisive part of one of them: who did it to whom,
whether it is so, what, when, where, how many, what is asked. Texts that say the same share no more words than others.
It is easy where a change is one of small words and little is reworded; hard where the same words stand in other places.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import ClassVar

from tasks.sources.simulated.chance import Chance
from tasks.sources.simulated.clause import Style, Tokens, fixed, noun_phrase, question, realise
from tasks.sources.simulated.compose import Domain, entity
from tasks.sources.simulated.lexicon import Word, lexicon
from tasks.sources.simulated.meaning import Entity, Proposition
from tasks.sources.simulated.registers import style_of, write
from tasks.sources.simulated.twin import twin_of
from tasks.sources.simulated.twins.similarity import kindred
from tasks.sources.simulated.variation import Voice, changed, normal, retold, statement

YOU = Entity("you", "pronoun")
# What is asked, and the ways of asking it: @ is a question, ~ a statement, ! a bare verb phrase.
_QUESTIONS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "whether": ("@", "is it true that ~", "has anyone heard whether ~", "do you know if ~"),
        "why": ("why @", "does anyone know why ~", "what is the reason that ~", "how come ~"),
        "when": ("when @", "does anyone know when ~", "at what time @", "can you tell me when ~"),
        "where": ("where @", "does anyone know where ~", "in which place @", "can you tell me where ~"),
        "how": (
            "how can I !",
            "what is the best way to !",
            "how do you !",
            "is there an easy way to !",
            "how should I !",
        ),
        "cost": ("how much does it cost to !", "what is the price if I want to !", "what would I pay to !"),
        "length": ("how long does it take to !", "how much time do I need to !", "how many hours do you need to !"),
        "advice": ("should I !", "is it a good idea to !", "is it wise to !", "would it be right to !"),
    }
)
QUESTIONS = {asked: tuple(Word(frame) for frame in frames) for asked, frames in _QUESTIONS.items()}
OF_DEEDS = ("whether", "why", "when", "where")
OF_ADVICE = ("how", "cost", "length", "advice")
SOURCES = tuple(Word(frame) for frame in ("^ said that ~", "^ reported that ~", "^ announced that ~",
                                          "according to ^, ~", "~, ^ said", "~, ^ explained"))  # fmt: skip
OPENERS = tuple(Word(opener) for opener in ("in fact,", "", "", "", "it turned out that", "as expected,", "of course,",
                                            "by all accounts,", "it is clear that"))  # fmt: skip
LINKS = tuple(Word(link) for link in (", and", ", while", ";", "; meanwhile,", "; at the same time,", ".",
                                      ". In addition,", ". Besides,", ". Moreover,"))  # fmt: skip
# Parts that near misses change (`WAYS`, `source`, `asked`), with their weights at difficulty 0 and 1.
NEAR_MISSES = (("denial", 6, 1), ("time", 4, 0), ("quantity", 3, 0), ("source", 1, 1), ("place", 1, 0),
               ("object", 1, 5), ("verb", 0, 3), ("comparison", 0, 5), ("roles", 0, 12))  # fmt: skip
ASKED_OTHERWISE = (("asked", 8, 0), ("denial", 4, 0), ("quantity", 2, 0), ("place", 1, 0), ("object", 1, 6),
                   ("verb", 0, 3), ("roles", 0, 12))  # fmt: skip


@dataclass(frozen=True)
class Statement:
    """A proposition, who says so, or what is asked about it."""

    proposition: Proposition
    source: Entity | None = None
    asked: str = ""


@dataclass(frozen=True)
class Pair:
    """The meanings of two texts, in the order in which they are said."""

    first: tuple[Statement, ...]
    second: tuple[Statement, ...]


def same(pair: Pair) -> bool:
    """Whether both say the same, in whatever order and terms."""
    one, other = (
        frozenset(replace(s, proposition=normal(s.proposition)) for s in side) for side in (pair.first, pair.second)
    )
    return one == other


@dataclass(frozen=True)
class Paraphrase:
    """Pairs about the topics of a domain.

    Attributes:
        domain: `fields` are topics, one of which a pair is about.
        statements: Clauses a text at difficulty 1. At 0 it is one, or in half of the texts where nothing is asked.
        asking: Whether the texts are questions.
        ways: Parts that near misses change, with their weights at difficulty 0 and 1.
        kept: Probability that the second text calls a thing as the first does, at difficulty 0 and 1.
        made_up: What a near miss adds to it, for the words that the change costs: so both kinds share as many words.
        difficulty: See `hard_by`.
    """

    domain: Domain
    register: str
    shares: tuple[float, ...]
    space: str
    statements: int = 2
    asking: bool = False
    ways: tuple[tuple[str, float, float], ...] = NEAR_MISSES
    kept: tuple[float, float] = (0.6, 0.1)
    made_up: tuple[float, float] = (0.35, 0.1)
    difficulty: float = 0.5
    labels: tuple[str, ...] = ("0", "1")
    hard_by: ClassVar[str] = (
        "near misses and rewording: texts that differ do so in a denial, a time, a number or what is asked, and call "
        "most things by the same names (0); they differ in who did it to whom, in an action or in a thing of the same "
        "kind, and, whether they say the same or not, half are passives, nearly all that has another name is called "
        "by it (1)"
    )

    def draw(self, chance: Chance) -> Pair:
        equal = chance.weighted((False, True), self.shares)
        while True:
            way = chance.weighted([way for way, _, _ in self.ways], [self._at(low, high) for _, low, high in self.ways])
            domain = replace(self.domain, fields=(chance.pick(self.domain.fields),))
            clauses = self._clauses(chance)
            first = [self._statement("" if position else way, domain, chance) for position in range(clauses)]
            other = [replace(s, proposition=retold(s.proposition)) if chance.flip(0.6) else s for s in first]
            if not equal:
                other[0] = self._missed(other[0], way, domain, chance)
            pairs = chance.sample(range(len(first)), len(first))
            first = [first[position] for position in pairs]
            if chance.flip(0.6):
                pairs = chance.sample(range(len(first)), len(first))
            drawn = Pair(tuple(first), tuple(other[position] for position in pairs))
            if same(drawn) == equal:
                return drawn

    def label(self, meaning: Pair) -> float:
        return float(same(meaning))

    def write(self, meaning: Pair, chance: Chance, split: str) -> tuple[str, str | None]:
        kept = self._at(*self.kept)
        near = kept + (0 if same(meaning) else self._at(*self.made_up))
        first, frame = Voice(chance), Voice(chance)
        text = self._text(meaning.first, first, frame)
        text_b = self._text(meaning.second, Voice(chance, first.said, near), Voice(chance, frame.said, kept))
        return (text, text_b) if text != text_b else self.write(meaning, chance, split)

    def _at(self, easiest: float, hardest: float) -> float:
        """What lies between two values at the difficulty."""
        return easiest + self.difficulty * (hardest - easiest)

    def _clauses(self, chance: Chance) -> int:
        more = self.difficulty if self.asking else 0.5 + self.difficulty
        return self.statements if chance.flip(more) else 1

    def _text(self, side: tuple[Statement, ...], voice: Voice, frame: Voice) -> str:
        """One of the texts: a voice names things, and another says what stands around clauses, so that only the
        words for things make up for a change."""
        style = style_of(self.register)
        style = replace(style, passive=self._at(style.passive, 0.5))  # then the order of words says nothing
        clauses = [_asked(s, style, voice, frame) if s.asked else _told(s, style, voice, frame) for s in side]
        link = frame.pick(LINKS).base
        if not self.asking:
            clauses[0] = (*fixed(frame.pick(OPENERS).base), *clauses[0])
        if len(clauses) == 2 and link[0] == "." and not self.asking:
            clauses[1] = (*fixed(link[1:]), *clauses[1])
        elif len(clauses) == 2 and not self.asking:
            clauses = [(*clauses[0], *fixed(link), *clauses[1])]
        return write(self.register, clauses, voice)

    def _statement(self, way: str, domain: Domain, chance: Chance) -> Statement:
        if not self.asking:
            source = entity(("person", "group"), replace(domain, quality=0, names=0.7), chance, quantity="the")
            p = statement(way or chance.pick(("object", "object", "object", "time")), domain, chance)
            return Statement(p, source if way == "source" or chance.flip(0.2) else None)
        asked = chance.pick(OF_DEEDS if way in ("roles", "denial") else (*OF_DEEDS, *OF_ADVICE))
        p = statement(way, replace(domain, time=domain.time * (asked != "when")), chance)
        p = replace(p, place="") if asked == "where" else replace(p, time="") if asked == "when" else p
        if asked in OF_ADVICE and not lexicon().fits("person", lexicon().verbs[p.verb].kinds):
            asked = "why"
        if asked in OF_ADVICE:
            p = replace(p, subject=YOU, tense="present", time="", negated=False)
        return Statement(p, asked=asked)

    def _missed(self, s: Statement, way: str, domain: Domain, chance: Chance) -> Statement:
        """The statement with one decisive part changed."""
        if way == "source" and s.source is not None:
            someone = entity(
                ("person", "group"), replace(domain, quality=0, names=0.7), chance, other_than=s.source.noun
            )
            return replace(s, source=someone)
        other = changed(s.proposition, way, domain, chance)
        if way == "object" and chance.flip(self.difficulty):
            other = _near(other, s.proposition, chance)
        if way == "asked" or (s.asked in OF_ADVICE and other.negated):
            kinds = OF_DEEDS if s.asked in OF_DEEDS else OF_ADVICE
            return replace(s, asked=chance.pick([kind for kind in kinds if kind != s.asked]))
        return replace(s, proposition=other)


def _near(other: Proposition, p: Proposition, chance: Chance) -> Proposition:
    """A proposition with a close relative of another's object in the place of its own, where there is one."""
    if p.object is None or other.object is None or p.object.quantity == "name" or p.verb == "be":
        return other
    kin = kindred(p.object.noun, lexicon().verbs[p.verb].objects)
    return replace(other, object=replace(other.object, noun=chance.pick(kin))) if kin else other


def _told(s: Statement, style: Style, voice: Voice, around: Voice) -> Tokens:
    """A statement with its source, before or after."""
    if s.source is None:
        return realise(s.proposition, style, voice)
    clause = realise(s.proposition, replace(style, fronting=0, cleft=0), voice)
    source = noun_phrase(s.source, replace(style, relative=0), voice)
    parts = {"^": source, "~": clause, "~,": (*clause, *fixed(",")), "^,": (*source, *fixed(","))}
    return tuple(token for word in around.pick(SOURCES).base.split() for token in parts.get(word) or fixed(word))


def _asked(s: Statement, style: Style, voice: Voice, around: Voice) -> Tokens:
    """A question in one of its ways."""
    frame = around.pick(QUESTIONS[s.asked]).base
    plain = replace(style, fronting=0, cleft=0, never=0)
    if frame.endswith("@"):
        clause = question(s.proposition, "whether", plain, voice)
    else:
        clause = realise(s.proposition, plain if frame.endswith("~") else replace(plain, passive=0), voice)
        clause = clause[1:] if frame.endswith("!") else clause
    return (*fixed(frame[:-1]), *clause, *fixed("?"))


TWINS = (
    twin_of("mrpc", Paraphrase(
        Domain(("business", "science", "health", "entertainment", "legislation", "campaign", "trade", "employment"),
               general=0.35, names=0.3, place=0, time=0.05, negation=0.12, quality=0, tenses=(7, 1, 2)),
        "article", (0.328, 0.672), "mrpc", difficulty=0.3)),
    twin_of("qqp", Paraphrase(
        Domain(("people", "animals", "food", "home", "clothes", "school", "work", "travel", "pc_hardware", "cars",
                "medicine"), general=0.4, names=0.15, place=0.15, time=0.25, negation=0.05, quality=0.5, copula=0),
        "plain", (0.637, 0.363), "qqp", statements=1, asking=True, ways=ASKED_OTHERWISE, difficulty=0.7)),
)  # fmt: skip
