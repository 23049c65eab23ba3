"""Workers kept between runs: the same results as without any, whatever changes from one run to the next."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from stream import kept_workers, run
from stream.cli.verify import verify
from stream.execution import workers
from tests.runs import deltas_of, tiny_settings
from tests.worlds import save_backbone


def cells(results: dict[str, Any]) -> dict[str, Any]:
    """What does not depend on the clock."""
    return {name: (learner["R"], learner["metrics"]) for name, learner in results["learners"].items()}


@pytest.mark.usefixtures("warm_workers")
def test_runs_that_differ_in_everything(
    tiny_tasks: Path, tiny_backbone: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Order, dtype, backbone, learners and the current folder, in which the paths are given."""
    started: list[Any] = []
    process = workers._process
    monkeypatch.setattr(workers, "_process", lambda errors: started.append(process(errors)) or started[-1])
    other = save_backbone(tmp_path / "other-bert", seed=5)
    plain = "adapter:4,full:sequential"
    runs: list[dict[str, Any]] = [
        {"order": "paper", "learners": plain},
        {"order": "seed:1", "dtype": "bfloat16", "learners": f"avalanche:replay:mem_size=8,{plain}"},
        {"backbone": str(other), "learners": plain},
    ]

    def done(place: str, number: int, crew: Any) -> dict[str, Any]:
        folder = tmp_path / place / str(number)
        folder.mkdir(parents=True)
        monkeypatch.chdir(folder)
        given = tiny_settings(tiny_tasks, tiny_backbone, Path("run"), store="../store", evaluate="audited")
        found = run(**given | runs[number] | {"workers": crew}).as_dict()
        assert (tmp_path / place / "store").is_dir()
        assert verify(Path("run"), "0", 0, Path("../store"), (), "plain") == 0
        return cells(found)

    with kept_workers(2) as crew:
        found = [done("kept", number, crew) for number in range(len(runs))]
    assert len(started) < 2 * len(runs)
    assert all(each.returncode is not None for each in started)
    alone = [done("alone", number, 1) for number in range(len(runs))]
    assert found == alone
    # Scores of so few rows can be equal by chance, Deltas cannot.
    deltas = [deltas_of(tmp_path / "kept" / number / "run") for number in ("0", "2")]
    assert not set(deltas[0].values()) & set(deltas[1].values()), "the backbone of the run before was taken for another"
