"""Does the simulated world tell learners apart, and as the real tasks do? Each twin beside what is known of its task.

It reads a finished run or study (--run) and prints per task:

* the score of each learner with its interval over seeds, and its difference to the reference with an interval over
  seeds and test rows (`row_values`; of a learner without a Delta per task, over seeds alone);
* what there is to reach: the most frequent class (`majority`), a linear model on words, full fine-tuning, the best
  expected score under label noise (`ceiling`), and what Houlsby et al. (2019) report of the real task (Tables 1 and 2);
* with --real, the majority and the words of the real task, on as many rows, by the same linear model: `words` is
  logistic regression on TF-IDF of unigrams (ridge regression for a regression), the penalty chosen on validation rows.
  In pairs words carry a mark of their side; `+ shared` also marks the words that both texts share;
* how the fits went (`convergence`): epoch that was kept / epochs trained, and the points that the last quarter of the
  epochs gained on validation rows. `!2`: two fits gained more than one point, so they had not converged. --curves
  prints the curves.

Without --run it prints the majority and the words of a source.

    python scripts/experiments/twins.py --run runs/order_of_papers --real folder:DATA
    python scripts/experiments/twins.py --source simulated:difficulty=1 --suite cola,rte
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import pictures
import study
import typer
from bag_of_words import Splits, answers_score, majority_answers, tokens_and_shared, words_answers
from claims import over_rows
from convergence import Curve, cell, curves_of
from measures import of_metric
from rich.console import Console
from row_values import RowReader

from stream import Study
from stream.config.resolve import resolve_config
from stream.config.settings import RunConfig
from stream.report.names import plain_names
from stream.report.palette import LIGHT as COLOURS
from stream.results.intervals import Interval, interval
from tasks import EncodedSplit, Examples, Limits, SimulatedSource, Source, Task, open_source, resolve_suite, sample
from tasks.keys import row_keys
from tasks.seeds import seed_of


def load(source: Source, name: str, config: RunConfig) -> tuple[Task, Splits]:
    """A task and its rows, drawn as a run with these settings draws them."""
    test = config.test_examples
    limits = config.train_examples, config.validation_examples or test, test
    data = source.load(name, Limits(limits[0], limits[2], limits[1]))

    def used(split: str, limit: int | None) -> Examples:
        rows: Examples = getattr(data, split)
        n, keys = len(rows), row_keys(rows.text, rows.text_b, 0)
        places = np.arange(n + 1)  # a row of one token each, its place
        stand_in = EncodedSplit(places[:n].astype(np.int32), np.zeros(n, np.uint8), places, rows.target, keys)
        kept = sample(stand_in, limit, seed_of(config.data_seed, name, "sample", split)).ids
        second = None if rows.text_b is None else tuple(rows.text_b[i] for i in kept)
        return Examples(tuple(rows.text[i] for i in kept), second, rows.target[kept])

    train, validation, tested = map(used, ("train", "validation", "test"), limits)
    return data.task, (train, validation, tested)


def told_by_words(source: Source, name: str, config: RunConfig) -> dict[str, Any]:
    """Majority and words of a task, fractions; `shared` is None for single texts. `rows`: of each split."""
    task, rows = load(source, name, config)
    scores = {"majority": majority_answers(task, rows), "words": words_answers(task, rows)}
    if rows[0].text_b is not None:
        scores["shared"] = words_answers(task, rows, tokens_and_shared)
    found: dict[str, Any] = {key: answers_score(task, rows[2].target, answers) for key, answers in scores.items()}
    ceiling = None if task.ceiling is None else task.ceiling / 100
    facts = {"task": name, "metric": task.metric, "rows": [len(split) for split in rows], "ceiling": ceiling}
    return {**facts, "shared": None, **found}


def reported(task: Task) -> dict[str, float | None]:
    """Scores of Houlsby et al. (2019), fractions; None if they report none."""
    if task.paper is None:
        return dict.fromkeys(("full", "adapters", "no BERT"))
    scores = {"full": task.paper.fine_tune, "adapters": task.paper.adapters, "no BERT": task.paper.no_bert}
    return {name: None if score is None else score / 100 for name, score in scores.items()}


def scores_of(runs: Study, called: Mapping[str, str], reference: str) -> dict[str, dict[str, dict[str, Interval]]]:
    """By task and learner, as it is `called`: the score, and the difference to the reference; fractions."""
    arms = {called[arm.name]: arm for arm in runs.arms}
    tasks, rows = next(iter(arms.values())).results[0].order, RowReader(runs)
    values = {name: of_metric("average_accuracy")(arm, tasks, 0) for name, arm in arms.items()}  # [S, T]
    found: dict[str, dict[str, dict[str, Interval]]] = {task: {} for task in tasks}
    for name, scores in values.items():
        for place, task in enumerate(tasks):
            found[task][name] = {"score": interval(scores[:, place].tolist())}
            if reference in arms and name != reference:
                gap = interval((scores[:, place] - values[reference][:, place]).tolist())
                if (over := over_rows(rows(arms[name], task), rows(arms[reference], task))) is not None:
                    gap = Interval(over.difference / 100, None if over.half is None else over.half / 100, over.seeds)
                found[task][name]["difference"] = gap
    return found


def print_scores(console: Console, found: Sequence[Mapping[str, Any]], reference: str) -> None:
    """Print the learners' scores, and the differences to the reference if it ran."""
    names = [*found[0]["learners"]]
    titles = {"score": "Scores, over seeds", "difference": f"Differences to {reference}, over seeds and test rows"}
    for key, title in titles.items():
        shown = [name for name in names if name != "majority" and key in found[0]["learners"][name]]
        if shown:
            lines = [
                [row["task"], *(study.points(row["learners"][name][key], key != "score") for name in shown)]
                for row in found
            ]
            study.show(console, title, ["task", *(name.replace(":", ":\n") for name in shown)], lines)


