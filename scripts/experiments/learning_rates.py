"""The default peak learning rate of each family: rates compared by validation scores, never by test scores.

Each family is a learner with alternatives: its default rate and half decades (factors of about 3.2) around it, at a
small and a larger budget. Their validation scores are those of the selection: the best over epochs. The tasks are
simulated with seeds that no reported table uses, so no reported number was used to choose a rate.

Rule, stated in advance: the score of a rate on a task is the mean over budgets (and over seeds within a budget). The
rate with the highest mean over tasks becomes the default if the 95 % interval of its difference to the present
default, paired over tasks, lies above zero. Otherwise the present default stays. A rate at the edge of the grid is
marked: the grid must then be extended (`--steps`) before the default moves there. A rate at which a fit diverged is
out.

    python scripts/experiments/learning_rates.py --out runs/rates
    python scripts/experiments/learning_rates.py --learners adapter,lora --steps=-1,0,1,2 --out runs/rates-two
    python scripts/experiments/learning_rates.py --read runs/rates/learning_rates.json,more.json
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, NamedTuple

import study
import typer
from rates import rates_around
from rich.console import Console

from learners.backbones.backbone import load_backbone
from learners.specification.family import families
from stream import InputError, load_results
from stream.results.intervals import Interval, interval

# One and two texts; 2, 3, 13 and 20 classes. The cheapest come first, so that an interrupted study has whole tasks.
TASKS = "sst2,cf_emotion,qqp,mnli_m,qnli,newsgroups20"
FIRST_SEED = 9001  # of the simulated texts; no table of this project uses 9001, 9002, ...
WITHOUT = ("majority", "avalanche", "nobert")  # no learning rate, or not one of our own
Fits = dict[str, dict[str, list[float | None]]]  # budget -> task -> best validation score per seed; None: it diverged


class Budget(NamedTuple):
    """Training examples per task, epochs, batch size and number of seeds."""

    examples: int
    epochs: int
    batch: int
    seeds: int

    @property
    def name(self) -> str:
        return f"{self.examples}x{self.epochs}"


class Rated(NamedTuple):
    """A rate of a family.

    Attributes:
        rate: Peak rate.
        default: Whether it is the present default.
        mean: Mean over tasks and budgets, a fraction; None if a fit diverged.
        budgets: The mean over tasks at each budget.
        to_default: Difference to the default, paired over tasks; None for the default.
    """

    rate: float
    default: bool
    mean: float | None
    budgets: Mapping[str, float]
    to_default: Interval | None


def rated(rates: Mapping[str, Fits], at: Mapping[str, float], default: str) -> list[Rated]:
    """Summarise the rates of a family over what was measured at every rate.

    Args:
        rates: Specification -> its fits.
        at: Specification -> peak rate.
        default: Specification at the default rate.
    """
    means: dict[str, dict[str, dict[str, float]]] = {}  # specification -> budget -> task -> mean over seeds
    for name, fits in rates.items():
        scores = [score for tasks in fits.values() for each in tasks.values() for score in each]
        if scores and None not in scores:
            means[name] = {
                budget: {task: sum(each) / len(each) for task, each in tasks.items()}  # type: ignore[arg-type]
                for budget, tasks in fits.items()
            }
    # Of files with different rates and tasks, those rates are compared that were measured on all tasks.
    if means and not set.intersection(*({*task} for fits in means.values() for task in fits.values())):
        counts = {name: sum(map(len, fits.values())) for name, fits in means.items()}
        means = {name: fits for name, fits in means.items() if counts[name] == max(counts.values())}
    budgets = sorted(set.intersection(*(set(fits) for fits in means.values()))) if means else []
    common = {budget: sorted(set.intersection(*(set(fits[budget]) for fits in means.values()))) for budget in budgets}
    tasks = sorted(set.intersection(*(set(names) for names in common.values()))) if common else []

    def task_means(name: str) -> dict[str, float]:
        return {task: sum(means[name][budget][task] for budget in budgets) / len(budgets) for task in tasks}

    found = []
    for name, rate in at.items():
        if name not in means or not tasks:
            found.append(Rated(rate, name == default, None, {}, None))
            continue
        ours = task_means(name)
        by_budget = {budget: sum(means[name][budget][task] for task in tasks) / len(tasks) for budget in budgets}
        gap = None
        if name != default and default in means:
            base = task_means(default)
            gap = interval([ours[task] - base[task] for task in tasks])
        found.append(Rated(rate, name == default, sum(ours.values()) / len(ours), by_budget, gap))
    return found


def chosen(rates: Sequence[Rated]) -> tuple[Rated, str]:
    """The rate that the rule makes the default, and why: `best`, `within noise of the best` or `better`; see above."""
    ranked = sorted((each for each in rates if each.mean is not None), key=lambda each: each.mean or 0.0, reverse=True)
    default = next(each for each in rates if each.default)
    if not ranked or ranked[0].default:
        return default, "best" if ranked else "not measured"
    best, gap = ranked[0], ranked[0].to_default
    if gap is not None and not (gap.half is not None and gap.mean > gap.half):
        return default, f"within noise of {best.rate:g}"
    compared = [each.rate for each in rates if each.mean is not None]
    edge = " (edge of the grid)" if best.rate in (compared[0], compared[-1]) else ""
    return best, f"better{edge}"


def budgets_of(text: str) -> list[Budget]:
    """Budgets written as EXAMPLESxEPOCHSxBATCHxSEEDS, separated by commas.

    Raises:
        InputError: It is not that.
    """
    try:
        return [Budget(*(int(number) for number in each.split("x"))) for each in text.split(",")]
    except (ValueError, TypeError):
        form = "EXAMPLESxEPOCHSxBATCHxSEEDS, such as 1000x5x32x1"
        raise InputError("not a list of budgets", where="--budgets", expected=form, found=text) from None


def measure(
    grid: Mapping[str, Mapping[str, float]], budgets: Sequence[Budget], out: Path, console: Console, **settings: Any
) -> dict[str, dict[str, Fits]]:
    """Train every rate at every budget; what is done in `out` is not done again.

    Returns:
        Family -> specification -> fits. After Ctrl-C it has the tasks that were done until then.
    """
    found: dict[str, dict[str, Fits]] = {name: {each: {} for each in rates} for name, rates in grid.items()}
    learners = [f"{name}:learning_rate={'/'.join(f'{rate:g}' for rate in grid[name].values())}" for name in grid]
    for budget in budgets:
        for seed in range(budget.seeds):
            folder, stopped = out / f"{budget.name}-seed{seed}", False
            given = {"train_examples": budget.examples, "epochs": budget.epochs, "batch_size": budget.batch}
            source = f"simulated:seed={FIRST_SEED + seed}"
            try:
                study.run_study(folder, console, learners=learners, source=source, seed=seed, **settings, **given)
            except KeyboardInterrupt:
                stopped = True
            for name, learner in zip(grid, load_results(folder).values(), strict=True):
                for task, choice in learner.selection.items():
                    for each, score in choice.candidates.items():
                        found[name][each].setdefault(budget.name, {}).setdefault(task, []).append(score)
            if stopped:
                console.print("interrupted: the table has what was done", style="yellow")
                return found
    return found


def read(paths: Sequence[Path]) -> dict[str, Any]:
    """One document from several files of this study: the rates, budgets and tasks of all. The settings are the first's.

    What two files have is taken from the first.
    """
    documents = [json.loads(path.read_text(encoding="utf-8")) for path in paths]
    whole: dict[str, Any] = documents[0]
    for document in documents[1:]:
        whole["defaults"] |= document["defaults"]
        for name, rates in document["fits"].items():
            whole["rates"].setdefault(name, {}).update(document["rates"][name])
            for rate, budgets in rates.items():
                ours = whole["fits"].setdefault(name, {}).setdefault(rate, {})
                for budget, tasks in budgets.items():
                    ours[budget] = {**tasks, **ours.get(budget, {})}
    return whole


def main(
    *,
    learners: Annotated[str, typer.Option(help="Comma list. Default: every family that has a rate.")] = "",
    steps: Annotated[str, typer.Option(help="Half decades above the default, a comma list.")] = "-1,0,1,2",
    budgets: Annotated[str, typer.Option(help="EXAMPLESxEPOCHSxBATCHxSEEDS, a comma list.")] = "120x3x16x2,1000x5x32x1",
    suite: study.Suite = TASKS,
    backbone: study.Backbone = "embedded",
    validation_examples: Annotated[int, typer.Option(min=1, help="Validation examples per task.")] = 300,
    max_length: study.MaxLength = 40,
    dtype: study.Dtype = "float32",
    workers: study.Workers = None,
    read_files: Annotated[str, typer.Option("--read", help="Only show these results, a comma list of files.")] = "",
    out: study.Out = Path("runs/rates"),
) -> None:
    console = study.open_console()
    if read_files:
        document = read([Path(each) for each in read_files.split(",")])
    else:
        width = load_backbone(backbone).architecture.hidden
        names = learners.split(",") if learners else [name for name in families() if name not in WITHOUT]
        names = ["full:isolated" if name == "full" else name for name in names]
        grid = {name: rates_around(name, width, [int(step) for step in steps.split(",")]) for name in names}
        defaults = {name: next(iter(rates_around(name, width, ()))) for name in names}
        settings = {"suite": suite, "backbone": backbone, "validation_examples": validation_examples}
        # test rows play no part: one per task, because a run scores each winner
        settings |= {"max_length": max_length, "dtype": dtype, "evaluate": "audited", "test_examples": 1}
        fits = measure(grid, budgets_of(budgets), out, console, workers=workers, **settings)
        source = f"simulated:seed={FIRST_SEED}, {FIRST_SEED + 1}, ..."
        document = {"settings": settings | {"budgets": budgets, "steps": steps, "source": source}, "width": width}
        document |= {"defaults": defaults, "rates": grid, "fits": fits}
        study.save(out / "learning_rates.json", document, None, console)

    rows, summary = [], {}
    for name, at in document["rates"].items():
        at = dict(sorted(at.items(), key=lambda entry: entry[1]))
        rates = rated(document["fits"][name], at, document["defaults"][name])
        new, why = chosen(rates)
        summary[name] = {"rates": rates, "new": new.rate, "why": why}
        for each in rates:
            cells = [name, f"{each.rate:.2g}", study.points(each.mean)]
            cells += [
                study.points(each.budgets.get(budget.name)) for budget in budgets_of(document["settings"]["budgets"])
            ]
            gap = "default" if each.default else study.points(each.to_default, sign=True)
            rows.append([*cells, gap, why if each.rate == new.rate else ""])
    head = [
        "learner",
        "rate",
        "validation\nscore",
        *(each.name for each in budgets_of(document["settings"]["budgets"])),
    ]
    title = f"Peak learning rates, width {document['width']}, {document['settings']['suite']}"
    study.show(console, title, [*head, "to default\n(over tasks)", "the default by the rule"], rows, (0, len(head) + 1))
    study.save(out / "learning_rates.json", document | {"summary": summary}, None, console)


if __name__ == "__main__":
    study.command(main, __doc__)
