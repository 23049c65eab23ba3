"""Topic of a text: what most of its statements are about, with digressions into neighbouring topics.

It is easy where all words are of the topic, hard where most nouns are of a neighbour and what is said of them decides.
The twin of newsgroups20 is easier than the real task for one that counts the words of whole posts (TWINS.md).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import ClassVar

from tasks.sources.simulated.chance import Chance
from tasks.sources.simulated.clause import Tokens, fixed, realise
from tasks.sources.simulated.compose import Domain, entity, proposition
from tasks.sources.simulated.lexicon import lexicon
from tasks.sources.simulated.meaning import Entity, Proposition
from tasks.sources.simulated.registers import style_of, write
from tasks.sources.simulated.twin import twin_of

KINDS = ("person", "group", "device", "document", "service", "idea", "event", "work", "vehicle")
ASIDES = ("By the way,", "On another matter,", "That reminds me:", "As an aside,")
LINKS = ("Also,", "As far as I know,", "In any case,", "Of course,", "To my surprise,", "I think that", "I heard that",
         "It seems that", "Someone said that")  # fmt: skip


@dataclass(frozen=True)
class Discourse:
    """Statements on a matter, and the noun that a subject line names."""

    matter: str
    statements: tuple[Proposition, ...]


@dataclass(frozen=True)
class Topics:
    """Texts of several statements, of which the largest part is about one topic.

    Attributes:
        topics: Class name, share, the lexicon's fields that are about it, and its family: digressions stay within one.
        sentences: Fewest and most statements of a text.
        digression: Share of statements about the neighbour that a text digresses into, at difficulty 1; 0 at 0. They
            are spread evenly, so that the first sentences are about what the whole is about.
        guest: Probability, at difficulty 1, that what a statement is about comes from the neighbouring field: what is
            said of it counts. 0 at difficulty 0.
        general: Share of verbs and adjectives from the general vocabulary at difficulty 0 and 1; none with a guest.
        links: Probability that a statement begins with words that link it to the others.
        quality: Share of things that are described.
        difficulty: See `hard_by`.
    """

    space: str
    topics: tuple[tuple[str, float, tuple[str, ...], str], ...]
    register: str
    sentences: tuple[int, int]
    digression: float = 0.45
    guest: float = 0.9
    general: tuple[float, float] = (0.2, 0.6)
    links: float = 0.0
    quality: float = 0.3
    difficulty: float = 0.5
    hard_by: ClassVar[str] = (
        "words of the topic: all that a text says is about its topic (0); nearly half of the statements of a text of "
        "three or more are about a neighbouring topic, and most of the others speak of its things, so that only a "
        "verb or an adjective tells the topic (1)"
    )

    @property
    def labels(self) -> tuple[str, ...]:
        return tuple(name for name, _, _, _ in self.topics)

    @cached_property
    def shares(self) -> tuple[float, ...]:
        total = sum(share for _, share, _, _ in self.topics)
        return tuple(share / total for _, share, _, _ in self.topics)

    @cached_property
    def topic_of(self) -> Mapping[str, int]:
        """Class index of each field."""
        return {field: index for index, (_, _, fields, _) in enumerate(self.topics) for field in fields}

    def draw(self, chance: Chance) -> Discourse:
        topic = chance.weighted(range(len(self.topics)), self.shares)
        while True:
            n = chance.between(*self.sentences)
            neighbour = self._neighbour(topic, chance)
            things = [entity(KINDS, self._domain(topic), chance, quantity="the") for _ in range(2 + n // 6)]
            asides = self._asides(n, chance)
            statements = [self._statement(topic, neighbour, aside, things, chance) for aside in asides]
            meaning = Discourse(chance.pick(things).noun, tuple(statements))
            counts = self.counts(meaning)
            if all(counts[topic] > count for other, count in enumerate(counts) if other != topic):
                return meaning

    def about(self, p: Proposition) -> int | None:
        """Topic of a statement: of what is said, else of whom or what it is said; None for everyday matters."""
        words = lexicon()
        said = words.adjectives[p.quality] if p.verb == "be" and p.quality else words.verbs.get(p.verb)
        nouns = [words.nouns.get(part.noun) for part in (p.object, p.subject) if part is not None]
        topics = (self.topic_of.get(concept.field) for concept in (said, *nouns) if concept is not None)
        return next((topic for topic in topics if topic is not None), None)

    def counts(self, meaning: Discourse) -> tuple[int, ...]:
        """Statements about each topic [C]."""
        about = [self.about(p) for p in meaning.statements]
        return tuple(about.count(topic) for topic in range(len(self.topics)))

    def label(self, meaning: Discourse) -> float:
        counts = self.counts(meaning)
        return counts.index(max(counts))

    def write(self, meaning: Discourse, chance: Chance, split: str) -> tuple[str, str | None]:
        style, topic = style_of(self.register), self.label(meaning)
        sentences: list[Tokens] = []
        for p in meaning.statements:
            clause = realise(p, style, chance)
            if chance.flip(self.links):
                clause = (*fixed(chance.pick(LINKS if self.about(p) in (topic, None) else ASIDES)), *clause)
            sentences.append(clause)
        return write(self.register, sentences, chance, meaning.matter), None

    def _asides(self, n: int, chance: Chance) -> list[bool]:
        """Which of `n` statements are digressions: their share of any that follow each other, to one more or less."""
        share, start = self.digression * self.difficulty if n > 2 else 0.0, chance.unit()
        return [int(start + share * (k + 1)) > int(start + share * k) for k in range(n)]

    def _domain(self, topic: int) -> Domain:
        low, high = self.general
        general = low + self.difficulty * (high - low)
        return Domain(self.topics[topic][2], general=general, names=0.15, quality=self.quality)

    def _neighbour(self, topic: int, chance: Chance) -> int:
        family = self.topics[topic][3]
        others = [other for other, row in enumerate(self.topics) if row[3] == family and other != topic]
        return chance.pick(others or [topic])

    def _statement(self, topic: int, neighbour: int, aside: bool, things: list[Entity], chance: Chance) -> Proposition:
        if aside:
            return proposition(self._domain(neighbour), chance)
        domain, subject = self._domain(topic), None
        if chance.flip(self.guest * self.difficulty):
            subject = entity(KINDS, self._domain(neighbour), chance)
            domain = replace(domain, general=0)  # only a verb or an adjective of the topic tells that it is about it
        elif chance.flip(0.35):
            subject = chance.pick(things)
        p = proposition(domain, chance, subject=subject)
        # Where what is said is not of the topic, say something else, which may be an everyday matter.
        return p if self.about(p) == topic else proposition(self._domain(topic), chance)


NEWSGROUPS = (
    ("alt.atheism", 0.042, ("atheism",), "belief"),
    ("comp.graphics", 0.052, ("graphics",), "comp"),
    ("comp.os.ms-windows.misc", 0.052, ("operating_systems",), "comp"),
    ("comp.sys.ibm.pc.hardware", 0.052, ("pc_hardware",), "comp"),
    ("comp.sys.mac.hardware", 0.051, ("mac_hardware",), "comp"),
    ("comp.windows.x", 0.052, ("window_systems",), "comp"),
    ("misc.forsale", 0.052, ("for_sale",), "comp"),
    ("rec.autos", 0.053, ("cars",), "road"),
    ("rec.motorcycles", 0.053, ("motorcycles",), "road"),
    ("rec.sport.baseball", 0.053, ("baseball",), "sport"),
    ("rec.sport.hockey", 0.053, ("hockey",), "sport"),
    ("sci.crypt", 0.053, ("cryptography",), "sci"),
    ("sci.electronics", 0.052, ("electronics",), "sci"),
    ("sci.med", 0.053, ("medicine",), "sci"),
    ("sci.space", 0.052, ("space",), "sci"),
    ("soc.religion.christian", 0.053, ("christianity",), "belief"),
    ("talk.politics.guns", 0.048, ("guns",), "talk"),
    ("talk.politics.mideast", 0.050, ("mideast",), "talk"),
    ("talk.politics.misc", 0.041, ("politics",), "talk"),
    ("talk.religion.misc", 0.033, ("religion",), "belief"),
)
NEWS = (
    ("b", 0.422, ("business",), "news"),
    ("e", 0.398, ("entertainment",), "news"),
    ("m", 0.068, ("health",), "news"),
    ("t", 0.112, ("science",), "news"),
)
TWINS = (
    twin_of("newsgroups20", Topics("newsgroups20", NEWSGROUPS, "forum", (32, 46), links=0.2)),
    twin_of("news_aggregator", Topics("news_aggregator", NEWS, "headline", (1, 2), quality=0.1, difficulty=1.0)),
)
