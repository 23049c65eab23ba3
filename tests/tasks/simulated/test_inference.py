from __future__ import annotations

from collections import Counter
from dataclasses import replace
from itertools import pairwise

import pytest

from tasks.sources.simulated.chance import Chance
from tasks.sources.simulated.logic import entails, relation
from tasks.sources.simulated.meaning import Entity, Proposition
from tasks.sources.simulated.twins.inference import TWINS, Inference, Pair

MNLI, MISMATCHED, RTE = (twin.mechanism for twin in TWINS)
BARKED = Proposition(Entity("poodle"), "bark at", Entity("cat", "a"))


@pytest.fixture(params=["easy", "default", "hard"])
def difficulty(request: pytest.FixtureRequest) -> float | None:
    """A difficulty; None for that of the twin."""
    return {"easy": 0.0, "default": None, "hard": 1.0}[request.param]


def at(mechanism: Inference, difficulty: float | None) -> Inference:
    return mechanism if difficulty is None else replace(mechanism, difficulty=difficulty)


def drawn(mechanism: Inference, n: int = 400) -> list[Pair]:
    return [mechanism.draw(Chance("inference", index)) for index in range(n)]


@pytest.mark.parametrize("mechanism", [MNLI, RTE])
def test_shares_follow_from_the_logic(mechanism: Inference, difficulty: float | None) -> None:
    mechanism = at(mechanism, difficulty)
    counts = Counter(mechanism.labels[int(mechanism.label(pair))] for pair in drawn(mechanism))
    for name, share in zip(mechanism.labels, mechanism.shares, strict=True):
        assert abs(counts[name] / 400 - share) < 0.08


def test_only_one_premise_has_to_do_with_the_hypothesis(difficulty: float | None) -> None:
    for pair in drawn(at(RTE, difficulty), 100):
        relations = [relation(premise, pair.hypothesis) for premise in pair.premises]
        assert sum(found != "neutral" for found in relations) <= 1
        assert (RTE.label(pair) == 0) == any(entails(premise, pair.hypothesis) for premise in pair.premises)


def test_labels_of_given_pairs() -> None:
    dog = replace(BARKED, subject=Entity("dog"))
    aside = Proposition(Entity("goat"), "see", Entity("tree", "a"))

    def label(hypothesis: Proposition) -> str:
        return MNLI.labels[int(MNLI.label(Pair((aside, BARKED), hypothesis, "animals")))]

    assert label(dog) == "entailment"
    assert label(replace(dog, negated=True)) == "contradiction"
    assert label(replace(BARKED, place="park")) == "neutral"


def test_hypotheses_are_alike_in_all_classes(difficulty: float | None) -> None:
    """How often a hypothesis is denied does not tell its class: nobody may guess it without the premise."""
    pairs = drawn(at(MNLI, difficulty), 900)
    shares, lengths = [], []
    for label in range(3):
        of_class = [pair for pair in pairs if MNLI.label(pair) == label]
        shares.append(sum(pair.hypothesis.negated for pair in of_class) / len(of_class))
        lengths.append(sum(len(pair.premises) for pair in of_class) / len(of_class))
    assert all(abs(one - other) < 0.12 for one, other in pairwise(shares))
    assert all(abs(one - other) < 0.2 for one, other in pairwise(lengths))


def test_difficulty_adds_other_words_to_texts_of_one_length() -> None:
    """With it grows the number of words of a hypothesis that the statement deciding it does not have."""
    statements, missing = [], []
    for difficulty in (0.0, 0.5, 1.0):
        mechanism = replace(MNLI, difficulty=difficulty, registers=("article",))
        statements.append(sum(len(pair.premises) for pair in drawn(mechanism)) / 400)
        pairs = [pair for pair in drawn(replace(mechanism, others=0)) if mechanism.label(pair) == 1]
        texts = [mechanism.write(pair, Chance("said", n), "train") for n, pair in enumerate(pairs)]
        words = [[set(text.lower().replace(".", "").split()) for text in pair if text] for pair in texts]
        missing.append(sum(len(second - first) for first, second in words) / len(pairs))
    assert statements == pytest.approx([2.5] * 3, abs=0.1)  # the one that decides, and 1.5 beside it
    assert missing == sorted(set(missing))


def test_mismatched_texts_are_of_other_registers() -> None:
    pairs = drawn(MISMATCHED, 60)
    written: dict[str, list[str]] = {"train": [], "test": []}
    for split, texts in written.items():
        texts += [MISMATCHED.write(pair, Chance("said", n), split)[0] for n, pair in enumerate(pairs)]
    assert any(text.startswith("Dear") for text in written["train"])
    assert not any(text.startswith("Dear") for text in written["test"])
