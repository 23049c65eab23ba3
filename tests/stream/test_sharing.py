"""Two runs at once on one store: each ends as it would alone, and what both need is fitted once."""

from __future__ import annotations

import os
import signal
import threading
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from experiments.faults.sameness import changed

from stream import run
from stream.storage.store import Store
from stream.verification import verify
from tests.runs import as_arguments, events_of, start, tiny_settings, wait

# Different streams, learners and orders with fits in common: those of head on two tasks, and the first of the chain.
STREAMS = (
    {"suite": "sms_spam,colours", "learners": "head,layernorm:sequential", "evaluate": "full"},
    {"suite": "sms_spam,rte,colours", "learners": "layernorm:sequential,head", "evaluate": "audited"},
)
SHARED = {("head", "sms_spam"), ("head", "colours"), ("layernorm:sequential", "sms_spam")}


def test_two_commands_on_one_store(tiny_tasks: Path, tiny_backbone: Path, tmp_path: Path) -> None:
    def settings(number: int, place: str, store: Path) -> dict[str, Any]:
        stream = STREAMS[number] | {"order": STREAMS[number]["suite"], "store": str(store)}
        return tiny_settings(tiny_tasks, tiny_backbone, tmp_path / place / str(number), **stream)

    for number in range(2):
        run(**settings(number, "alone", tmp_path / "alone" / f"store{number}"))
    common = tmp_path / "store"
    together = [as_arguments(settings(number, "together", common)) for number in range(2)]
    for process in [start("run", *arguments, "--display", "none") for arguments in together]:
        answer = wait(process)
        assert (answer.code, answer.err) == (0, "")

    done: Counter[tuple[str, str]] = Counter()
    fitted: Counter[str] = Counter()
    for number in range(2):
        out = tmp_path / "together" / str(number)
        assert changed(out, tmp_path / "alone" / str(number)) is None
        assert verify(out, store=common).passed
        events = events_of(out, "fit")
        done.update((event["learner"], event["task"]) for event in events)
        fitted.update(event["recipe"] for event in events if not event["cached"])
    assert set(fitted.values()) == {1}  # by one of them, the other took it from the store
    assert len(fitted) == done.total() - len(SHARED)
    assert {fit for fit, times in done.items() if times == 2} >= SHARED
    assert len([*(common / "fits").iterdir()]) == len(fitted)


@pytest.mark.filterwarnings("ignore:.*multi-threaded.*:DeprecationWarning")  # Python 3.12 on, of the fork
def test_a_recipe_is_locked_until_its_holder_ends_and_no_other_is(tmp_path: Path) -> None:
    """The lock is between processes: a fork of this one holds it, and is killed."""
    store, held, other = Store(tmp_path), "0" * 64, "1" * 64
    told, telling = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            with store.sole_fitter(held):
                os.write(telling, b"held")
                signal.pause()
        finally:
            os._exit(1)
    assert os.read(told, 4) == b"held"
    ending = threading.Event()

    def end() -> None:
        ending.set()
        os.kill(child, signal.SIGKILL)

    later = threading.Timer(0.2, end)
    later.start()
    with store.sole_fitter(other):
        assert not ending.is_set()
    with store.sole_fitter(held):
        assert ending.is_set()
    later.join()
    os.waitpid(child, 0)
    for descriptor in (told, telling):
        os.close(descriptor)
