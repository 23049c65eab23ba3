"""`--pack N`: fits and evaluations that go through the encoder together, in a run."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import stream.execution.pack_job
import stream.execution.row_job
import stream.storage.store
from stream import run, verify
from tasks.errors import InputErrors
from tests.runs import events_of, tiny_settings

CHOOSING, SHARED = "adapter:4:learning_rate=1e-3/3e-3:select=halving:epochs=3", "lora:2:sharing=sequential"
LEARNERS = f"adapter:4,{CHOOSING},head,layernorm,full:isolated,{SHARED}"
TASKS = "colours,rte,stsb"


@pytest.fixture(scope="module")
def finished(tiny_tasks: Path, tiny_backbone: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    out = tmp_path_factory.mktemp("packs") / "run"
    settings = tiny_settings(tiny_tasks, tiny_backbone, out, learners=LEARNERS, suite=TASKS, evaluate="audited", pack=3)
    run(**settings)
    return settings


def cells(out: str | Path, learner: str) -> dict[str, set[tuple[str, str]]]:
    """By task: logits and plans of the evaluations of a learner."""
    found: dict[str, set[tuple[str, str]]] = {}
    for row in [*events_of(Path(out), "evaluate"), *events_of(Path(out), "audit")]:
        for cell in row["cells"] if row["learner"] == learner else ():
            found.setdefault(cell["task"], set()).add((cell["logits"], cell["plan"]))
    return found


def deltas(out: str | Path) -> dict[tuple[str, str], str]:
    return {(event["learner"], event["task"]): event["delta"] for event in events_of(Path(out), "fit")}


def test_the_run_is_proven(finished: dict[str, Any]) -> None:
    verdict = verify(finished["out"], rerun="all")
    assert verdict.passed, verdict


def test_a_fit_has_its_own_recipe_but_for_learners_that_share_no_pass_the_same_delta(
    finished: dict[str, Any], tmp_path: Path
) -> None:
    run(**{**finished, "pack": 1, "out": str(tmp_path / "run")})
    together, alone = deltas(finished["out"]), deltas(tmp_path / "run")
    assert together.keys() == alone.keys()
    for (learner, task), delta in alone.items():
        if learner in ("full:isolated", SHARED):
            assert together[learner, task] == delta
    recipes = [{fit["recipe"] for fit in events_of(Path(out), "fit")} for out in (finished["out"], tmp_path / "run")]
    assert not recipes[0] & recipes[1]


def test_fits_of_a_learner_are_together(
    finished: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And recipes whose locks are one file."""
    together: list[int] = []
    honest = stream.execution.pack_job.fit_pack

    def counted(backbone: Any, requests: Any, slots: int) -> Any:
        asked = [*requests]
        together.append(len(asked))
        return honest(backbone, asked, slots)

    monkeypatch.setattr(stream.execution.pack_job, "fit_pack", counted)
    monkeypatch.setattr(stream.storage.store, "LOCK_DIGITS", 0)
    run(**{**finished, "learners": "adapter:4", "out": str(tmp_path / "run")})
    assert together == [3]
    found, expected = deltas(tmp_path / "run"), deltas(finished["out"])
    assert found == {key: expected[key] for key in found}


def test_the_company_does_not_matter(finished: dict[str, Any], tmp_path: Path) -> None:
    """Other tasks, another order, fewer learners, evaluated at other times: the same Deltas and logits, bit for bit."""
    run(
        **{
            **finished,
            "suite": "stsb,colours",
            "order": "stsb,colours",
            "learners": "adapter:4",
            "evaluate": "full",
            "out": str(tmp_path / "run"),
        }
    )
    found, expected = deltas(tmp_path / "run"), deltas(finished["out"])
    assert found == {key: expected[key] for key in found}
    assert len(found) == 2
    answered, others = cells(tmp_path / "run", "adapter:4"), cells(finished["out"], "adapter:4")
    assert answered == {task: others[task] for task in ("stsb", "colours")}
    assert all(len(bits) == 1 for bits in answered.values())


@pytest.mark.parametrize("evaluate", ["full", "audited"])
def test_tasks_of_a_row_share_passes(
    finished: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, evaluate: str
) -> None:
    together: list[int] = []
    honest = stream.execution.row_job.evaluate_together

    def counted(backbone: Any, learner: Any, asked: Any, slots: int) -> Any:
        together.append(len(asked))
        return honest(backbone, learner, asked, slots)

    monkeypatch.setattr(stream.execution.row_job, "evaluate_together", counted)
    settings = {**finished, "learners": "adapter:4,head", "evaluate": evaluate}
    packed, alone = (run(**{**settings, "pack": pack, "out": str(tmp_path / f"{pack}")}) for pack in (3, 1))
    assert together == ([3, 1, 2, 3] if evaluate == "full" else [3, 1, 2, 2, 3])
    for name in ("adapter:4", "head"):
        np.testing.assert_allclose(packed[name].matrix[0], alone[name].matrix[0], atol=1e-5)


def test_what_a_square_run_measures_is_proven(finished: dict[str, Any], tmp_path: Path) -> None:
    """Future tasks have the Delta of row 0, and must have its logits."""
    settings = {"learners": "layernorm,adapter:4", "evaluate": "square", "out": str(tmp_path / "run")}
    run(**{**finished, **settings})
    verdict = verify(tmp_path / "run")
    assert verdict.passed, verdict


def test_an_interrupted_run_goes_on_to_the_same(
    finished: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Stopped after the second fit of a pack: finished fits are kept, and the rest has the same bits."""
    from stream.storage.store import Store

    honest, count = Store.put_fit, iter(range(99))

    def stopping(store: Store, *arguments: Any) -> Any:
        if next(count) == 2:
            raise KeyboardInterrupt
        return honest(store, *arguments)

    monkeypatch.setattr(Store, "put_fit", stopping)
    settings = {**finished, "learners": "adapter:4,head", "out": str(tmp_path / "run")}
    with pytest.raises(KeyboardInterrupt):
        run(**settings)
    assert len(deltas(tmp_path / "run")) == 2
    monkeypatch.undo()
    run(**settings)
    found, expected = deltas(tmp_path / "run"), deltas(finished["out"])
    assert found == {key: expected[key] for key in found}
    assert len(found) == 6


def test_packs_run_in_one_process(finished: dict[str, Any]) -> None:
    with pytest.raises(InputErrors, match="packs run in one process; expected --workers 1, or none; found --workers 2"):
        run(**{**finished, "workers": 2})
