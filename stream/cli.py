"""The command `taskstream`: options and help here, the work in `stream.commands`, loaded when a verb is called."""

from __future__ import annotations

import os
import sys
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from tasks.errors import InputError, InputErrors

app = typer.Typer(
    name="taskstream",
    help="Continual learning on streams of text tasks: who forgets, what each task costs, and the proof.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
)


class Display(StrEnum):
    rich = "rich"
    plain = "plain"
    json = "json"
    none = "none"


class Listed(StrEnum):
    tasks = "tasks"
    learners = "learners"
    metrics = "metrics"
    backbones = "backbones"
    runs = "runs"


class Shown(StrEnum):
    task = "task"
    learner = "learner"
    metric = "metric"


DisplayOption = Annotated[Display, typer.Option("--display", help="json prints one JSON document and nothing else.")]

RUN_EXAMPLES = """
Stream tasks through learners; the same command continues an interrupted run.

[bold]Examples[/]

  taskstream run --suite glue9 --source folder:data --backbone minilm --learners head,adapter:64 --out runs/glue

  taskstream run --suite cola,rte,sms_spam --source folder:data --backbone ./bert-base-uncased --order seed:3
     --learners full:isolated,full:sequential,adapterbias:share=alpha:l0=1e-4 --train-examples 2000 --epochs 5

  taskstream run --config experiment.toml --seed 1 --out runs/seed1
"""


@app.command("run", help=RUN_EXAMPLES)
def run_command(
    suite: Annotated[
        str | None, typer.Option(help="houlsby26, glue9, additional17, all, NAME,NAME, or simulated:N (fresh tasks).")
    ] = None,
    source: Annotated[str | None, typer.Option(help="simulated[:seed=S][:scale=X], folder:DIR, or hub.")] = None,
    backbone: Annotated[str | None, typer.Option(help="minilm, a folder, or a Hugging Face hub id.")] = None,
    learners: Annotated[str | None, typer.Option(help="Comma list; see: taskstream list learners.")] = None,
    order: Annotated[str | None, typer.Option(help="paper, seed:N, or NAME,NAME.")] = None,
    seed: Annotated[int | None, typer.Option(help="Every random choice derives from it by name. Default: 0.")] = None,
    epochs: Annotated[int | None, typer.Option(help="For all learners; at most, as training may stop early.")] = None,
    batch_size: Annotated[int | None, typer.Option(help="For all learners. Default: 32.")] = None,
    learning_rate: Annotated[
        float | None, typer.Option(help="For all learners; each has a default of its own.")
    ] = None,
    max_length: Annotated[int | None, typer.Option(help="Tokens a row may have. Default: 128.")] = None,
    train_examples: Annotated[int | None, typer.Option(help="At most so many, a seeded sample.")] = None,
    test_examples: Annotated[int | None, typer.Option(help="At most so many in validation and in test.")] = None,
    evaluate: Annotated[str | None, typer.Option(help="full, audited, or square. Default: full.")] = None,
    dtype: Annotated[
        str | None, typer.Option(help="float32 or bfloat16, of the forward pass. Default: float32.")
    ] = None,
    columns: Annotated[
        list[str] | None, typer.Option("--column", help="Our column=the files', as text=sentence or rte.text_b=second.")
    ] = None,
    workers: Annotated[int | None, typer.Option(help="Processes; one for each core by default.")] = None,
    out: Annotated[str | None, typer.Option(help="Folder of the run. Default: runs/latest.")] = None,
    store: Annotated[
        str | None, typer.Option(help="Folder of finished fits, may be shared by runs. Default: OUT/store.")
    ] = None,
    config: Annotated[Path | None, typer.Option(help="TOML file of these settings; options given here win.")] = None,
    display: DisplayOption = Display.rich,
) -> None:
    from stream.commands.run import run

    given = {name: value for name, value in locals().items() if name not in ("run", "config", "display", "columns")}
    raise typer.Exit(run(given, columns or [], config, display))


@app.command("list")
def list_command(
    what: Annotated[Listed, typer.Argument(help="What to list.")],
    folder: Annotated[Path, typer.Argument(help="Where runs are looked for.")] = Path("runs"),
    display: DisplayOption = Display.rich,
) -> None:
    """List tasks, learners, metrics, backbones or runs.

    Examples: taskstream list learners; taskstream list runs results --display json
    """
    from stream.commands.list import list_names

    list_names(what, folder, display)


@app.command("show")
def show_command(
    what: Annotated[Shown, typer.Argument(help="Kind of thing.")],
    name: Annotated[str, typer.Argument(help="Its name: cola, adapter:64, bwt_gem, ...")],
    backbone: Annotated[str, typer.Option(help="On which a learner's parameters are counted.")] = "embedded",
    display: DisplayOption = Display.rich,
) -> None:
    """Show one task, learner or metric in full: facts, formula, citation, options.

    Examples: taskstream show metric forgetting_chaudhry; taskstream show learner adapterbias; taskstream show task cola
    """
    from stream.commands.show import show

    show(what, name, display, backbone)


