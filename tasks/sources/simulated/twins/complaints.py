"""Complaint letters: the issue (what was done) with the product (to what) that the writer wants put right.

It is easy where a letter names no other wrong, hard where it names all pairs of two issues and two products.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from types import MappingProxyType
from typing import ClassVar, Literal

from tasks.sources.simulated.chance import Chance
from tasks.sources.simulated.clause import Style, Tokens, fixed, realise
from tasks.sources.simulated.compose import Domain, proposition
from tasks.sources.simulated.lexicon import lexicon
from tasks.sources.simulated.meaning import Entity, Proposition
from tasks.sources.simulated.registers import style_of, write
from tasks.sources.simulated.twin import twin_of

Standing = Literal["open", "settled", "never", "feared", "told"]
DECOYS: tuple[Standing, ...] = ("settled", "settled", "never", "feared")
BEFORE = MappingProxyType({
    "open": ("I want this put right:", "I ask you to correct this:", "Please look into this matter:",
             "My complaint is that", "I write because", "What is still wrong is that",
             "I am waiting for an answer, because", "The problem that remains is that"),
    "settled": ("Long ago", "Once before", "In the past", "Some years back", "Earlier"),
    "never": ("I do not claim that", "It is not the case that", "Nobody says that", "I have no reason to say that"),
    "feared": ("I was afraid that", "At first I thought that", "I had expected that", "A friend warned me that"),
})  # fmt: skip
AFTER = MappingProxyType({
    "settled": ("but that was solved", "but they have put it right", "and I got my apology for it",
                "but it is settled now", "but that is corrected"),
    "feared": ("but it did not happen", "but that was not so", "but I was wrong", "but this did not come true"),
})  # fmt: skip
DEMANDS = (
    "I want this corrected.", "Please repair this.", "This has to be put right.",
    "I am still waiting for help with this.", "I expect you to solve this.",
)  # fmt: skip
THINGS = (
    "service", "payment card", "payment", "debt", "digital currency", "credit report", "credit file",
    "repayment agreement", "vehicle lease", "gift voucher", "money order", "digital wallet", "hardware wallet",
    "counselling contract",
)  # fmt: skip
PAPERS = ("finance", "phone")  # fields of any letter about money
DOINGS = (
    "read", "copy", "check", "receive", "keep", "send", "show", "ask about", "need", "change", "mention", "discuss",
    "explain", "wait for", "count", "accept", "look for", "find", "call up", "reply to", "meet", "thank",
    "listen to",
)  # fmt: skip


@dataclass(frozen=True)
class Event:
    """What was done, and how it stands: to be put right, settled, never done, only feared, or mere history."""

    standing: Standing
    proposition: Proposition


@dataclass(frozen=True)
class Complaints:
    """Long letters in which one wrong is to be put right and others are named in passing.

    Attributes:
        products: Fields of the lexicon, one a product, with the readable names of them.
        issues: Verbs and the readable names of them; each occurs with every product.
        tail: Shares of the most frequent classes; the others fall as (rank + 5)⁻¹ (Mandelbrot 1953).
        classes: Number of (product, issue) pairs that occur.
        history: Fewest and most sentences of mere history.
        difficulty: See `hard_by`.
    """

    space: str
    products: tuple[tuple[str, str], ...]
    issues: tuple[tuple[str, str], ...]
    tail: tuple[float, ...]
    classes: int
    history: tuple[int, int] = (16, 20)
    register: str = "complaint"
    difficulty: float = 1.0
    hard_by: ClassVar[str] = (
        "other wrongs: a letter names only the one to be put right, and names it twice (0); it names three others as "
        "settled, denied or only feared, most often one of them first, which with it are all pairs of two issues and "
        "two products, and tells as much of either product (1)"
    )

    @cached_property
    def pairs(self) -> tuple[tuple[int, int], ...]:
        """(product, issue) of each class: the frequent classes spread over products and issues alike."""
        n, m = len(self.products), len(self.issues)
        return tuple((k % n, (k // n + 3 * (k % n)) % m) for k in range(self.classes))

    @cached_property
    def index(self) -> Mapping[tuple[int, int], int]:
        return {pair: index for index, pair in enumerate(self.pairs)}

    @cached_property
    def labels(self) -> tuple[str, ...]:
        return tuple(f"{self.products[product][0]}: {self.issues[issue][0]}" for product, issue in self.pairs)

    @cached_property
    def shares(self) -> tuple[float, ...]:
        weights = [1 / (rank + 6) for rank in range(self.classes - len(self.tail))]
        rest = 1 - sum(self.tail)
        return (*self.tail, *(rest * weight / sum(weights) for weight in weights))

    def draw(self, chance: Chance) -> tuple[Event, ...]:
        pair = chance.weighted(self.pairs, self.shares)
        company = Entity(chance.pick(lexicon().names_of("group")), "name")
        open_event = Event("open", self._wrong(pair, company, chance))
        other = self._other(pair, chance)
        decoys = chance.sample([other, (pair[0], other[1]), (other[0], pair[1])], 3)
        named = [decoy for decoy in decoys if chance.flip(self.difficulty)]
        others = [Event(chance.pick(DECOYS), self._wrong(decoy, company, chance)) for decoy in named]
        products = [
            self.products[which][1] for which in (pair[0], other[0] if chance.flip(self.difficulty) else pair[0])
        ]
        told = [
            Event("told", self._history(chance.pick(products), company, chance))
            for _ in range(chance.between(*self.history))
        ]
        again = [Event("open", self._wrong(pair, company, chance))] if chance.flip(1 - self.difficulty) else []
        first = [others.pop()] if others and chance.flip(0.8) else []
        rest = told + others + again
        return (*first, open_event, *chance.sample(rest, len(rest)))

    def label(self, meaning: tuple[Event, ...]) -> float:
        verbs = [verb for _, verb in self.issues]
        fields = [field for _, field in self.products]
        wrongs = {
            self.index[
                fields.index(lexicon().nouns[event.proposition.object.noun].field), verbs.index(event.proposition.verb)
            ]
            for event in meaning
            if event.standing == "open" and event.proposition.object is not None
        }
        if len(wrongs) != 1:
            raise ValueError(f"{len(wrongs)} different wrongs are to be put right")
        return wrongs.pop()

    def write(self, meaning: tuple[Event, ...], chance: Chance, split: str) -> tuple[str, str | None]:
        style = style_of(self.register)
        sentences: list[Tokens] = []
        for event in meaning:
            sentences.append(_told(event, style, chance))
            if event.standing == "open" and sentences[-1][0].tag != "fixed":
                sentences.append(fixed(chance.pick(DEMANDS)))
        return write(self.register, sentences, chance), None

    def _wrong(self, pair: tuple[int, int], company: Entity, chance: Chance) -> Proposition:
        product, issue = self.products[pair[0]][1], self.issues[pair[1]][1]
        thing = Entity(chance.pick(lexicon().nouns_of(THINGS, (product,))), "my")
        doer = chance.pick((company, company, Entity("they", "pronoun"), Entity("company", "the")))
        return Proposition(doer, issue, thing)

    def _other(self, pair: tuple[int, int], chance: Chance) -> tuple[int, int]:
        """A pair of another product and another issue, drawn by the shares of the classes."""
        while True:
            other = chance.weighted(self.pairs, self.shares)
            if other[0] != pair[0] and other[1] != pair[1]:
                return other

    def _history(self, product: str, company: Entity, chance: Chance) -> Proposition:
        domain = Domain((product, *PAPERS), place=0.05, quality=0.2)
        if chance.flip(0.6):
            writer = Entity(chance.pick(("I", "I", "we")), "pronoun")
            return proposition(domain, chance, subject=writer, verb=chance.pick(DOINGS), tense="past")
        return proposition(domain, chance, subject=company if chance.flip(0.3) else None)


def _told(event: Event, style: Style, chance: Chance) -> Tokens:
    """An event with words that say how it stands; what is open may also stand alone, and is then demanded."""
    if event.standing == "told":
        return realise(event.proposition, style, chance)
    clause = realise(event.proposition, replace(style, passive=0.0, fronting=0.0, cleft=0.0), chance)
    if event.standing == "open":
        return clause if chance.flip(0.3) else (*fixed(chance.pick(BEFORE["open"])), *clause)
    before = fixed(chance.pick(BEFORE[event.standing])) if event.standing != "settled" or chance.flip(0.5) else ()
    after = AFTER.get(event.standing)
    return (*before, *clause, *(fixed(", " + chance.pick(after)) if after else ()))


PRODUCTS = (
    ("credit report", "credit_report"), ("debt collection", "debt_collection"), ("mortgage", "mortgage"),
    ("credit card", "credit_card"), ("bank account", "bank_account"), ("student loan", "student_loan"),
    ("vehicle loan", "vehicle_loan"), ("payday loan", "payday_loan"), ("money transfer", "money_transfer"),
    ("prepaid card", "prepaid_card"), ("virtual currency", "virtual_currency"), ("credit repair", "credit_repair"),
)  # fmt: skip
ISSUES = (
    ("wrong report", "report wrongly on"), ("threats", "make threats over"),
    ("late papers", "delay the papers for"), ("high fees", "overcharge for"), ("closed", "put an end to"),
    ("held back", "refuse to release"), ("higher rate", "raise the rate on"), ("hidden terms", "hide the terms of"),
    ("no access", "deny access to"), ("no answer", "ignore questions about"), ("billed twice", "bill twice for"),
    ("lost records", "mislay the records of"), ("not cancelled", "refuse to cancel"),
    ("leaked data", "leak the details of"),
)  # fmt: skip
LARGEST = (0.259, 0.158, 0.077, 0.071, 0.036, 0.036, 0.029, 0.021)  # of the public database's issues in 2018
TWINS = (twin_of("complaints_issue", Complaints("complaints_issue", PRODUCTS, ISSUES, LARGEST, 157)),)
