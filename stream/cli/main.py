"""The command `taskstream`: options and help here, the work in `stream.cli`, loaded when a verb is called."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from stream.cli import help as examples
from stream.cli.options import Display, DisplayOption, PluginOption, StoreOption, takes_settings
from stream.plugins.load import load_plugins
from tasks.errors import InputError

app = typer.Typer(
    name="taskstream",
    no_args_is_help=True,
    context_settings={"help_option_names": ["-h", "--help"]},
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
)


def _version(asked: bool) -> None:
    if asked:
        from importlib.metadata import version

        print(f"taskstream {version('taskstream')}")
        raise typer.Exit


@app.callback()
def taskstream(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version and exit.")
    ] = False,
) -> None:
    """Continual learning on streams of text tasks: who forgets, what each task costs, and the proof."""


class Listed(StrEnum):
    tasks = "tasks"
    learners = "learners"
    metrics = "metrics"
    backbones = "backbones"
    runs = "runs"


class Template(StrEnum):
    learner = "learner"
    metric = "metric"
    source = "source"


class Shown(StrEnum):
    task = "task"
    learner = "learner"
    metric = "metric"


@app.command("run", help=examples.RUN)
@takes_settings
def run_command(given: Mapping[str, Any], display: str) -> int:
    from stream.cli.run import run

    return run(given, display)


@app.command("plan", help=examples.PLAN)
@takes_settings
def plan_command(given: Mapping[str, Any], display: str) -> int:
    from stream.cli.plan import plan

    return plan(given, display)


@app.command("config", help=examples.CONFIG)
def config_command(
    folder: Annotated[
        Path | None, typer.Argument(help="Folder of a run, whose settings to print; without it: the defaults.")
    ] = None,
    display: DisplayOption = Display.rich,
) -> None:
    from stream.cli.config import config

    config(folder, display)


@app.command("list")
def list_command(
    what: Annotated[Listed, typer.Argument(help="What to list.")],
    folder: Annotated[Path, typer.Argument(help="Where runs are looked for.")] = Path("runs"),
    plugins: PluginOption = None,
    display: DisplayOption = Display.rich,
) -> None:
    """List tasks, learners, metrics, backbones or runs.

    Examples: taskstream list learners; taskstream list runs results --display json
    """
    from stream.cli.list import list_names

    with load_plugins(plugins or ()).in_use():
        list_names(what, folder, display)


@app.command("show")
def show_command(
    what: Annotated[Shown, typer.Argument(help="Kind of thing.")],
    name: Annotated[str, typer.Argument(help="Its name: cola, adapter:64, bwt_gem, ...")],
    backbone: Annotated[str, typer.Option(help="On which a learner's parameters are counted.")] = "embedded",
    plugins: PluginOption = None,
    display: DisplayOption = Display.rich,
) -> None:
    """Show one task, learner or metric in full: facts, formula, citation, options.

    Examples: taskstream show metric forgetting_chaudhry; taskstream show learner adapterbias; taskstream show task cola
    """
    from stream.cli.show import show

    with load_plugins(plugins or ()).in_use():
        show(what, name, display, backbone)


@app.command("report", help=examples.REPORT)
def report_command(
    folder: Annotated[Path, typer.Argument(help="Folder of a run, finished or not.")],
    html: Annotated[Path | None, typer.Option(help="Write the report here, as one HTML file.")] = None,
    png: Annotated[Path | None, typer.Option(help="Folder for its figures as PNG.")] = None,
    svg: Annotated[Path | None, typer.Option(help="Folder for its figures as SVG.")] = None,
    display: DisplayOption = Display.rich,
) -> None:
    from stream.cli.report import report

    report(folder, display, html, png, svg)


@app.command("compare", help=examples.COMPARE)
def compare_command(
    a: Annotated[Path, typer.Argument(metavar="A", help="Folder of a run.")],
    b: Annotated[Path, typer.Argument(metavar="B", help="Folder of another.")],
    display: DisplayOption = Display.rich,
) -> None:
    from stream.cli.compare import compare

    compare(a, b, display)


@app.command("replay", help=examples.REPLAY)
def replay_command(
    folder: Annotated[Path, typer.Argument(help="Folder of a run, finished or not.")],
    speed: Annotated[float | None, typer.Option(help="Times as fast as the run was.")] = None,
    display: DisplayOption = Display.rich,
) -> None:
    from stream.cli.replay import replay

    replay(folder, speed, display)


@app.command("verify", help=examples.VERIFY)
def verify_command(
    folder: Annotated[Path, typer.Argument(help="Folder of a run, finished or not, or a copy of it.")],
    rerun: Annotated[str, typer.Option(help="Cells to evaluate again: a number, or all.")] = "0",
    seed: Annotated[int, typer.Option(help="Which cells --rerun draws.")] = 0,
    store: StoreOption = None,
    plugins: PluginOption = None,
    display: DisplayOption = Display.rich,
) -> None:
    from stream.cli.verify import verify

    with load_plugins(plugins or ()).in_use():
        raise typer.Exit(verify(folder, rerun, seed, store, display))


@app.command("gc", help=examples.GC)
def gc_command(
    folders: Annotated[list[Path], typer.Argument(help="Folders of all runs on the store.")],
    delete: Annotated[bool, typer.Option("--delete", help="Delete them.")] = False,
    display: DisplayOption = Display.rich,
) -> None:
    from stream.cli.gc import gc

    gc(folders, delete, display)


@app.command("cost")
def cost_command(
    backbone: Annotated[
        str, typer.Option(help="A known name (taskstream list backbones), or a folder with config.json.")
    ],
    suite: Annotated[str, typer.Option(help="Suite, or NAME,NAME: how many tasks arrive, and the width of each head.")],
    learners: Annotated[str, typer.Option(help="Comma list of learners.")],
    plugins: PluginOption = None,
    display: DisplayOption = Display.rich,
) -> None:
    """The parameter account of learners on a backbone: no weights, no data, no network.

    Example: taskstream cost --backbone bert-large-uncased --suite glue9 --learners full:isolated,adapter:64,layernorm
    """
    from stream.cli.cost import cost

    with load_plugins(plugins or ()).in_use():
        cost(backbone, suite, learners, display)


class Format(StrEnum):
    merged = "merged"
    peft = "peft"


@app.command("export", help=examples.EXPORT)
def export_command(
    folder: Annotated[Path, typer.Argument(help="Folder of a run, finished or not.")],
    learner: Annotated[str | None, typer.Option(help="One of the run's learners; of --to-dir all by default.")] = None,
    task: Annotated[str | None, typer.Option(help="A task that it has learned; of --to-dir all by default.")] = None,
    to: Annotated[Path | None, typer.Option(help="A new folder, for one model in files of others.")] = None,
    to_dir: Annotated[
        Path | None, typer.Option(help="A new folder, for Deltas and results with the hub's cards.")
    ] = None,
    form: Annotated[
        Format | None,
        typer.Option("--format", help="Of --to. merged (default): all into the weights; peft: LoRA, IA3, prompts."),
    ] = None,
    store: StoreOption = None,
    plugins: PluginOption = None,
    display: DisplayOption = Display.rich,
) -> None:
    from stream.cli.export import export

    with load_plugins(plugins or ()).in_use():
        export(folder, learner, task, to, to_dir, form, store, display)


@app.command("new")
def new_command(
    what: Annotated[Template, typer.Argument(help="Kind of plug-in.")],
    name: Annotated[str, typer.Argument(help="Its name; the file is NAME.py, in the current folder.")],
    display: DisplayOption = Display.rich,
) -> None:
    """Write a plug-in that works as it is, to be changed: a learner, metric or source of your own in one file.

    Example: taskstream new learner mine; taskstream run --plugin mine.py --learners mine,head --suite rte,cola
    """
    from stream.cli.new import new

    new(what, name, display)


def main() -> None:
    """Entry point.

    Exit codes: 0 done; 1 the run failed or `verify` found a difference; 2 bad input; 130 interrupted by Ctrl-C.
    """
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "true")
    try:
        app()
    except InputError as error:
        for single in error.errors:
            print(f"error: {single}", file=sys.stderr)
        sys.exit(2)


if __name__ == "__main__":
    main()