@app.command("report")
def report_command(
    folder: Annotated[Path, typer.Argument(help="Folder of a run, finished or not.")],
    display: DisplayOption = Display.rich,
) -> None:
    """Print the report of a run: league table, heat maps of R, forgetting, growth.

    Example: taskstream report runs/latest
    """
    from stream.commands.report import report

    report(folder, display)


VERIFY_EXAMPLES = """
Check the proof of a run: ledger, keys, Deltas, every cell of R, results, data and backbone. Only reads.

[bold]Examples[/]

  taskstream verify runs/latest

  taskstream verify runs/latest --rerun 20     evaluates 20 cells again from the stored Deltas

  taskstream verify copied/run --store copied/store --rerun all --display json

Exit code 0: PASS. 1: FAIL, and the first difference is named. 2: no run there.
"""


@app.command("verify", help=VERIFY_EXAMPLES)
def verify_command(
    folder: Annotated[Path, typer.Argument(help="Folder of a run, finished or not, or a copy of it.")],
    rerun: Annotated[str, typer.Option(help="Cells to evaluate again: a number, or all.")] = "0",
    seed: Annotated[int, typer.Option(help="Which cells --rerun draws.")] = 0,
    store: Annotated[Path | None, typer.Option(help="Its store, if neither in DIR nor where its settings say.")] = None,
    display: DisplayOption = Display.rich,
) -> None:
    from stream.commands.verify import verify

    raise typer.Exit(verify(folder, rerun, seed, store, display))


GC_EXAMPLES = """
List the files of a store that none of these runs needs, and half-written ones older than a day.

[bold]Examples[/]

  taskstream gc runs/latest

  taskstream gc runs/a runs/b --delete     a store that both share: name every run on it
"""


@app.command("gc", help=GC_EXAMPLES)
def gc_command(
    folders: Annotated[list[Path], typer.Argument(help="Folders of all runs on the store.")],
    delete: Annotated[bool, typer.Option("--delete", help="Delete them.")] = False,
    display: DisplayOption = Display.rich,
) -> None:
    from stream.commands.gc import gc

    gc(folders, delete, display)


@app.command("cost")
def cost_command(
    backbone: Annotated[
        str, typer.Option(help="A known name (taskstream list backbones), or a folder with config.json.")
    ],
    suite: Annotated[str, typer.Option(help="Suite, or NAME,NAME: how many tasks arrive, and the width of each head.")],
    learners: Annotated[str, typer.Option(help="Comma list of learners.")],
    display: DisplayOption = Display.rich,
) -> None:
    """The parameter account of learners on a backbone: no weights, no data, no network.

    Example: taskstream cost --backbone bert-large-uncased --suite glue9 --learners full:isolated,adapter:64,layernorm
    """
    from stream.commands.cost import cost

    cost(backbone, suite, learners, display)


class Format(StrEnum):
    merged = "merged"
    peft = "peft"


EXPORT_EXAMPLES = """
Write the model of one task as files that other programs read: a transformers checkpoint, or an adapter of peft.

[bold]Examples[/]

  taskstream export runs/latest --learner adapterbias --task cola --to models/cola

  taskstream export runs/latest --learner lora:8 --task rte --to models/rte --format peft
"""


@app.command("export", help=EXPORT_EXAMPLES)
def export_command(
    folder: Annotated[Path, typer.Argument(help="Folder of a run, finished or not.")],
    learner: Annotated[str, typer.Option(help="One of the run's learners.")],
    task: Annotated[str, typer.Option(help="A task that it has learned.")],
    to: Annotated[Path, typer.Option(help="A new folder.")],
    form: Annotated[
        Format, typer.Option("--format", help="merged: all into the encoder's weights; peft: LoRA, IA3, prompts.")
    ] = Format.merged,
    store: Annotated[Path | None, typer.Option(help="The store, if neither in DIR nor where its settings say.")] = None,
    display: DisplayOption = Display.rich,
) -> None:
    from stream.commands.export import export

    export(folder, learner, task, to, form, store, display)


def main() -> None:
    """Entry point. Exit codes: 0 done, 1 the run failed or `verify` found a difference, 2 bad input."""
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "true")
    try:
        app()
    except InputError as error:
        _fail([error])
    except InputErrors as errors:
        _fail(errors.errors)


def _fail(errors: list[InputError] | tuple[InputError, ...]) -> None:
    for error in errors:
        print(f"error: {error}", file=sys.stderr)
    sys.exit(2)


if __name__ == "__main__":
    main()
