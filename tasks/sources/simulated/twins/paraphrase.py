"""Paraphrase: whether two texts say the same in other words, or nearly the same words say something else.

The second text repeats the propositions of the first, or changes one decisive part of one of them: who did it to whom,
whether it is so, what, when, where, how many, what is asked. Texts that say the same share no more words than others.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType

from tasks.sources.simulated.chance import Chance
from tasks.sources.simulated.clause import Style, Tokens, fixed, noun_phrase, question, realise
from tasks.sources.simulated.compose import Domain, entity
from tasks.sources.simulated.lexicon import Word, lexicon
from tasks.sources.simulated.meaning import Entity, Proposition
from tasks.sources.simulated.registers import style_of, write
from tasks.sources.simulated.twin import twin_of
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
NEAR_MISSES = (("roles", 9), ("denial", 5), ("object", 2), ("verb", 1), ("time", 2), ("place", 1), ("quantity", 2),
               ("comparison", 4), ("source", 1))  # fmt: skip
ASKED_OTHERWISE = (("asked", 3), ("object", 3), ("roles", 8), ("verb", 2), ("place", 1), ("denial", 2), ("quantity", 1))


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
        statements: Clauses a text.
        asking: Whether the texts are questions.
        ways: Parts that near misses change (`WAYS`, `source`, `asked`), with their weights.
        kept: Probability that the second text calls a thing as the first does: in near misses, and where both say the
            same. Their difference makes up for the words that the change costs, so that both share as many words.
    """

    domain: Domain
    register: str
    shares: tuple[float, ...]
    space: str
    statements: int = 2
    asking: bool = False
    ways: tuple[tuple[str, float], ...] = NEAR_MISSES
    kept: tuple[float, float] = (1.0, 0.0)
    labels: tuple[str, ...] = ("0", "1")

    def draw(self, chance: Chance) -> Pair:
        equal = chance.weighted((False, True), self.shares)
        while True:
            way = chance.weighted([way for way, _ in self.ways], [weight for _, weight in self.ways])
            domain = replace(self.domain, fields=(chance.pick(self.domain.fields),))
            first = [
                self._statement(way if position == 0 else "", domain, chance) for position in range(self.statements)
            ]
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
        first = Voice(chance)
        second = Voice(chance, first.said, self.kept[same(meaning)])
        text, text_b = self._text(meaning.first, first), self._text(meaning.second, second)
        return (text, text_b) if text != text_b else self.write(meaning, chance, split)

    def _text(self, side: tuple[Statement, ...], voice: Voice) -> str:
        style = style_of(self.register)
        clauses = [_asked(s, style, voice) if s.asked else _told(s, style, voice) for s in side]
        link = voice.pick(LINKS).base
        if not self.asking:
            clauses[0] = (*fixed(voice.pick(OPENERS).base), *clauses[0])
        if len(clauses) == 2 and link[0] == ".":
            clauses[1] = (*fixed(link[1:]), *clauses[1])
        elif len(clauses) == 2:
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
        if way == "asked" or (s.asked in OF_ADVICE and other.negated):
            kinds = OF_DEEDS if s.asked in OF_DEEDS else OF_ADVICE
            return replace(s, asked=chance.pick([kind for kind in kinds if kind != s.asked]))
        return replace(s, proposition=other)


def _told(s: Statement, style: Style, voice: Voice) -> Tokens:
    """A statement with its source, before or after."""
    if s.source is None:
        return realise(s.proposition, style, voice)
    clause = realise(s.proposition, replace(style, fronting=0, cleft=0), voice)
    source = noun_phrase(s.source, replace(style, relative=0), voice)
    parts = {"^": source, "~": clause, "~,": (*clause, *fixed(",")), "^,": (*source, *fixed(","))}
    return tuple(token for word in voice.pick(SOURCES).base.split() for token in parts.get(word) or fixed(word))


def _asked(s: Statement, style: Style, voice: Voice) -> Tokens:
    """A question in one of its ways."""
    frame = voice.pick(QUESTIONS[s.asked]).base
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
        "article", (0.328, 0.672), "mrpc")),
    twin_of("qqp", Paraphrase(
        Domain(("people", "animals", "food", "home", "clothes", "school", "work", "travel", "pc_hardware", "cars",
                "medicine"), general=0.4, names=0.15, place=0.15, time=0.25, negation=0.05, quality=0.5, copula=0),
        "plain", (0.637, 0.363), "qqp", statements=1, asking=True, ways=ASKED_OTHERWISE)),
)  # fmt: skip
