"""The simulated source: what a user may write, how many rows there are, and what the caches rest on."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stream.config.settings import RunConfig
from stream.engine.context import prepare
from tasks import SUITES, TASKS, InputError, Limits, SimulatedSource, open_source
from tasks.encode import encode
from tasks.encoded import open_encoded
from tasks.sources.simulated import source as module
from tasks.sources.simulated.registry import gathered, generator_id, twins

TWINNED = SUITES["houlsby26"]  # the known tasks that have a twin

SMALL = SimulatedSource(scale=0.002)
TINY = Limits(train=12, test=7)


def test_the_twins_are_the_table_in_its_order() -> None:
    assert list(twins()) == list(TWINNED)
    assert SimulatedSource().names() == TWINNED
    for name, twin in twins().items():
        assert replace(twin.task, labels=None) == TASKS[name]
        assert len(twin.mechanism.labels) == len(twin.mechanism.shares) == (TASKS[name].paper.classes or 0)  # type: ignore[union-attr]


def test_two_twins_of_a_task_are_a_mistake() -> None:
    cola, rte = twins()["cola"], twins()["rte"]
    assert list(gathered([("b", [rte]), ("a", [cola])])) == ["cola", "rte"]
    with pytest.raises(ValueError, match="task cola has a twin in a and another in b"):
        gathered([("a", [cola]), ("b", [rte, cola])])


@given(
    st.integers(0, 2**63 - 1),
    st.none() | st.floats(1e-6, 100),
    st.none() | st.floats(0, 1),
    st.just("paper") | st.floats(0, 1),
)
def test_a_source_is_what_its_name_says(
    seed: int, scale: float | None, difficulty: float | None, noise: float | Literal["paper"]
) -> None:
    source = SimulatedSource(seed, scale, difficulty, noise)
    assert open_source(source.name) == source
    given = {"noise": noise, "difficulty": difficulty, "scale": scale, "seed": seed}
    said = (f"{key}={value}" for key, value in given.items() if value is not None)
    assert open_source(":".join(("simulated", *said))) == source


def test_defaults() -> None:
    assert open_source("simulated") == SimulatedSource(0, None, None, 0.03)
    assert open_source("simulated").name == "simulated"
    assert open_source("simulated:noise=0.03").name == "simulated"


@pytest.mark.parametrize("name", TWINNED)
def test_difficulty_and_noise_reach_the_twin(name: str) -> None:
    own, twin = twins()[name], SimulatedSource().twin(name)
    assert twin == own
    assert twin.clarity >= 0.95
    hard = SimulatedSource(difficulty=1.0, noise=0.0).twin(name)
    assert hard.mechanism == replace(own.mechanism, difficulty=1.0)  # type: ignore[type-var]
    assert hard.clarity == 1
    paper = SimulatedSource(noise="paper").twin(name)
    assert paper.mechanism == own.mechanism
    assert paper.ceiling == pytest.approx(own.best, abs=0.05)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("simulated:sede=3", "unknown argument 'sede'; did you mean seed?"),
        ("simulated:7", "cannot read '7'; expected seed=VALUE, scale=VALUE"),
        ("simulated:", "cannot read ''"),
        ("simulated:seed=x", "bad value of seed; expected a whole number from 0 to .*; found 'x'"),
        ("simulated:seed=-1", "bad value of seed"),
        ("simulated:seed=²", "bad value of seed"),
        ("simulated:seed=" + "9" * 30, "bad value of seed"),
        ("simulated:scale=0", "bad value of scale; expected a number from 1e-06 to 100; found '0'"),
        ("simulated:scale=nan", "bad value of scale"),
        ("simulated:scale=inf", "bad value of scale"),
        ("simulated:scale=", "bad value of scale"),
        ("simulated:seed=1:seed=2", "seed is given twice"),
        ("simulated:difficulty=1.01", "bad value of difficulty; expected a number from 0 to 1; found '1.01'"),
        ("simulated:difficulty=hard", "bad value of difficulty; expected a number from 0 to 1; found 'hard'"),
        ("simulated:difficulty=nan", "bad value of difficulty"),
        ("simulated:noise=-0.1", "bad value of noise; expected a number from 0 to 1, or paper; found '-0.1'"),
        ("simulated:noise=papers", "bad value of noise; expected a number from 0 to 1, or paper; found 'papers'"),
        ("simulated:noise=", "bad value of noise"),
        ("simulatd", "unknown source 'simulatd'; did you mean simulated?"),
    ],
)
def test_bad_sources(text: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        open_source(text)


def test_bad_names() -> None:
    for ask in (SMALL.task, SMALL.load, SMALL.fingerprint):
        with pytest.raises(InputError, match="unknown task 'colla'; did you mean cola"):
            ask("colla")


@pytest.mark.parametrize("name", TWINNED)
def test_sizes_follow_the_paper(name: str) -> None:
    paper, twin = TASKS[name].paper, twins()[name]
    assert paper is not None
    assert SimulatedSource().rows(twin, "train") == min(2000, paper.train)
    assert SimulatedSource(scale=0.1).rows(twin, "train") == round(0.1 * paper.train)
    assert SimulatedSource(scale=1).rows(twin, "train") == paper.train
    assert SimulatedSource(scale=1e-6).rows(twin, "train") == 1
    assert SimulatedSource(scale=1e-6).rows(twin, "test") == min(paper.test, 1000)
    assert SimulatedSource().rows(twin, "train", TINY) == 12
    assert SimulatedSource().rows(twin, "validation", TINY) == 7


@pytest.mark.parametrize("name", ["cola", "stsb", "news_aggregator", "mrpc"])
def test_a_capped_split_is_the_first_rows_of_the_whole(name: str) -> None:
    source = SimulatedSource(seed=5, scale=24 / TASKS[name].paper.train)  # type: ignore[union-attr]
    whole, capped = source.load(name, Limits(test=24)), source.load(name, TINY)
    assert [len(split) for split in (whole.train, whole.validation, whole.test)] == [24, 24, 24]
    for split, rows in (("train", 12), ("validation", 7), ("test", 7)):
        large, small = getattr(whole, split), getattr(capped, split)
        assert len(small) == rows
        assert small.text == large.text[:rows]
        assert small.text_b == (None if large.text_b is None else large.text_b[:rows])
        assert np.array_equal(small.target, large.target[:rows])
        assert small.target.dtype == (np.float32 if name == "stsb" else np.int64)
        assert (small.text_b is None) == (TASKS[name].kind == "single")
    assert whole.id != capped.id
    assert source.load(name, TINY).id == capped.id


def test_data_says_what_it_is() -> None:
    data = SMALL.load("cola", TINY)
    assert data.task.labels == ("0", "1")
    assert data.task.ceiling == pytest.approx(97)  # a Matthews correlation of 1 - noise
    assert data.task.ceiling == SMALL.task("cola").ceiling
    simulated, difficulty, noise = data.notes
    assert "simulated:scale=0.002" in simulated
    assert "Acceptability" in simulated
    mechanism = twins()["cola"].mechanism
    assert difficulty == f"difficulty {mechanism.difficulty:g}: {mechanism.hard_by}"
    assert "with probability 0.970 (clarity)" in noise
    assert "matthews is 97.0 (ceiling)" in noise
    hard = SimulatedSource(difficulty=0.25, noise="paper").load("cola", TINY)
    assert hard.task.ceiling == pytest.approx(60.5, abs=0.1)
    assert hard.notes[1].startswith("difficulty 0.25: ")
    assert "matthews is 60.5 (ceiling)" in hard.notes[2]


def test_seeds_differ() -> None:
    first, second = (SimulatedSource(seed=seed).load("news_aggregator", TINY) for seed in (0, 1))
    assert not set(first.train.text) & set(second.train.text)


def test_the_fingerprint_covers_all_that_rows_rest_on(monkeypatch: pytest.MonkeyPatch) -> None:
    prints = [
        SMALL.fingerprint("cola"),
        SMALL.fingerprint("rte"),
        SMALL.fingerprint("cola", TINY),
        SMALL.fingerprint("cola", Limits(train=12)),
        SimulatedSource(seed=1, scale=0.002).fingerprint("cola"),
        SimulatedSource(scale=0.003).fingerprint("cola"),
        SimulatedSource(scale=0.002, difficulty=0.123).fingerprint("cola"),
        SimulatedSource(scale=0.002, noise=0.1).fingerprint("cola"),
        SimulatedSource(scale=0.002, noise="paper").fingerprint("cola"),
    ]
    assert len(set(prints)) == len(prints)
    assert SMALL.fingerprint("cola", Limits(train=10**9, test=10**9)) == prints[0], "a cap above the size is none"
    monkeypatch.setattr("tasks.sources.simulated.registry.generator_id", lambda: "other words")
    assert SMALL.fingerprint("cola") not in prints


def test_the_generator_id_covers_code_and_words(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import shutil

    import tasks.sources.simulated.registry as registry

    folder = tmp_path / "simulated"
    shutil.copytree(Path(registry.__file__).parent, folder, ignore=shutil.ignore_patterns("__pycache__"))
    monkeypatch.setattr(registry, "__file__", str(folder / "registry.py"))
    found = [registry.generator_id.__wrapped__()]
    assert found == [generator_id()]
    for path in ("chance.py", "twins/topics.py", "words/world.txt"):
        with (folder / path).open("a") as file:
            file.write("#\n")
        found.append(registry.generator_id.__wrapped__())
    assert len(set(found)) == 4


def test_encoded_once_a_cap_and_read_with_its_ceiling(tmp_path: Path, tiny_backbone: Path) -> None:
    from learners.backbones.backbone import load_backbone

    backbone = load_backbone(str(tiny_backbone), "float32")

    def encoded(limits: Limits) -> Any:
        return encode(SMALL, "cola", backbone.tokenizer, backbone.tokenizer_id, 24, tmp_path, limits)

    task = encoded(TINY)
    assert [len(split) for split in (task.train, task.validation, task.test)] == [12, 7, 7]
    assert task.task.ceiling == pytest.approx(97)
    assert open_encoded(task.path).task == task.task
    assert encoded(TINY).path == task.path
    other = encoded(Limits(train=12, test=9))
    assert other.path != task.path
    assert np.array_equal(other.train.ids, task.train.ids)
    assert len(list(tmp_path.iterdir())) == 2


def test_a_run_asks_for_no_more_rows_than_it_uses(tiny_backbone: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[str, int]] = []
    from tasks.sources.simulated.twin import examples

    def counted(twin: Any, seed: int, split: str, n: int) -> Any:
        asked.append((split, n))
        return examples(twin, seed, split, n)

    monkeypatch.setattr("tasks.sources.simulated.twin.examples", counted)
    config = RunConfig(
        suite="cola,qqp",
        backbone=str(tiny_backbone),
        learners="head",
        max_length=24,
        train_examples=31,
        test_examples=9,
    )
    prepared = prepare(config)
    assert asked == [("train", 31), ("validation", 9), ("test", 9)] * 2
    facts = prepared.facts().tasks
    assert [(facts[name]["train"], facts[name]["test"]) for name in ("cola", "qqp")] == [(31, 9)] * 2
    assert facts["cola"]["ceiling"] == pytest.approx(0.97)
    assert module.FORMAT