def print_reach(console: Console, found: Sequence[Mapping[str, Any]], full: str) -> None:
    """Print what there is to reach on each task, here and in reality."""
    paper, real = any(row["paper"]["full"] for row in found), any(row["real"] for row in found)
    head = ["task", "rows", "metric", "hard", "majority", "words", "+ shared", *([full] if full else []), "ceiling"]
    head += ["paper:\nfull", "paper:\nadapters", "paper:\nno BERT"] if paper else []
    head += ["real:\nmajority", "real:\nwords", "real:\n+ shared"] if real else []
    lines = []
    for row in found:
        cells = [row["majority"], row["words"], row["shared"]]
        cells += [row["learners"][full]["score"].mean] if full else []
        cells += [row["ceiling"], *(row["paper"].values() if paper else ())]
        cells += [(row["real"] or {}).get(key) for key in ("majority", "words", "shared")] if real else []
        rows, hard = "/".join(map(str, row["rows"])), row["difficulty"]
        lines.append(
            [row["task"], rows, row["metric"], "–" if hard is None else f"{hard:g}", *map(study.points, cells)]
        )
    study.show(console, "What there is to reach (rows: train/validation/test)", head, lines, (0, 1, 2))


def print_curves(
    console: Console, curves: Mapping[str, Mapping[str, Curve]], tasks: Sequence[str], whole: bool
) -> None:
    """Print how the fits went; `whole`: the mean validation score after each epoch too."""
    lines = [[task, *(cell(of[task]) for of in curves.values())] for task in tasks]
    title = "Convergence: kept epoch / epochs, points gained in the last quarter, ! fits that had not converged"
    study.show(console, title, ["task", *(name.replace(":", ":\n") for name in curves)], lines)
    for name, of in curves.items() if whole else ():
        for task in tasks:
            scores = " ".join(f"{100 * score:.1f}" for score in of[task].scores)
            console.print(f"{task} {name}: {scores}", markup=False, soft_wrap=True)


def main(
    run: Annotated[Path | None, typer.Option(help="Folder of a finished run or study.")] = None,
    real: Annotated[str, typer.Option(help="Source of the real tasks: folder:DIR or hub.")] = "",
    reference: Annotated[str, typer.Option(help="Learner that differences are to.")] = "full:isolated",
    curves: Annotated[bool, typer.Option("--curves", help="Print the validation score after each epoch.")] = False,
    suite: study.Suite = "houlsby26",
    source: study.Source = "simulated",
    train_examples: study.TrainExamples = 2000,
    test_examples: study.TestExamples = 1000,
    out: study.Out = Path("runs/twins"),
) -> None:
    console = study.open_console()
    runs = None if run is None else study.open_runs(run)
    member = next(iter(runs.members.values())) if runs else None
    given = {"suite": suite, "source": source, "train_examples": train_examples, "test_examples": test_examples}
    place = run / next(iter(runs.finished)).folder / "config.toml" if run and runs else None
    config, _ = resolve_config({} if place else given, place)
    opened, others = open_source(config.source, config.columns), open_source(real) if real else None
    draw = opened.draw if isinstance(opened, SimulatedSource) else None
    names = member.order if member else resolve_suite(config.suite, opened.names(), draw)[1]
    called = plain_names([arm.name for arm in runs.arms]) if runs else {}
    reference = called.get(reference, reference)
    scores = scores_of(runs, called, reference) if runs else {}
    found = []
    for name in names:
        row = told_by_words(opened, name, config)
        mechanism = opened.twin(name).mechanism if isinstance(opened, SimulatedSource) else None
        row |= {"difficulty": mechanism.difficulty, "hard_by": mechanism.hard_by} if mechanism else {"difficulty": None}
        row |= {"paper": reported(opened.task(name)), "learners": scores.get(name, {})}
        row["real"] = told_by_words(others, name, config) if others and name in others.names() else None
        found.append(row)
        console.print(f"{len(found)}/{len(names)} {name}", style="dim")
    console.print(f"\n{len(found)} tasks of {opened.name}" + (f", run {run}" if run else ""), style="bold")
    how = {called[name]: of for name, of in curves_of(runs).items()} if runs else {}
    if runs:
        print_scores(console, found, reference)
    print_reach(console, found, reference if found and reference in found[0]["learners"] else "")
    if how:
        print_curves(console, how, names, curves)
    document = {"settings": config.model_dump(), "run": run, "reference": reference, "tasks": found, "curves": how}
    study.save(out / "twins.json", document, member, console)
    if how:

        def plot(*axes: Any) -> None:
            for panel, task in zip(axes, names, strict=True):
                for colour, (name, of) in zip(COLOURS, how.items(), strict=False):
                    points = [100 * score for score in of[task].scores]
                    panel.plot(range(1, len(points) + 1), points, color=colour, linewidth=1, label=name)
                panel.set(title=task, xlabel="epoch")
            axes[0].set(ylabel="validation score, points")
            axes[-1].legend(fontsize=6, frameon=False)

        pictures.draw(out / "curves.png", 2.5 * len(names), 3, plot, console, len(names))


if __name__ == "__main__":
    study.command(main, __doc__)
