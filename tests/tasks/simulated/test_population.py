"""Every twin over many rows: class shares and lengths are those of the real task, splits have nothing in common."""

from __future__ import annotations

from collections import Counter

import pytest

from tasks import SUITES, SimulatedSource
from tasks.houlsby26 import DATA_FACTS
from tasks.sources.simulated.chance import Chance
from tasks.sources.simulated.meaning import meaning_key
from tasks.sources.simulated.registry import twins
from tasks.sources.simulated.twin import examples

TWINNED = SUITES["houlsby26"]  # the known tasks that have a twin

LONG = 500  # characters from which fewer rows must do: time goes with them


@pytest.mark.parametrize("difficulty", [0.0, None, 1.0])
@pytest.mark.parametrize("name", TWINNED)
def test_class_shares(name: str, difficulty: float | None) -> None:
    mechanism = SimulatedSource(difficulty=difficulty).twin(name).mechanism
    characters = DATA_FACTS[name].mean_characters
    n = 500 if characters < 110 else 250 if characters < LONG else 50
    drawn = [mechanism.label(mechanism.draw(Chance("shares", name, index))) for index in range(n)]
    if not mechanism.shares:
        spread = Counter(round(score) for score in drawn)
        assert all(spread[score] > 0.05 * n for score in range(6))
        return
    for label, share in enumerate(mechanism.shares):
        tolerance = 4 * (share * (1 - share) / n) ** 0.5 + 3 / n
        assert drawn.count(label) / n == pytest.approx(share, abs=tolerance), mechanism.labels[label]


@pytest.mark.parametrize("name", TWINNED)
def test_lengths_and_splits(name: str) -> None:
    long = DATA_FACTS[name].mean_characters >= LONG
    sizes = {"train": 16 if long else 120, "validation": 6 if long else 20, "test": 6 if long else 20}
    splits = {split: list(examples(twins()[name], 0, split, n)) for split, n in sizes.items()}
    lengths = [len(row.text) + len(row.text_b or "") for row in splits["train"]]
    assert sum(lengths) / len(lengths) == pytest.approx(DATA_FACTS[name].mean_characters, rel=0.15)
    for one, other in (("train", "validation"), ("train", "test"), ("validation", "test")):
        meanings = ({meaning_key(row.meaning) for row in splits[split]} for split in (one, other))
        assert not set.intersection(*meanings)
        texts = ({(row.text.lower(), row.text_b) for row in splits[split]} for split in (one, other))
        assert not set.intersection(*texts)
