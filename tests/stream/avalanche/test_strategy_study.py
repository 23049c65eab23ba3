"""The study of strategies against our learners, at a tiny size: both tables, and their numbers."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import torch

from stream.avalanche import houlsby26
from tests.end_to_end.test_experiments import SCRIPTS, TINY, call, read

STRATEGIES = ("avalanche:naive", "avalanche:replay:mem_size=8")


def test_strategies(tiny_backbone: Path, tmp_path: Path) -> None:
    learners = ",".join(("head", *STRATEGIES))
    given = ("--suite", "sst2,cola", "--backbone", str(tiny_backbone), "--learners", learners, "--workers", "1")
    answer = call("run_study", "strategies", *given, *TINY, "--out", str(tmp_path))
    assert (answer.code, answer.err) == (0, "")
    found = [row["name"] for row in read(tmp_path / "strategies.json")["rows"]]
    assert set(found) == {"full:isolated", "head", *STRATEGIES}
    learned = read(tmp_path / "results.json")["learners"]
    for name in found:
        line = re.findall(rf"^{re.escape(name)} .*$", answer.out, re.MULTILINE)[0]
        assert f"{learned[name]['cost']['after_each_arrival'][-1]['bytes']:,}" in line
    answer = call("both_loops", "--run", str(tmp_path))
    assert (answer.code, answer.err) == (0, "")
    loops = read(tmp_path / "both_loops.json")["loops"]
    assert list(loops) == list(STRATEGIES)
    for name, both in loops.items():
        ours, equal, plain = (sum(both[loop][0].values()) / 2 for loop in ("ours", "our settings", "as it is"))
        assert both["differences"]["our settings"]["mean"] == pytest.approx(ours - equal)
        assert both["differences"]["as it is"]["mean"] == pytest.approx(ours - plain)
        assert ours == pytest.approx(sum(learned[name]["R"][-1]) / 2)
        assert answer.out.count(f"\n{name} ") == 1
    refused = call("both_loops", "--run", str(tmp_path), "--learners", "head")
    assert refused.code == 2
    assert "no strategy of Avalanche" in refused.err


def test_avalanche_under_our_settings_keeps_the_best_epoch_of_each_task(
    tiny_backbone: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(str(SCRIPTS))
    import avalanche_loop
    from avalanche.training.supervised import Naive

    tasks = houlsby26(suite="sst2,cola", backbone=str(tiny_backbone), train_examples=8, test_examples=8, max_length=16)
    seen: list[dict[str, torch.Tensor]] = []
    kept: list[dict[str, torch.Tensor]] = []
    rates: list[float] = []
    judged: list[int] = []

    def validated(plugin: object, model: torch.nn.Module, label: int) -> tuple[float, float]:
        seen.append({name: p.detach().clone() for name, p in model.named_parameters()})
        judged.append(label)
        return 0.5, (2.0, 1.0, 3.0)[(len(seen) - 1) % 3]  # of equal scores the least loss: the second epoch

    class Watching(avalanche_loop.SupervisedPlugin):  # type: ignore[misc]
        def before_forward(self, strategy: torch.nn.Module, **_: object) -> None:
            rates.append(strategy.optimizer.param_groups[0]["lr"])  # of the step before

        def after_training_exp(self, strategy: torch.nn.Module, **_: object) -> None:
            kept.append({name: p.detach().clone() for name, p in strategy.model.named_parameters()})
            assert all(state["step"] == 6 for state in strategy.optimizer.state.values())  # three epochs of one task

    monkeypatch.setattr(avalanche_loop.OurSettings, "_validated", validated)
    monkeypatch.setattr(avalanche_loop, "classes_of", lambda _: (Naive, {}, {Watching: {}}))
    avalanche_loop.inside(tasks, "avalanche:naive", 3, 4, settings_of_ours=True)
    assert judged == [0, 0, 0, 1, 1, 1]
    for task, best in enumerate((seen[1], seen[4])):
        assert all(torch.equal(kept[task][name], tensor) for name, tensor in best.items())
        assert any(not torch.equal(kept[task][name], seen[3 * task + 2][name]) for name in best)
    assert rates[1:6] == rates[7:]  # the schedule begins anew with each task
    assert rates[5] < rates[2]


def test_what_avalanches_loop_cannot_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(SCRIPTS))
    from avalanche_loop import runs_inside

    assert [runs_inside(f"avalanche:{name}", 26, 16) for name in ("ewc", "cumulative", "joint")] == [True, False, False]
    assert [runs_inside(f"avalanche:{name}", 16, 16) for name in ("gdumb", "cumulative", "joint")] == [
        True,
        True,
        False,
    ]
