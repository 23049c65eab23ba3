"""Each number in a model card and in the HTML report is that of its event: change the event, and the words change."""

from __future__ import annotations

import html
import re
import shutil
from collections.abc import Callable
from copy import deepcopy as copy_of
from pathlib import Path
from typing import Any

import pytest

from stream import load_results, run
from stream.hub.card import model_card
from stream.hub.manifest import record_of
from stream.report.html import page, read_record
from stream.report.html.record import command_of
from stream.verification.checks import store_of, whole_record
from stream.verification.learned import final_delta, run_backbone
from stream.verification.sources import encoded_of
from tasks.encoded import open_encoded
from tests.forging import cells_of, event_of, forge
from tests.runs import tiny_settings

LEARNER, TASK = "adapter:4", "rte"
Events = list[dict[str, Any]]
Change = Callable[[Events], object]


@pytest.fixture(scope="module")
def base(tiny_tasks: Path, tiny_backbone: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("statements") / "run"
    more = {"learners": f"{LEARNER},full:sequential", "suite": f"colours,{TASK}", "train_examples": 20, "epochs": 2}
    run(**tiny_settings(tiny_tasks, tiny_backbone, out, **more))
    return out


def card(folder: Path, learner: str = LEARNER, task: str = TASK) -> str:
    """The model card of a Delta, as `taskstream export --to-dir` writes it."""
    files, recorded = whole_record(folder)
    backbone = run_backbone(recorded)
    assert files.config is not None
    data = open_encoded(encoded_of(recorded, task, files.config, backbone, lambda text: None))
    delta = final_delta(recorded, store_of(files), learner, task)
    return model_card(record_of(recorded, files, backbone, learner, data, delta))


def report(folder: Path) -> str:
    """The words of the HTML report: titles of cells, and each table row in one line."""
    results = load_results(folder)
    text = re.sub(r"<(style|script)\b.*?</\1>", "", page(results, read_record(folder, results)), flags=re.DOTALL)
    text = re.sub(r"</?(title|tr|li|p|dd|dt|caption)\b[^>]*>", "\n", text)
    return "\n".join(" ".join(html.unescape(re.sub(r"<[^>]*>", " ", line)).split()) for line in text.split("\n"))


def fit(**values: Any) -> Change:
    return lambda events: event_of(events, "fit", LEARNER, 2).update(values)


def fits(**values: Any) -> Change:
    """Changes both fits of the learner."""
    return lambda events: [event_of(events, "fit", LEARNER, arrival).update(values) for arrival in (1, 2)]


def cell(task: str = TASK, learner: str = LEARNER, at: int = -1, **values: Any) -> Change:
    """Changes the last cell of a task, or the one at another place among its cells."""
    return lambda events: cells_of(events, learner, task)[at].update(values)


def both(*changes: Change) -> Change:
    return lambda events: [change(events) for change in changes]


def facts(*path: str, value: Any) -> Change:
    def change(events: Events) -> None:
        (header,) = (event for event in events if event["event"] == "run")
        *inner, last = path
        place = header["facts"]
        for name in inner:
            place = place[name]
        place[last] = value

    return change


def no_last_row(events: Events) -> None:
    events.remove(event_of(events, "evaluate", LEARNER, 2))


# What changes, and what a card or the page then says.
CARD: dict[str, tuple[Change, str]] = {
    "rows": (fit(examples=18), "* training: 9 rows per epoch, 2 of at most 2 epochs, epoch"),
    "epochs run": (fit(examples=18, losses=[0.5], validation=[0.5], best=0), "* training: 18 rows per epoch, 1 of at"),
    "no epoch run": (fit(examples=0, losses=[], validation=[], best=-1), "* training: none: its fit ran 0 of at most"),
    "epoch kept": (fit(best=0), "2 of at most 2 epochs, epoch 1 kept, batch size 16, peak learning rate 0.01"),
    "score": (cell(score=0.125), "12.50 accuracy (x100) on"),
    "score of the metadata": (cell(score=0.125), "value: 0.125\n"),
    "test rows": (
        cell(n=7),
        " on 7 test rows after 2 of 2 arrivals. The cells",
    ),
    "no number": (cell(score=None), "test rows after 2 of 2 arrivals: a logit is not finite."),
    "not evaluated": (no_last_row, "This Delta was not evaluated."),
    "logits": (cell(logits="0" * 64), f"* logits {'0' * 64}, predictions"),
    "predictions": (cell(predictions="1" * 64), f"predictions {'1' * 64}, batch plan"),
    "plan": (cell(plan="2" * 64), f"batch plan {'2' * 64}\n"),
    "provenance": (cell(provenance="audited"), "* last cell: audited; logits computed at arrival 2"),
    "seed": (facts("seed", value=5), "* arrival: task 2 of 2 in the stream, seed 5\n"),
    "parameters": (facts("backbone", "parameters", value=98765), " new values for the 98,765 of the backbone"),
    "version": (facts("environment", "taskstream", value="9.8.7"), "learned with taskstream 9.8.7,"),
    "source": (facts("source", value="elsewhere"), "from source elsewhere, content id"),
}
ZEROS, MILLION = "0" * 64, facts("backbone", "parameters", value=1_000_000)
PAGE: dict[str, tuple[Change, str]] = {
    "trained parameters": (both(MILLION, fits(parameters=123_000)), "adapter: 4 {} 12.3% {}"),
    "growth": (
        both(MILLION, fits(kept_parameters=100_000, added_parameters=100_000, head_parameters=25_000)),
        "adapter: 4 {} 1.250× 1.200× {}",
    ),
    "growth of the chart": (
        both(MILLION, fits(kept_parameters=0, added_parameters=0, head_parameters=25_000)),
        "adapter:4: 1.050× after 2 arrivals",
    ),
    "bytes": (fits(bytes=4 * 10**12), "adapter: 4 {} 4.00TB {}"),
    "all bytes": (fits(bytes=4 * 10**12), "adapter: 4 {} 8.00TB"),
    "time of the fits": (fits(seconds=3600.0), "adapter: 4 {} 2h00m exact"),
    "FLOPs": (fits(flops=1.5e12), "adapter: 4 3.00T {}"),
    "memory": (fits(peak_memory_bytes=3 * 10**12), "adapter: 4 {} 3.00TB {}"),
    "time of the evaluations": (cell(seconds=36_000.0), "adapter: 4 {} 10h00m {}"),
    "score": (both(cell(score=0.5), cell("colours", at=0, score=0.1), cell("colours", score=0.1)), "adapter: 4 30.0{}"),
    "interval": (
        both(cell(error=0.04), cell("colours", error=0.03)),  # 1.96 x 0.05 / 2
        "95 % interval of score: {}4.9{} points on each side (bootstrap over test rows).",
    ),
    "interval of the whiskers": (
        both(cell(error=0.04), cell("colours", error=0.03)),
        "Whiskers: 95 % interval of score: {}4.9{} points on each side (bootstrap over test rows).",
    ),
    "score of a task": (cell(score=0.123), "rte 2 pair acc {} 12.3 {}"),
    "forgetting": (
        both(cell("colours", "full:sequential", 0, score=0.9), cell("colours", "full:sequential", score=0.4)),
        "full: sequential {} 50.0 -50.0 {} forgets",
    ),
    "forgetting of a task": (
        both(cell("colours", "full:sequential", 0, score=0.9), cell("colours", "full:sequential", score=0.4)),
        "colours 1 90.0 40.0 -50.0",
    ),
    "cell": (cell(score=0.125), "rte after arrival 2 (rte) · 12.5 points · n {}"),
    "test rows of a cell": (cell(n=7), "rte after arrival 2 (rte) · {} points · n 7 · logits {}"),
    "logits": (cell(logits=ZEROS), f"rte after arrival 2 (rte) · {{}} · logits {ZEROS[:12]} · Delta {{}} · measured"),
    "Delta": (cell(delta=ZEROS), f"rte after arrival 2 (rte) · {{}} · Delta {ZEROS[:12]} · measured"),
    "provenance": (cell(provenance="partly-measured"), "rte after arrival 2 (rte) {} · partly-measured"),
    "proof": (
        cell(provenance="partly-measured"),
        "exact: 2 cells measured, 1 cell partly measured, bitwise equal (adapter:4)",
    ),
    "no proof": (cell("colours", logits=ZEROS), "changed: 3 cells measured, NOT equal: task colours arrival 2 {}"),
    "training rows": (facts("tasks", "rte", "train", value=66), "rte 2 pair acc 66 {}"),
    "test rows": (facts("tasks", "rte", "test", value=77), "rte 2 pair acc {} 77 {}"),
    "metric": (facts("tasks", "rte", "metric", value="matthews"), "rte 2 pair MCC {}"),
    "ceiling": (facts("tasks", "rte", "ceiling", value=0.815), "rte 2 pair acc {} 81.5 {}"),
    "seed": (facts("seed", value=5), "suite {} · seed 5"),
    "suite": (facts("suite", value="mine"), "suite mine · 2 tasks {}"),
    "source": (facts("source", value="elsewhere"), "{} · source elsewhere · {}"),
    "backbone": (MILLION, "tiny-bert, 1.00M parameters"),
    "content of the backbone": (facts("backbone", "id", value=ZEROS), ZEROS),
    "settings": (facts("settings", "max_length", value=31), "{} · max length 31 · {}"),
    "environment": (facts("environment", "torch", value="9.8.7"), "{} · torch 9.8.7 · {}"),
    "ledger": (no_last_row, "12 lines, last hash {}"),
}


@pytest.mark.parametrize("what", CARD)
def test_a_number_of_the_card_is_that_of_its_event(base: Path, tmp_path: Path, what: str) -> None:
    change, words = CARD[what]
    copy = Path(shutil.copytree(base, tmp_path / "copy"))
    assert words not in card(copy)
    forge(copy, lambda events: change(events) and None)
    assert words in card(copy), card(copy)


@pytest.mark.parametrize("what", PAGE)
def test_a_number_of_the_page_is_that_of_its_event(base: Path, tmp_path: Path, what: str) -> None:
    change, words = PAGE[what]
    line = re.compile(re.escape(words).replace(r"\{\}", ".*"))
    copy = Path(shutil.copytree(base, tmp_path / "copy"))
    assert not any(map(line.search, report(copy).splitlines()))
    forge(copy, lambda events: change(events) and None)
    assert any(map(line.search, report(copy).splitlines())), report(copy)


def test_a_score_of_an_older_body_is_not_called_that_of_the_newest(base: Path, tmp_path: Path) -> None:
    """Interrupted between a fit and its row: the newest body has no score yet, and the card says so."""
    copy = Path(shutil.copytree(base, tmp_path / "copy"))
    assert " after 2 of 2 arrivals. Each later task changes" in card(copy, "full:sequential", "colours")
    forge(copy, lambda events: events.remove(event_of(events, "evaluate", "full:sequential", 2)))
    assert "This Delta was not evaluated." in card(copy, "full:sequential", "colours")
    forge(copy, no_last_row)
    assert "after 1 of 2 arrivals. The cells of this task" in card(copy, task="colours")


def test_hashes_of_cells_are_those_of_the_events_that_count(base: Path, tmp_path: Path) -> None:
    """An event of an earlier call with other inputs does not count, wherever it is in the ledger."""
    copy = Path(shutil.copytree(base, tmp_path / "copy"))

    def older(events: Events) -> None:
        event = copy_of(event_of(events, "evaluate", LEARNER, 2))
        event["key"] = ZEROS
        event["cells"][-1]["logits"] = "1" * 64
        events.append(event)

    forge(copy, older)
    assert "logits 111111111111" not in report(copy)


def test_the_command_of_the_page_names_each_plug_in(tmp_path: Path) -> None:
    (tmp_path / "config.toml").write_text('plugins = ["mine.py", "my metric.py"]\nsuite = "rte"\n')
    command = command_of(tmp_path / "config.toml")
    assert "--plugin mine.py" in command
    assert "--plugin 'my metric.py'" in command
    assert "plugins" not in command
