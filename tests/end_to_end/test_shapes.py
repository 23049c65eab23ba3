"""The study of depths and widths at a tiny size: what it computes, keeps and refuses."""

from __future__ import annotations

import importlib
import time
from pathlib import Path
from types import ModuleType

import pytest
from pretraining.settings import Settings

from tests.end_to_end.test_experiments import SCRIPTS, TINY, call, read
from tests.runs import Answer

GIVEN = (
    "--documents", "100", "--vocabulary", "300", "--tokens", "256", "--suite", "sst2,cola",
    "--probe-train", "50", "--probe-test", "50", *TINY, "--workers", "1",
)  # fmt: skip


@pytest.fixture
def equal_time(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(str(SCRIPTS))
    module = importlib.import_module("equal_time")
    monkeypatch.setattr(module, "ROUNDS", 2)
    monkeypatch.setattr(module.medians, "__defaults__", (2,))
    return module


def study(out: Path, *more: str) -> Answer:
    return call("shapes", *GIVEN, *more, "--out", str(out))


def test_shapes_of_equal_time(equal_time: ModuleType, tmp_path: Path) -> None:
    given = ("--shapes", "1x32,2x64", "--minutes", "0.004")
    answer = study(tmp_path, *given)
    assert (answer.code, answer.err) == (0, "")
    assert answer.out.count("ms per step") == 2  # what pretraining prints
    found = read(tmp_path / "shapes.json")
    seconds = read(tmp_path / "step_seconds.json")["seconds"]
    assert found["reference"] == "1x32"
    for name, told in found["shapes"].items():
        folder, results = tmp_path / "shapes" / name, read(tmp_path / "runs" / name / "results.json")
        config = read(folder / "backbone" / "config.json")
        assert name == f"{config['num_hidden_layers']}x{config['hidden_size']}"
        assert config["hidden_size"] / config["num_attention_heads"] == 32
        assert read(folder / "backbone" / "pretraining.json")["curve"][-1]["step"] == told["steps"]
        assert told["steps"] == round(0.24 / seconds[name])
        assert (folder / "corpus.safetensors").samefile(tmp_path / "corpus" / "corpus.safetensors")
        for learner in ("adapter", "head"):
            row = results["learners"][learner]["R"][-1]
            assert told["mean"][learner]["mean"] == pytest.approx(sum(row) / 2)
        probes = read(folder / "probes.json")["scores"]
        first = read(tmp_path / "shapes" / "1x32" / "probes.json")["scores"]
        difference = sum(probes[task] - first[task] for task in ("sst2", "cola")) / 2
        assert told["to_reference"]["probe"]["mean"] == pytest.approx(difference)
        assert results["backbone"]["parameters"] == told["parameters"]
    # BERT: 8 matrices' worth of 4 d^2, biases 9 d and norms 4 d a layer; tables of 256 positions and 2 types
    small, large = (told["parameters"] for told in found["shapes"].values())
    rows = 256 + 2 + read(tmp_path / "shapes" / "1x32" / "settings.json")["vocabulary"]
    assert small == rows * 32 + 2 * 32 + 12 * 32**2 + 13 * 32
    assert large == rows * 64 + 2 * 64 + 2 * (12 * 64**2 + 13 * 64)

    weights = {name: (tmp_path / "shapes" / name / "backbone" / "model.safetensors") for name in found["shapes"]}
    before = {name: file.stat().st_mtime_ns for name, file in weights.items()}
    again = study(tmp_path, *given)
    assert (again.code, again.err) == (0, "")
    assert "ms per step" not in again.out
    assert {name: file.stat().st_mtime_ns for name, file in weights.items()} == before
    assert read(tmp_path / "shapes.json")["shapes"]["2x64"]["scores"] == found["shapes"]["2x64"]["scores"]

    longer = study(tmp_path, "--shapes", "1x32", "--minutes", "0.02")
    assert longer.code == 2
    assert "this folder has other settings" in longer.err

    given_one = equal_time.shared_corpus(tmp_path / "corpus", tmp_path / "other", Settings(documents=1000))
    assert given_one[0] == tmp_path / "corpus"
    assert (given_one[1].documents, given_one[1].vocabulary) == (100, rows - 258)  # it tells its own size
    assert not (tmp_path / "other").exists()


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (("--shapes", "4x100"), "the width a multiple of 32; found 4x100"),
        (("--shapes", "4"), "expected LAYERSxWIDTH"),
        (("--learners", "adaptor"), "adapter"),
        (("--dtype", "float16"), "dtype"),
        (("--corpus", "."), "no corpus.safetensors"),
    ],
)
def test_bad_input_is_told_before_anything_is_pretrained(tmp_path: Path, given: tuple[str, str], said: str) -> None:
    answer = study(tmp_path, *given)
    assert answer.code == 2
    assert said in answer.err
    assert not [*tmp_path.iterdir()]


def test_times_alternate_and_the_first_round_warms_up(equal_time: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    clock, calls = [0.0], []

    def takes(name: str, *seconds: float) -> object:
        def one(turn: int) -> None:
            calls.append((turn, name))
            clock[0] += seconds[turn]

        return one

    monkeypatch.setattr(time, "process_time", lambda: clock[0])
    given = {"a": takes("a", 90, 1, 2, 9), "b": takes("b", 90, 5, 4, 30)}
    assert equal_time.medians(given, rounds=3) == {"a": 2, "b": 5}
    assert calls == [(turn, name) for turn in range(4) for name in "ab"]
