"""A run folder of an earlier version (training format 5) is read, verified and continued.

The file has the run, its tasks and its backbone: what is simulated or embedded changes, and then a run is not
continued.
"""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest

from stream import load_results
from stream.verification import verify
from tests.runs import Answer, call, events_of

RUN = Path(__file__).with_name("run_of_training_format_5.zip")
LEARNERS = "majority,head,layernorm:sequential"
SETTINGS = (
    *("--source", "folder:tasks", "--backbone", "encoder", "--suite", "cola,rte", "--learners", LEARNERS),
    *("--train-examples", "16", "--test-examples", "8", "--epochs", "1", "--batch-size", "8"),
    *("--max-length", "16", "--seed", "3"),
)


@pytest.fixture
def earlier(tmp_path: Path) -> Path:
    with zipfile.ZipFile(RUN) as files:
        files.extractall(tmp_path)
    return tmp_path / "earlier"


def test_it_verifies(earlier: Path) -> None:
    verdict = verify(earlier)
    assert verdict.passed
    assert verdict.counts["keys"] == {"jobs": 15, "events": 15, "superseded": 0}
    assert verdict.counts["documents"] == {"documents": 4}
    assert verdict.notes[0].startswith("an earlier version made this run")


def test_it_is_reported_and_continued(earlier: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(earlier.parent)
    before = load_results(earlier)
    assert before["head"].canonical == "head"
    assert before["layernorm:sequential"].canonical == "layernorm:embeddings=yes:sharing=sequential"
    answer = call("run", *SETTINGS, "--workers", "1", "--out", str(earlier), "--display", "none")
    assert (answer.code, answer.err) == (0, "")
    now = load_results(earlier)
    assert now["layernorm:sequential"].canonical == "layernorm:sharing=sequential"
    assert len(events_of(earlier, "fit")) == 12
    assert verify(earlier).passed


def test_what_it_would_lose_is_refused_with_a_way_out(earlier: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(earlier.parent)

    def command(learners: str) -> Answer:
        given = [learners if each == LEARNERS else each for each in SETTINGS]
        return call("run", *given, "--workers", "1", "--out", str(earlier), "--display", "none")

    (line,) = command("majority,head").errors
    assert "leaves out learners of the run that this folder holds: layernorm:sequential" in line
    assert line.endswith(f"; give --learners '{LEARNERS}', or give another --out")  # its fits are of another format
    (line,) = command("majority,head,layernorm:sharing=sequential").errors
    assert line.endswith("; write it as 'layernorm:sequential'")
    assert command(LEARNERS).code == 0
