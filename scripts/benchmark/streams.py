"""(c) A whole stream with five learners, from the start of the process to its end. (d) A study of orders."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Sequence
from typing import Any

from benchmark.contenders import OURS, avalanche
from benchmark.measurement import Measurement
from benchmark.process import Contender
from benchmark.work import Work
from stream.execution.cores import cores

LEARNERS = ("full:sequential", "topk:1", "layernorm", "adapter", "head")
ISOLATED = LEARNERS[1:]  # learners of (d): an isolated Delta does not depend on the order, so it is fitted once
ENGINE = Contender(OURS, f"{OURS} stream", "benchmark.ours:stream")  # starts its own workers, as in a user's process
AVALANCHE = avalanche("avalanche_strategy:stream")


def engine_settings(work: Work, learners: Sequence[str], evaluate: str, orders: Sequence[str]) -> dict[str, Any]:
    """Settings of `stream.run`, with the default of one worker per core."""
    sizes = work.sizes
    config = work.config(
        sizes.suite, sizes.stream_examples, sizes.test_examples, learners=",".join(learners),
        epochs=sizes.stream_epochs, dtype=work.dtype, evaluate=evaluate,
    )  # fmt: skip
    kept = config.model_dump(exclude={"out", "store", "order"})
    return {**kept, "out": str(work.out / "stream"), "orders": list(orders)}


def avalanche_settings(work: Work, learners: Sequence[str]) -> dict[str, Any]:
    sizes = work.sizes
    data = [*work.encoded(sizes.suite, sizes.stream_examples, sizes.test_examples).values()]
    return {"folder": str(work.folder), "data": data, "learners": list(learners), "batch_size": sizes.batch_size,
            "examples": sizes.stream_examples, "test_examples": sizes.test_examples,
            "epochs": sizes.stream_epochs}  # fmt: skip


def whole(work: Work) -> Iterator[Measurement]:
    """Measure part c: ours with `full` and `audited` evaluation; Avalanche in one process with a thread per core, and
    in a process per core with one thread each, which share the learners."""
    settings = {mode: engine_settings(work, LEARNERS, mode, ["paper"]) for mode in ("full", "audited")}
    all_of_them = avalanche_settings(work, LEARNERS)
    several = [{**all_of_them, "learners": LEARNERS[place :: cores()]} for place in range(cores())]
    who = {f"{OURS} {mode}": (ENGINE, [settings[mode]], 1) for mode in settings}
    who[f"Avalanche, threads: {cores()}"] = (AVALANCHE, [all_of_them], cores())
    if cores() > 1:
        who[f"Avalanche, processes: {cores()}"] = (AVALANCHE, several, 1)
    seconds: dict[str, list[float]] = {name: [] for name in who}
    for _ in range(work.sizes.stream_repetitions):
        for name, (contender, calls, threads) in who.items():
            work.tell(f"c: {name}")
            spent, _answers = work.processes.fresh(contender, calls, threads)
            seconds[name].append(spent)
    case = f"{len(all_of_them['data'])} tasks, {len(LEARNERS)} learners"
    for name, values in seconds.items():
        yield Measurement("c", case, name, "s", tuple(values))
    shutil.rmtree(work.out / "stream")


def orders(work: Work) -> Iterator[Measurement]:
    """Measure part d. Ours runs every order on one store, `audited`. Avalanche runs one order, in a process per core;
    its time for all orders is extrapolated from that, with a note."""
    count, settings = work.sizes.orders, avalanche_settings(work, ISOLATED)
    case = f"{count} orders, {len(ISOLATED)} isolated learners"
    named = ["paper", *(f"seed:{seed}" for seed in range(1, count))]
    work.tell("d: orders")
    ours = work.processes.fresh(ENGINE, [engine_settings(work, ISOLATED, "audited", named)], 1)[0]
    yield Measurement("d", case, f"{OURS} audited", "s", (ours,))
    several = [{**settings, "learners": ISOLATED[place :: cores()]} for place in range(cores())]
    one = work.processes.fresh(AVALANCHE, several, 1)[0]
    name = f"Avalanche, processes: {cores()}"
    yield Measurement("d", case, name, "s", (count * one,), note=f"extrapolated from 1: {one:.3g} s")
    shutil.rmtree(work.out / "stream")
