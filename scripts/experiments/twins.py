"""Are the simulated tasks neither trivial nor noise? Majority, bag of words, adapters, ceiling and paper, per task.

A simulated task is useful if counting words does not solve it and if a good model can reach a good score. The table
shows, in the metric of each task:

* `majority`: the most frequent class.
* `words`: a linear model on words, trained on the rows that the learners train on, and on more rows. It is logistic
  regression on TF-IDF of unigrams (ridge regression for a regression); in pairs, words carry a mark of their side; the
  strength of the penalty is chosen on validation rows. `+ shared words`, for pairs: words that both texts share are
  marked too.
* adapters; `ceiling`, the best expected score under label noise; and the best score that Houlsby et al. (2019) report
  for the real task (Tables 1 and 2).
* `clean: words`: the score of the words if labels are free of noise in training and test: the most that words can tell.
* `solved`: how far words (with or without shared words) come from the majority (0) to the ceiling (100); for clean
  labels, to a perfect score. Words must not solve acceptability, paraphrase, entailment and answerability: the mark
  `solved` means that they come more than half of the way. For other tasks, `words` marks 90 % of the way or more.

TF-IDF with a linear model on the real data: 67 on CoLA (accuracy; 69 is the majority), 67 on MRPC (67), 31 to 39 on
MNLI (35 to 38), 57 on QNLI (50), 48 on RTE (53), 79 on SST-2 (51).

    python scripts/experiments/twins.py --run runs/papers/seed0
    python scripts/experiments/twins.py --source folder:DATA --suite cola,rte --train-examples 500
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import pictures
import study
import typer
from bag_of_words import Splits, answers_score, majority_answers, tokens_and_shared, words_answers

from stream import load_results
from stream.config.resolve import resolve_config
from stream.config.settings import RunConfig
from tasks import EncodedSplit, Examples, Limits, SimulatedSource, Source, Task, open_source, resolve_suite, sample
from tasks.examples import SPLITS
from tasks.keys import row_keys
from tasks.seeds import seed_of
from tasks.sources.simulated.opinions import Opinion
from tasks.sources.simulated.registry import find_twin
from tasks.sources.simulated.twin import Example
from tasks.sources.simulated.twin import examples as rows_of

COMPOSED = ("cola", "mrpc", "qqp", "mnli_m", "mnli_mm", "qnli", "rte")


def load(source: Source, name: str, config: RunConfig, train: int | None) -> tuple[Task, Splits]:
    """A task and its rows, drawn as a run with these settings draws them. `train`: at most so many training rows."""
    data = source.load(name, Limits(train, config.test_examples))

    def used(split: str, limit: int | None) -> Examples:
        rows: Examples = getattr(data, split)
        n, keys = len(rows), row_keys(rows.text, rows.text_b, 0)
        places = np.arange(n + 1)  # a row of one token each, its place
        stand_in = EncodedSplit(places[:n].astype(np.int32), np.zeros(n, np.uint8), places, rows.target, keys)
        kept = sample(stand_in, limit, seed_of(config.data_seed, name, "sample", split)).ids
        second = None if rows.text_b is None else tuple(rows.text_b[i] for i in kept)
        return Examples(tuple(rows.text[i] for i in kept), second, rows.target[kept])

    splits = used("train", train), used("validation", config.test_examples), used("test", config.test_examples)
    return data.task, splits


def clean(source: SimulatedSource, name: str, splits: Splits) -> tuple[Splits, np.ndarray]:
    """The same rows with labels free of noise, and whether each test row is `turned`, [n]."""
    meant = [list(rows_of(find_twin(name), source.seed, *part)) for part in zip(SPLITS, map(len, splits), strict=True)]

    def relabelled(rows: Examples, made: list[Example]) -> Examples:
        labels = np.array([row.clean for row in made])
        scores = rows.target.dtype == np.float32
        return replace(rows, target=labels.astype(np.float32) if scores else labels.astype(np.int64))

    train, validation, test = (relabelled(rows, made) for rows, made in zip(splits, meant, strict=True))
    return (train, validation, test), np.array([turned(row.meaning) for row in meant[-1]])


def turned(meaning: Any) -> bool:
    """Whether a meaning is an opinion that denial, contrast or mode decides."""
    if not isinstance(meaning, Opinion) or meaning.first is None:
        return False
    return meaning.link not in ("", "and") or meaning.first.about.negated or meaning.first.mode == "unreal"


def measured(source: Source, config: RunConfig, names: tuple[str, ...], more: int) -> Iterator[dict[str, Any]]:
    """Measure each task. Scores are fractions; None if a score does not exist for the task.

    Args:
        more: Training rows of the second word model.
    """
    wide = replace(source, scale=max(source.scale, 100.0)) if isinstance(source, SimulatedSource) else source
    for name in names:
        task, rows = load(source, name, config, config.train_examples)
        _, many = load(wide, name, config, more)

        def score(splits: Splits, answers: Any, task: Task = task) -> float:
            return answers_score(task, splits[2].target, answers)

        floor = score(rows, majority_answers(task, rows))
        scores = [score(rows, words_answers(task, rows)), score(many, words_answers(task, many))]
        if rows[0].text_b is not None:
            scores.append(score(many, words_answers(task, many, tokens_and_shared)))
        reached, best = max(scores), study.best_of_paper(task)
        top = task.ceiling / 100 if task.ceiling is not None else best or 1.0
        found: dict[str, Any] = {
            "task": name, "metric": task.metric, "train": len(rows[0]), "more": len(many[0]), "majority": floor,
            "words": scores[0], "words_more": scores[1], "shared": scores[2] if len(scores) > 2 else None,
            "ceiling": None if task.ceiling is None else top, "paper": best, "clean": None, "turned": None,
        }  # fmt: skip
        if isinstance(source, SimulatedSource):
            noiseless, hard = clean(source, name, many)
            answers, constant = words_answers(task, noiseless), majority_answers(task, noiseless)
            top, floor, found["clean"] = 1.0, score(noiseless, constant), score(noiseless, answers)
            reached = found["clean"]
            if rows[0].text_b is not None:
                reached = max(reached, score(noiseless, words_answers(task, noiseless, tokens_and_shared)))
            if hard.any():
                right = [float((given == noiseless[2].target)[hard].mean()) for given in (answers, constant)]
                found["turned"] = {"rows": int(hard.sum()), "words": right[0], "majority": right[1]}
        found["solved"] = (reached - floor) / (top - floor) if top - floor > 0.02 else None  # too little to divide by
        limit, mark = (0.5, "solved") if name in COMPOSED else (0.9, "words")
        found["mark"] = mark if found["solved"] is not None and found["solved"] >= limit else ""
        yield found


def main(
    run: Annotated[Path | None, typer.Option(help="Folder of a finished run, for tasks, rows and adapters.")] = None,
    learner: Annotated[str, typer.Option(help="Learner of the run to show. Default: its first adapter.")] = "",
    examples: Annotated[int, typer.Option(min=2, help="Training rows of the second word model.")] = 2000,
    suite: study.Suite = "houlsby26",
    source: study.Source = "simulated",
    train_examples: study.TrainExamples = 500,
    test_examples: study.TestExamples = 200,
    seed: Annotated[int, typer.Option(min=0, help="Seed of the rows, if --run is not given.")] = 0,
    out: study.Out = Path("runs/twins"),
) -> None:
    console = study.open_console()
    given: dict[str, Any] = {"suite": suite, "source": source.replace("{seed}", str(seed)), "seed": seed}
    given |= {"train_examples": train_examples, "test_examples": test_examples}
    results = None if run is None else load_results(run)
    config, _ = resolve_config(given if run is None else {}, run and run / "config.toml")
    opened = open_source(config.source, config.columns)
    draw = opened.draw if isinstance(opened, SimulatedSource) else None
    names = results.order if results else resolve_suite(config.suite, opened.names(), draw)[1]
    scores: dict[str, float] = {}
    if results:
        adapters = [name for name in results if name.split(":")[0] == "adapter"]
        learner = learner or (adapters or list(results))[0]
        scores = study.last_row(results, learner)
    found = []
    for facts in measured(opened, config, names, examples):
        found.append(facts | {"learner": scores.get(facts["task"])})
        console.print(f"{len(found)}/{len(names)} {facts['task']}", style="dim")

    head = ["task", "metric", "majority", "words", f"words\n{examples:,}", "+ shared\nwords", learner or "adapters"]
    head += ["ceiling", "paper's\nbest", "clean:\nwords", "solved", ""]
    keys = ("majority", "words", "words_more", "shared", "learner", "ceiling", "paper", "clean", "solved")
    lines = [[row["task"], row["metric"], *(study.points(row[key]) for key in keys), row["mark"]] for row in found]
    means = [[row[key] for row in found if row[key] is not None] for key in keys]
    lines.append(["mean", "", *(study.points(sum(column) / len(column) if column else None) for column in means), ""])
    study.show(console, f"{len(found)} tasks of {opened.name}", head, lines, (0, 1, len(head) - 1))
    for row in found:
        if hard := row["turned"]:
            words, majority = study.points(hard["words"]), study.points(hard["majority"])
            rows = f"{hard['rows']} test rows that denial, contrast or mode decides"
            console.print(f"{row['task']}: {rows}: words (clean) {words}, majority {majority}")
    document = {"settings": config.model_dump(), "run": run, "learner": learner, "examples": examples, "tasks": found}
    study.save(out / "twins.json", document, results, console)

    def plot(axes: Any) -> None:
        marks = {"majority": "|", "words_more": "o", "learner": "D", "ceiling": ">", "paper": "x"}
        for colour, (key, mark) in zip(pictures.COLOURS, marks.items(), strict=False):
            places = [(100 * row[key], place) for place, row in enumerate(found) if row[key] is not None]
            if places:
                label = {"words_more": f"words, {examples:,} rows", "learner": learner, "paper": "paper's best"}.get(
                    key
                )
                axes.plot(*zip(*places, strict=True), mark, color=colour, markersize=5, label=label or key)
        pictures.task_axis(axes, names, "score in the task's metric, points", 5)

    pictures.draw(out / "twins.png", 8, 1.5 + 0.24 * len(found), plot, console)


if __name__ == "__main__":
    study.command(main, __doc__)
