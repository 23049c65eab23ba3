"""At which difficulty is a twin as hard as its real task? Full fine-tuning at several difficulties, on validation rows.

Each twin is fitted at each difficulty on the default rows. Validation scores alone are read; the task's table of the
paper is Houlsby et al. (2019), Tables 1 and 2. The score should fall as the difficulty rises, so a falling curve is
fitted to the points first (isotonic regression, mean over seeds); the straight lines between its points meet the
paper's score at the difficulty that is printed. `easier than reality at 1`: the hardest twin still scores above the
paper. `harder than reality at 0`: the easiest one scores below it.

The same command continues: all runs share one store, and a fit at a difficulty is made once, for any list of twins.

    python scripts/experiments/difficulty.py --suite cola,sst2 --difficulties 0,0.5,1 --out runs/difficulty
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import pictures
import study
import typer
from options import run_options

from stream import InputError, Study
from stream.report.palette import LIGHT as COLOURS
from tasks import open_source
from tasks.content import content_id
from tasks.suite import TASKS

EASIER, HARDER = "easier than reality at {:g}", "harder than reality at {:g}"


def falling(scores: Mapping[float, float]) -> dict[float, float]:
    """The falling curve that is nearest to the scores in least squares, by difficulty."""
    from sklearn.isotonic import IsotonicRegression

    places = sorted(scores)
    fitted = IsotonicRegression(increasing=False).fit_transform(places, [scores[place] for place in places])
    return dict(zip(places, map(float, fitted), strict=True))


def meets(scores: Mapping[float, float], target: float) -> float | str:
    """The difficulty at which the curve through the scores meets the target; where it does not, a sentence.

    Where the curve is level at the target, the middle of that stretch.

    Args:
        scores: Score at each difficulty, two or more.
        target: The score to meet, in the same unit.
    """
    curve = falling(scores)
    places = [*curve]
    if curve[places[-1]] > target:
        return EASIER.format(places[-1])
    if curve[places[0]] < target:
        return HARDER.format(places[0])
    level = [place for place in places if curve[place] == target]
    if level:
        return (level[0] + level[-1]) / 2
    return float(np.interp(-target, [-curve[place] for place in places], places))


def validation_scores(runs: Study, learner: str) -> dict[str, list[float]]:
    """Best validation score of the learner on each task, one per seed; fractions."""
    found: dict[str, list[float]] = {}
    for results in runs.members.values():
        for task, fit in results[learner].fits.items():
            found.setdefault(task, []).append(fit.validation[fit.best])
    return found


def line(row: Mapping[str, Any], difficulties: Sequence[float]) -> list[str]:
    """The line of the table for one twin."""
    scores = [study.points(float(np.mean(row["scores"][place]))) for place in difficulties]
    found = row["difficulty"]
    met = "–" if found is None else found if isinstance(found, str) else f"{found:.2f}"
    return [row["task"], row["metric"], *scores, study.points(row["paper"]), f"{row['default']:g}", met]


@run_options(
    learners="full:isolated", seed="0", train_examples=2000, validation_examples=1000, epochs=None,
    without=["order", "source", "test_examples"],
)  # fmt: skip
def main(
    difficulties: Annotated[str, typer.Option(help="Difficulties from 0 to 1, a comma list.")] = "0,0.25,0.5,0.75,1",
    *,
    settings: dict[str, Any],
    out: study.Out = Path("runs/difficulty"),
) -> None:
    console = study.open_console()
    try:
        places = sorted({float(each) for each in difficulties.split(",")})
    except ValueError:
        raise InputError("not numbers", where="--difficulties", expected="0,0.5,1", found=difficulties) from None
    if len(places) < 2:
        raise InputError("too few difficulties", where="--difficulties", expected="two or more", found=difficulties)
    learner, mark = (
        settings["learners"],
        content_id("tasks", settings["suite"])[:8],
    )  # a run folder has one list of tasks
    rows: dict[str, dict[str, Any]] = {}
    for place in places:
        source = f"simulated:difficulty={place:g}"
        # Test rows are not read, and a run needs some.
        given = {**settings, "source": source, "test_examples": 10, "store": str(out / "store")}
        runs = study.run_study(out / f"difficulty-{place:g}-{mark}", console, **given)
        for task, scores in validation_scores(runs, learner).items():
            row = rows.setdefault(task, {"task": task, "scores": {}})
            row["scores"][place] = scores
    defaults: Any = open_source("simulated")
    for name, row in rows.items():
        paper = TASKS[name].paper if name in TASKS else None
        mechanism = defaults.twin(name).mechanism
        row |= {"metric": defaults.task(name).metric, "paper": paper and paper.fine_tune / 100}
        row |= {"default": mechanism.difficulty, "hard_by": mechanism.hard_by}
        means = {place: float(np.mean(scores)) for place, scores in row["scores"].items()}
        row["difficulty"] = None if row["paper"] is None else meets(means, row["paper"])
    head = [
        "twin",
        "metric",
        *(f"D = {place:g}" for place in places),
        "paper:\nfull",
        "default\nD",
        "meets the\npaper at",
    ]
    title = f"{learner} on validation rows, by difficulty"
    study.show(console, title, head, [line(row, places) for row in rows.values()], (0, 1, len(head) - 1))
    for row in rows.values():
        console.print(f"{row['task']}: {row['hard_by']}", style="dim", markup=False)
    study.save(out / "difficulty.json", {"settings": settings, "difficulties": places, "twins": [*rows.values()]},
               next(iter(runs.members.values())), console)  # fmt: skip

    def plot(axes: Any) -> None:
        for place, (name, row) in enumerate(rows.items()):
            colour = COLOURS[place % len(COLOURS)]
            axes.plot(places, [100 * np.mean(row["scores"][at]) for at in places], "o-", color=colour, label=name)
            if row["paper"]:
                axes.axhline(100 * row["paper"], color=colour, linewidth=0.6, linestyle=":")
        axes.set(xlabel="difficulty", ylabel="validation score, points; dotted: the paper's full fine-tuning")
        axes.legend(fontsize=6, frameon=False, ncols=2)

    pictures.draw(out / "difficulty.png", 7, 5, plot, console)


if __name__ == "__main__":
    study.command(main, __doc__)
