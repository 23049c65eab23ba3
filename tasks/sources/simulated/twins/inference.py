"""Textual inference: whether a hypothesis follows from a premise, is excluded by it, or neither (MNLI, RTE).

The hypothesis is drawn first and knows nothing of the class; the premise is made for it, out of edits that turn up
under every class: the same thing more or less closely described, denied or not, turned round, of opposites, counted.
What follows is then asked of the logic alone.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar

from tasks.sources.simulated.chance import Chance
from tasks.sources.simulated.clause import realise
from tasks.sources.simulated.compose import Domain, proposition
from tasks.sources.simulated.logic import SPECIFIC, Relation, contradicts, relation
from tasks.sources.simulated.meaning import Proposition
from tasks.sources.simulated.premises import FIELDS, SORTS, draw_hypothesis, draw_premise, elsewise, reworded
from tasks.sources.simulated.registers import style_of, write
from tasks.sources.simulated.text import sentence
from tasks.sources.simulated.twin import twin_of

TRIES = 60
STRICT = ("comparison", "quantity")  # sorts of hypotheses whose words matter in more ways than by being there
OTHERWISE: tuple[Relation, ...] = ("neutral", "contradiction")
RELATIONS: dict[str, Relation] = {"entailment": "entailment", "neutral": "neutral", "contradiction": "contradiction"}


@dataclass(frozen=True)
class Pair:
    """A text of some statements, and a statement that may follow from it."""

    premises: tuple[Proposition, ...]
    hypothesis: Proposition
    field: str


@dataclass(frozen=True)
class Inference:
    """What follows from what.

    Attributes:
        labels: Of three classes entailment, contradiction and neutral; of two entailment and not_entailment.
        registers: How premises are written.
        test_registers: How those of validation and test are written, where these differ.
        others: Mean number of statements beside the one that matters, so that texts are as long as real ones.
        lead: Most statements that stand before it, so that it is read where long texts are cut.
        sorts: Weights of `SORTS` at difficulty 1; at 0 there are no comparisons and quantities.
    """

    labels: tuple[str, ...]
    shares: tuple[float, ...]
    space: str
    registers: tuple[str, ...]
    test_registers: tuple[str, ...] = ()
    fields: tuple[str, ...] = FIELDS
    others: float = 1.5
    lead: int = 3
    sorts: tuple[float, ...] = (5, 2, 1.5, 3)
    difficulty: float = 0.5
    hard_by: ClassVar[str] = (
        "steps from premise to hypothesis: one denial, part or word sets them apart, in much the same wording (0); "
        "several do, by hypernyms, roles, opposites and quantities, in other wording, beside statements on the same "
        "things (1)"
    )

    def draw(self, chance: Chance) -> Pair:
        name = chance.weighted(self.labels, self.shares)
        wanted = chance.pick(OTHERWISE) if name == "not_entailment" else RELATIONS[name]
        field = chance.pick(self.fields)
        domain = Domain((field,), general=0.45, negation=0.25, quality=0.4, place=0.35, time=0.5, tenses=(3, 1, 0))
        sorts = [w * (self.difficulty if sort in STRICT else 1) for sort, w in zip(SORTS, self.sorts, strict=True)]
        for _ in range(TRIES):
            hypothesis = draw_hypothesis(chance.weighted(SORTS, sorts), domain, chance)
            if hypothesis is None:
                continue
            for _ in range(4):
                premise = draw_premise(hypothesis, wanted, domain, chance, self.difficulty)
                if relation(premise, hypothesis) == wanted:
                    n = int(self.others + chance.unit())
                    told = [_beside(premise, hypothesis, domain, chance, self.difficulty) for _ in range(n)]
                    told.insert(chance.between(0, min(n, self.lead)), premise)
                    return Pair(tuple(told), hypothesis, field)
        raise RuntimeError(f"no {wanted} found in {field}")

    def label(self, meaning: Pair) -> float:
        found = _relation(meaning)
        return self.labels.index(found if found in self.labels else "not_entailment")

    def write(self, meaning: Pair, chance: Chance, split: str) -> tuple[str, str | None]:
        register = chance.pick(self.test_registers if split != "train" and self.test_registers else self.registers)
        share = 0.3 + 0.7 * self.difficulty  # never none: the number of words that two texts share would tell
        style, plain = (reworded(style_of(name), share) for name in (register, "plain"))
        text = write(register, [realise(p, style, chance) for p in meaning.premises], chance, meaning.field)
        return text, sentence(realise(meaning.hypothesis, plain, chance))


def _relation(pair: Pair) -> Relation:
    found = [relation(premise, pair.hypothesis) for premise in pair.premises]
    return "entailment" if "entailment" in found else "contradiction" if "contradiction" in found else "neutral"


def _beside(premise: Proposition, h: Proposition, domain: Domain, chance: Chance, near: float) -> Proposition:
    """Another statement around the premise, often about the same one, which has nothing to say about the hypothesis.

    Args:
        near: From 0 to 1, how often it is about the same one, or even in the hypothesis' own words.
    """
    if h.verb != "be" and chance.flip(0.5 * near):  # the hypothesis' own words, of which something else is said
        told = elsewise(h, domain, chance)
        if relation(told, h) == "neutral" and not contradicts(told, premise):
            return told
    again = h.subject.quantity in SPECIFIC and chance.flip(0.7 * near)
    told = proposition(domain, chance, subject=replace(h.subject, qualities=()) if again else None, tense=h.tense)
    says = told.verb != "be" or told.quality  # "the mill was a building" says nothing
    return told if says and relation(told, h) == "neutral" else _beside(premise, h, domain, chance, near)


MNLI = Inference(
    labels=("contradiction", "entailment", "neutral"),
    shares=(0.33, 0.349, 0.321),
    space="mnli_m",
    registers=("article", "letter", "review"),
    difficulty=0.0,
)
RTE = Inference(
    labels=("entailment", "not_entailment"),
    shares=(0.505, 0.495),
    space="rte",
    registers=("article",),
    others=4.9,
    difficulty=0.3,
)
TWINS = (
    twin_of("mnli_m", MNLI),
    twin_of("mnli_mm", replace(MNLI, space="mnli_mm", test_registers=("speech", "forum", "forum", "tweet"))),
    twin_of("rte", RTE),
)
