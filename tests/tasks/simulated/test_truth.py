"""Labels follow from the meaning: told again by truth in small worlds, or by a reader of the text alone."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tasks.sources.simulated.chance import Chance
from tasks.sources.simulated.logic import relation
from tasks.sources.simulated.meaning import Entity, Proposition
from tasks.sources.simulated.premises import COUNTED, SORTS
from tasks.sources.simulated.registry import twins
from tasks.sources.simulated.twin import examples
from tasks.sources.simulated.twins.acceptability import Acceptability
from tasks.sources.simulated.twins.inference import Inference
from tasks.sources.simulated.twins.paraphrase import Statement
from tests.tasks.simulated.models import compared
from tests.tasks.simulated.readers import breaks, opinion_of

READ = ("number", "comparison", "inversion", "tense", "case", "reflexive")  # rules that a reader of words can check
DOG = Proposition(Entity("dog"), "bark at", Entity("cat", "some"))


def found(premise: Proposition, hypothesis: Proposition, name: int) -> str:
    """What the worlds say of two statements."""
    both, first, _ = compared(premise, hypothesis, name)
    assert both or first, "the premise is never true"
    return "neutral" if both and first else "entailment" if both else "contradiction"


def equal(one: Proposition, other: Proposition, name: int) -> bool:
    """Whether two statements are true in the same worlds, and in some."""
    return compared(one, other, name) == (True, False, False)


@pytest.mark.parametrize(
    ("hypothesis", "expected"),
    [
        (replace(DOG, negated=True), "contradiction"),
        (replace(DOG, object=Entity("mammal", "some")), "entailment"),
        (replace(DOG, subject=Entity("poodle")), "neutral"),
        (replace(DOG, subject=Entity("mammal", "every")), "neutral"),
        (replace(DOG, time="yesterday"), "neutral"),
    ],
)
def test_worlds_tell_relations_apart(hypothesis: Proposition, expected: str) -> None:
    assert found(DOG, hypothesis, 0) == expected


@pytest.mark.parametrize(("name", "n"), [("mnli_m", 20), ("rte", 6)])
def test_what_follows_holds_in_every_world(name: str, n: int) -> None:
    labels = twins()[name].mechanism.labels
    for index, row in enumerate(examples(twins()[name], 1, "train", n)):
        relations = {found(premise, row.meaning.hypothesis, index) for premise in row.meaning.premises}
        decisive = next((r for r in ("entailment", "contradiction") if r in relations), "neutral")
        told = labels[int(row.clean)]
        assert told == decisive or (told == "not_entailment" and decisive != "entailment"), row


@pytest.mark.parametrize("sort", SORTS)
def test_each_sort_of_hypothesis_follows_where_it_should(sort: str) -> None:
    mnli = twins()["mnli_m"].mechanism
    assert isinstance(mnli, Inference)
    alone = replace(mnli, sorts=tuple(float(sort == each) for each in SORTS), others=0)
    for index in range(10):
        pair = alone.draw(Chance("sorts", sort, index))
        (premise,) = pair.premises
        assert alone.labels[int(alone.label(pair))] == found(premise, pair.hypothesis, index), pair


@pytest.mark.parametrize("quantity", COUNTED)
@pytest.mark.parametrize("noun", ["poodle", "dog", "mammal"])
def test_quantities_follow_as_in_the_worlds(quantity: str, noun: str) -> None:
    slept = Proposition(Entity("dog", quantity, many=True), "sleep")
    for other in COUNTED:
        hypothesis = replace(slept, subject=Entity(noun, other, many=True))
        assert relation(slept, hypothesis) == found(slept, hypothesis, 0), other


@pytest.mark.parametrize(("name", "n"), [("mrpc", 8), ("qqp", 15)])
def test_paraphrases_are_true_in_the_same_worlds(name: str, n: int) -> None:
    def again(one: Statement, other: Statement, index: int) -> bool:
        known = (one.source, one.asked) == (other.source, other.asked)
        return known and equal(one.proposition, other.proposition, index)

    for index, row in enumerate(examples(twins()[name], 1, "train", n)):
        first, second = row.meaning.first, row.meaning.second
        alike = [[again(one, other, index) for other in second] for one in first]
        assert row.clean == (all(map(any, alike)) and all(map(any, zip(*alike, strict=True)))), row


def test_similar_sentences_hold_together() -> None:
    """All points for the same worlds alone; few for sentences that exclude each other by a denial."""
    for index, row in enumerate(examples(twins()["stsb"], 1, "train", 30)):
        one, other = row.meaning.first, row.meaning.second
        both, first, second = compared(one, other, index)
        assert (row.clean == 5) == (both and not first and not second), row
        assert both or row.clean <= 3, row


def test_reviews_read_as_they_are_labelled() -> None:
    rows = list(examples(twins()["sst2"], 1, "train", 300))
    assert [row.text for row in rows if (opinion_of(row.text) > 0) != (row.clean > 0)] == []


@pytest.mark.parametrize("rule", READ)
def test_sentences_look_as_acceptable_as_they_are_labelled(rule: str) -> None:
    cola = twins()["cola"].mechanism
    assert isinstance(cola, Acceptability)
    alone = replace(cola, rules=(rule,), shares=(0.5, 0.5), reported=0.0, linked=0.0)
    for index in range(150):
        judged = alone.draw(Chance("read", rule, index))
        text, _ = alone.write(judged, Chance("said", index), "train")
        assert breaks(rule, text) == (alone.label(judged) == 0), text


def test_sentences_are_not_put_right_by_another_clause() -> None:
    """A perception verb takes a bare infinitive, and a second verb may lend its object: not so here."""
    cola = twins()["cola"].mechanism
    assert isinstance(cola, Acceptability)
    for index in range(1500):
        judged = cola.draw(Chance("clauses", index))
        text, _ = cola.write(judged, Chance("said", index), "train")
        assert judged.reporter is None or judged.rule not in ("inversion", "tense")
        assert judged.companion is None or judged.rule != "argument"
        assert judged.reporter is None or " heard " not in text or " heard that " in text, text
