"""`taskstream report`: what a finished or half-finished run says, from its results alone."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.report.fake_results import LEARNERS, make_results
from tests.runs import call

ORDER = ["cola", "sst2", "mrpc", "stsb", "rte", "sms_spam"]


@pytest.mark.parametrize("arrivals", [0, 1, 4, 6])
@pytest.mark.parametrize("width", [80, 120])
def test_any_state_of_a_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arrivals: int, width: int) -> None:
    monkeypatch.setenv("COLUMNS", str(width))
    results = make_results(ORDER, arrivals=arrivals)
    (tmp_path / "results.json").write_text(json.dumps(results))
    answer = call("report", str(tmp_path), "--display", "plain")
    assert (answer.code, answer.err) == (0, "")
    assert max(map(len, answer.out.splitlines())) <= width
    assert "\x1b" not in answer.out
    for name in LEARNERS:
        assert name.split(":")[0] in answer.out
    if arrivals:
        assert all(task in answer.out for task in ORDER[:arrivals])


def test_json_gives_the_document_back(tmp_path: Path) -> None:
    results = make_results(ORDER)
    (tmp_path / "results.json").write_text(json.dumps(results))
    answer = call("report", str(tmp_path), "--display", "json")
    assert (answer.code, answer.err) == (0, "")
    assert json.loads(answer.out) == results
    assert call("report", str(tmp_path), "--display", "none").out == ""
