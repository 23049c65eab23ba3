"""A published test split with labels that train lacks, as ATIS has them, through a whole run."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import pytest

from stream import InputError, plan, run, verify
from tests.runs import as_arguments, call, read_results, tiny_settings

SIZES = {"train": 40, "dev": 12, "test": 20}
UNSEEN = 4  # of the 20 test rows; one of the validation rows
NAMES = {"intents": ("flight", "fare", "meal"), "mrpc": ("0", "1", "2"), "cola": ("0", "1", "unsure")}


def save_tasks(folder: Path) -> Path:
    """Tasks of accuracy, F1 and Matthews: a word in the text tells one of two classes; test rows have a third one."""
    for task, (first, second, third) in NAMES.items():
        pair = ["text_b"] if task == "mrpc" else []
        (folder / task).mkdir(parents=True)
        for split, size in SIZES.items():
            rows = [[f"ash {('red', 'blue')[n % 2]} {n}", (first, second)[n % 2]] for n in range(size)]
            for n in range({"train": 0, "dev": 1, "test": UNSEEN}[split]):
                rows[-1 - n] = [f"ash gold {n}", third]
            with (folder / task / f"{split}.csv").open("w", encoding="utf-8", newline="") as file:
                csv.writer(file).writerows([["text", *pair, "label"], *([t, *pair, label] for t, label in rows)])
    return folder


@pytest.fixture
def settings(tiny_backbone: Path, tmp_path: Path) -> dict[str, Any]:
    given = {"suite": ",".join(NAMES), "learners": "majority,head,adapter:4", "epochs": 2}
    return tiny_settings(save_tasks(tmp_path / "tasks"), tiny_backbone, tmp_path / "run", **given)


def test_such_rows_stay_and_count_as_wrong(settings: dict[str, Any]) -> None:
    answer = call("run", *as_arguments(settings), "--display", "none")
    assert answer.code == 0, answer.err
    results = read_results(Path(settings["out"]))
    for facts in results["tasks"].values():
        assert (facts["classes"], facts["train"], facts["validation"], facts["test"]) == (3, 40, 12, 20)
        told = [note for note in facts["notes"] if "stay and count as wrong" in note]
        assert [note.partition(" rows")[0] for note in told] == ["1 of 12 validation", "4 of 20 test"]
    # Of 20 rows, 8 are of each class that train has. `majority` answers the first: train has 20 of each.
    last = dict(zip(results["order"], results["learners"]["majority"]["R"][-1], strict=True))
    assert last == {"intents": 8 / 20, "mrpc": 0.0, "cola": 0.0}, "F1 without an answer 1; Matthews of one answer"
    for learner in results["learners"].values():
        assert None not in [score for arrived, row in enumerate(learner["R"]) for score in row[:arrived]]
        assert learner["R"][-1][0] <= 1 - UNSEEN / SIZES["test"]
        assert max(learner["R"][-1][1:]) < 1
    assert verify(settings["out"], rerun="all").passed
    with pytest.raises(InputError, match="never in train"):
        plan(**settings, unseen_labels="refuse")
    assert plan(**settings).jobs_left == 0


def test_who_does_not_want_them_refuses(settings: dict[str, Any], tmp_path: Path) -> None:
    """By the command, a file of settings, or a call; each task is told."""
    file = tmp_path / "my.toml"
    file.write_text('unseen_labels = "refuse"\n', encoding="utf-8")
    base = as_arguments(settings)
    for answer in (
        call("run", *base, "--unseen-labels", "refuse", "--display", "none"),
        call("plan", *base, "--config", str(file), "--display", "none"),
    ):
        assert answer.code == 2
        assert len(answer.errors) == len(NAMES)
        assert "task intents: labels occur in validation or test but never in train" in answer.errors[0]
        assert "'meal' in 1 of 12 validation rows; 'meal' in 4 of 20 test rows" in answer.errors[0]
    with pytest.raises(InputError, match="never in train"):
        run(**settings, unseen_labels="refuse")
    assert not Path(settings["out"]).exists()
    answer = call("run", *base, "--unseen-labels", "drop", "--display", "none")
    assert "bad value of unseen_labels; expected 'keep' or 'refuse'; found 'drop'" in answer.err
