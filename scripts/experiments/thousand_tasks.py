"""A stream of a thousand tasks: does an arrival cost the same at the end as at the beginning?

Houlsby et al. (2019) and Fu et al. (2022) stop at 17 and 9 tasks. Their methods promise a stream without end, because a
task adds few parameters (Table 2: 1.14 %; AdapterBias: 0.05 %) and changes no other task. This study tests that promise
on new simulated tasks. It measures the time of each arrival (fit, evaluation, audit, bookkeeping, writing of results),
resident memory, and stored bytes. Evaluation is `audited`: content ids certify a row of R, and one past task is
measured again.

A line is fitted through time against arrival number (least squares; 95 % interval of the slope by Student's t). The
stream is flat if the change over all arrivals is a small part of the mean. One process does all the work, so its memory
is the total. OUT/arrivals.jsonl stores the times as they happen, so an interrupted study continues.

    python scripts/experiments/thousand_tasks.py --out runs/thousand
    python scripts/experiments/thousand_tasks.py --suite all --source folder:DATA --backbone minilm --out runs/mine
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from statistics import median
from typing import Annotated, Any

import pictures
import study
import typer
from options import run_options

from stream import InputError, run
from stream.execution.memory import peak_memory
from stream.results.intervals import LEVEL
from stream.storage.files import usable_folder

FLAT = 0.1  # a stream is flat if its time per arrival changes by at most this part of its mean


def arrival_recorder(file: Path, then: Callable[[dict[str, Any]], None]) -> Callable[[dict[str, Any]], None]:
    """An event handler for `run` that writes a line for each new arrival, and passes every event to `then`.

    A line has the seconds since the arrival before, the peak memory, and the bytes stored so far. Arrivals that an
    earlier call finished get no line.
    """
    clock, stored, working = time.perf_counter(), 0, False

    def handle(event: dict[str, Any]) -> None:
        nonlocal clock, stored, working
        then(event)
        kind, now = event["event"], time.perf_counter()
        working = working or kind == "start"
        if kind == "fit":
            stored += event["bytes"]
        if kind == "arrival" and working:
            line = {"arrival": event["arrival"], "task": event["task"], "seconds": now - clock}
            line |= {"memory_bytes": peak_memory(), "stored_bytes": stored}
            with file.open("a", encoding="utf-8") as out:
                out.write(json.dumps(line) + "\n")
        if kind in ("run", "before", "arrival"):
            clock = now

    return handle


def slope(values: Sequence[float]) -> study.Interval:
    """Slope per arrival of the least-squares line through `values` [n], with its interval."""
    from scipy.stats import linregress, t

    n = len(values)
    line = linregress(range(1, n + 1), values)
    half = float(t.ppf((1 + LEVEL) / 2, n - 2)) * float(line.stderr) if n > 2 else None
    return study.Interval(float(line.slope), half, n)


@run_options(
    suite="simulated:1000",
    source="simulated",
    learners="adapterbias",
    train_examples=100,
    test_examples=50,
    epochs=2,
    max_length=48,
    without=["workers"],
)
def main(
    settings: dict[str, Any],
    seed: Annotated[int, typer.Option(min=0, help="Seed of the run.")] = 0,
    out: study.Out = Path("runs/thousand"),
) -> None:
    settings |= {"source": settings["source"].replace("{seed}", str(seed)), "seed": seed}
    console = study.open_console()
    usable_folder(out, f"--out {out}")
    begun, file = time.perf_counter(), out / "arrivals.jsonl"
    handle = arrival_recorder(file, study.progress_printer(console, str(out), every=50))
    results = run(out=out, workers=1, handle=handle, **settings)
    total = time.perf_counter() - begun
    lines = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()] if file.exists() else []
    arrivals = [line for _, line in sorted({line["arrival"]: line for line in lines}.items())]  # last of repeated ones
    if len(arrivals) < 3:
        found = str(len(arrivals))
        fix = "give a longer suite"
        raise InputError("too few arrivals for a trend", where=str(file), expected="3 or more", found=found, fix=fix)

    seconds = [line["seconds"] for line in arrivals]
    mean, change, tenth = sum(seconds) / len(seconds), slope(seconds), max(len(seconds) // 10, 1)
    part = len(seconds) / mean  # turns a slope into the change over the whole stream, as a part of the mean
    drift = study.Interval(change.mean * part, (change.half or 0) * part, change.n)
    verdict = drift.verdict(-FLAT, FLAT)
    memory = [line["memory_bytes"] / 1e6 for line in arrivals]
    costs = [learner.cost for learner in results.learners.values()]
    stored = sum(sum(cost.bytes_per_task.values()) for cost in costs)
    disk = sum(path.stat().st_size for path in out.rglob("*") if path.is_file())
    half = "" if change.half is None else f" ±{1000 * change.half:.3f}"
    rows = [
        ["time per arrival, mean", f"{mean:.3f} s"],
        [f"median of the first {tenth}, the last {tenth}", f"{median(seconds[:tenth]):.3f} s, "
         f"{median(seconds[-tenth:]):.3f} s"],
        ["slope, per arrival", f"{1000 * change.mean:+.3f}{half} ms"],
        ["change over the stream, share of the mean", f"{drift.points(sign=True)} %"],
        [f"flat: change within {FLAT:.0%}", verdict],
        [f"peak memory of the first {tenth}, the last {tenth}", f"{max(memory[:tenth]):.0f} MB, "
         f"{max(memory[-tenth:]):.0f} MB"],
        ["peak memory of all", f"{max(memory):.0f} MB"],
        ["Deltas, in total and per task", f"{stored / 1e6:.2f} MB, {stored / 1e3 / len(results.order):.1f} kB"],
        ["run folder on disk", f"{disk / 1e6:.1f} MB"],
        ["growth of parameters", ", ".join(f"{cost.growth[-1]:.3f}x" for cost in costs)],
        ["this call, start to end", f"{total:.0f} s"],
    ]  # fmt: skip
    for name, learner in results.items():
        proof, metrics = learner.retention, learner.metrics
        rows.append([f"{name}: score, forgetting", f"{study.points(metrics['average_accuracy'])}, "
                     f"{study.points(metrics['forgetting_chaudhry'])}"])  # fmt: skip
        counts = {
            "measured": proof.cells_measured + proof.cells_partly_measured,
            "certified": proof.cells_certified,
            "audited": proof.cells_audited,
        }
        rows.append([f"{name}: cells of R", ", ".join(f"{count:,} {how}" for how, count in counts.items())])
    title = f"{len(arrivals)} arrivals, backbone {settings['backbone']}, evaluate {settings['evaluate']}"
    study.show(console, title, ["", ""], rows, (0, 1))
    document: dict[str, Any] = {"settings": settings}
    document["seconds"] = {"mean": mean, "slope": change, "change": drift, "flat": verdict}
    document |= {"memory_megabytes": max(memory), "stored_bytes": stored, "disk_bytes": disk, "arrivals": arrivals}
    study.save(out / "thousand_tasks.json", document, results, console)

    def plot(axes: Any) -> None:
        numbers = [line["arrival"] for line in arrivals]
        axes.plot(numbers, seconds, ".", color=pictures.COLOURS[0], markersize=3, label="one arrival")
        start = mean - change.mean * (len(seconds) + 1) / 2
        ends = [start + change.mean, start + change.mean * len(seconds)]
        axes.plot(
            [numbers[0], numbers[-1]], ends, color=pictures.COLOURS[5], label=f"{1000 * change.mean:+.3f}{half} ms"
        )
        axes.set(xlabel="arrival", ylabel="seconds", ylim=(0, 3 * median(seconds)))
        axes.legend(fontsize=8, frameon=False, loc="upper left")
        other = axes.twinx()
        other.plot(numbers, memory, color=pictures.COLOURS[2], linewidth=1)
        other.set(ylim=(0, 1.3 * max(memory)))
        other.set_ylabel("memory, MB", color=pictures.COLOURS[2])

    pictures.draw(out / "thousand_tasks.png", 7, 3.5, plot, console)


if __name__ == "__main__":
    study.command(main, __doc__)
