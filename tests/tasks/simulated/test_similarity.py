from __future__ import annotations

from collections import Counter
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.sources.simulated.chance import Chance
from tasks.sources.simulated.meaning import Entity, Proposition
from tasks.sources.simulated.twins.similarity import TWINS, Similarity, closeness, similarity
from tasks.sources.simulated.variation import retold

MECHANISM = TWINS[0].mechanism
assert isinstance(MECHANISM, Similarity)
FED = Proposition(Entity("teacher"), "feed", Entity("dog", "a"), time="yesterday")


@pytest.mark.parametrize(
    ("second", "low", "high"),
    [
        (FED, 5, 5),
        (retold(FED), 5, 5),
        (replace(FED, time="last week"), 4.5, 4.9),
        (replace(FED, object=Entity("cat", "a")), 4, 4.5),  # both mammals
        (replace(FED, negated=True), 3, 3),
        (replace(FED, subject=Entity("dog", "a"), object=Entity("teacher")), 2, 3.3),
        (Proposition(Entity("train"), "depart", time="yesterday"), 0, 0.5),
    ],
)
def test_scores_of_known_pairs(second: Proposition, low: float, high: float) -> None:
    assert low <= similarity(FED, second) <= high


DIFFICULTIES = (0.0, MECHANISM.difficulty, 1.0)


def shared(difficulty: float, level: int, n: int = 300) -> float:
    """Mean share of words that both sentences of a level have."""
    mechanism, found = replace(MECHANISM, difficulty=difficulty), []
    for index in range(n):
        meaning = mechanism.draw(Chance("shared", index))
        if round(mechanism.label(meaning)) == level:
            texts = mechanism.write(meaning, Chance("said", index), "train")
            one, two = (set((text or "").lower().replace(".", "").replace(",", "").split()) for text in texts)
            found.append(len(one & two) / len(one | two))
    return sum(found) / len(found)


def test_shared_words_tell_the_score_where_it_is_easy_and_mislead_where_it_is_hard() -> None:
    assert shared(0, 5) > shared(0, 3) > shared(0, 0)
    assert shared(1, 5) < shared(0, 5) - 0.1
    assert shared(1, 5) < shared(1, 3)


@given(st.integers(0, 2**32), st.sampled_from(DIFFICULTIES))
def test_scores_are_symmetric_and_bounded(name: int, difficulty: float) -> None:
    pair = replace(MECHANISM, difficulty=difficulty).draw(Chance("bounds", name))
    score = similarity(pair.first, pair.second)
    assert 0 <= score <= 5
    assert similarity(pair.second, pair.first) == score
    assert similarity(pair.first, pair.first) == 5


def test_closeness_falls_with_the_distance_in_the_hypernym_tree() -> None:
    steps = [closeness("poodle", other) for other in ("poodle", "dog", "terrier", "cat", "spoon")]
    assert steps == sorted(steps, reverse=True)
    assert steps[0] == 1
    assert steps[-1] == 0


@pytest.mark.parametrize("difficulty", DIFFICULTIES)
def test_scores_spread_over_the_levels(difficulty: float) -> None:
    n, mechanism = 800, replace(MECHANISM, difficulty=difficulty)
    levels = Counter(round(mechanism.label(mechanism.draw(Chance("level", index)))) for index in range(n))
    for level, share in enumerate(MECHANISM.levels):
        assert abs(levels[level] / n - share) < 0.05
