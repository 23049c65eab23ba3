"""The command `taskstream`: the verbs with their options. Each verb imports the file that does its work when called,
so that `--help` answers quickly."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from stream.cli import help as texts
from stream.cli.options import (
    Display,
    DisplayOption,
    Format,
    Listed,
    PluginOption,
    Shown,
    StoreOption,
    Template,
    takes_settings,
)
from stream.cli.output import CLOSED_PIPE, OutputFailed, guard_streams, ignore_unusable_size
from stream.plugins.load import load_plugins
from tasks.errors import InputError
from tasks.home import settle_home

app = typer.Typer(
    name="taskstream",
    no_args_is_help=True,
    context_settings={"help_option_names": ["-h", "--help"]},
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
)

# Headings of the verbs in --help.
RUN, READ, CHECK, SHARE = "Run", "Show and compare", "Check and clean up", "Export and extend"


def _version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        print(f"taskstream {version('taskstream')}")
        raise typer.Exit


@app.callback(help=texts.COMMAND)
def taskstream(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version and exit.")
    ] = False,
) -> None:
    pass


@app.command("run", help=texts.RUN, rich_help_panel=RUN)
@takes_settings
def run_command(given: Mapping[str, Any], display: str) -> int:
    from stream.cli.run import run

    return run(given, display)


@app.command("plan", help=texts.PLAN, rich_help_panel=RUN)
@takes_settings
def plan_command(given: Mapping[str, Any], display: str) -> int:
    from stream.cli.plan import plan

    return plan(given, display)


@app.command("config", help=texts.CONFIG, rich_help_panel=RUN)
def config_command(
    folder: Annotated[
        Path | None, typer.Argument(metavar="FOLDER", help="Folder of a run or a study. Default: print the defaults.")
    ] = None,
    display: DisplayOption = Display.rich,
) -> None:
    from stream.cli.config import config

    config(folder, display)


@app.command("list", help=texts.LIST, rich_help_panel=READ)
def list_command(
    what: Annotated[Listed, typer.Argument(metavar="WHAT", help="What to list.")],
    folder: Annotated[
        Path | None,
        typer.Argument(metavar="FOLDER", help="Folder to search for runs, with its subfolders. Default: runs."),
    ] = None,
    plugins: PluginOption = None,
    display: DisplayOption = Display.rich,
) -> None:
    from stream.cli.list import list_names

    if folder is not None and what != Listed.runs:
        raise InputError("only runs are listed from a folder", where=f"list {what} {folder}", fix=f"list {what}")

    with load_plugins(plugins or ()).in_use():
        list_names(what, folder or Path("runs"), display)


@app.command("show", help=texts.SHOW, rich_help_panel=READ)
def show_command(
    what: Annotated[Shown, typer.Argument(metavar="WHAT", help="What to show.")],
    name: Annotated[str, typer.Argument(metavar="NAME", help="Its name, for example cola, adapter:64 or bwt_gem.")],
    backbone: Annotated[
        str | None,
        typer.Option(metavar="TEXT", help="Backbone on which to count the parameters of a learner. Default: embedded."),
    ] = None,
    plugins: PluginOption = None,
    display: DisplayOption = Display.rich,
) -> None:
    from stream.cli.show import show

    if backbone is not None and what != Shown.learner:
        raise InputError(f"a {what} has no parameters to count", where=f"--backbone {backbone}", fix="leave it out")
    with load_plugins(plugins or ()).in_use():
        show(what, name, display, backbone or "embedded")


@app.command("report", help=texts.REPORT, rich_help_panel=READ)
def report_command(
    folders: Annotated[
        list[Path], typer.Argument(metavar="FOLDER", help="Folders of runs or of studies, finished or not.")
    ],
    html: Annotated[
        Path | None, typer.Option(metavar="FILE", help="HTML file to write the report to. Default: no file.")
    ] = None,
    png: Annotated[
        Path | None, typer.Option(metavar="FOLDER", help="Folder to write the figures to, as PNG. Default: no folder.")
    ] = None,
    svg: Annotated[
        Path | None, typer.Option(metavar="FOLDER", help="Folder to write the figures to, as SVG. Default: no folder.")
    ] = None,
    csv: Annotated[
        Path | None, typer.Option(metavar="FILE", help="CSV file to write the means to, all digits. Default: no file.")
    ] = None,
    tex: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="LaTeX file to write the tables to (booktabs). Default: no file."),
    ] = None,
    md: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Markdown file to write the tables to. Default: no file.")
    ] = None,
    display: DisplayOption = Display.rich,
) -> None:
    from stream.cli.report import report

    report(folders, display, html, png, svg, {"csv": csv, "tex": tex, "md": md})


@app.command("compare", help=texts.COMPARE, rich_help_panel=READ)
def compare_command(
    a: Annotated[Path, typer.Argument(metavar="A", help="Folder of a run.")],
    b: Annotated[Path, typer.Argument(metavar="B", help="Folder of another run.")],
    display: DisplayOption = Display.rich,
) -> None:
    from stream.cli.compare import compare

    compare(a, b, display)


@app.command("replay", help=texts.REPLAY, rich_help_panel=READ)
def replay_command(
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", help="Folder of a run, finished or not.")],
    speed: Annotated[
        float | None,
        typer.Option(metavar="X", help="How many times as fast as the run. Default: a replay takes 20 seconds."),
    ] = None,
    display: DisplayOption = Display.rich,
) -> None:
    from stream.cli.replay import replay

    replay(folder, speed, display)


@app.command("verify", help=texts.VERIFY, rich_help_panel=CHECK)
def verify_command(
    folder: Annotated[
        Path, typer.Argument(metavar="FOLDER", help="Folder of a run or a study, finished or not, or a copy.")
    ],
    rerun: Annotated[str, typer.Option(metavar="N|all", help="Number of cells of R to evaluate again, or all.")] = "0",
    seed: Annotated[
        int | None,
        typer.Option(metavar="N", help="Seed for the random choice of the cells of --rerun N. Default: 0."),
    ] = None,
    store: StoreOption = None,
    plugins: PluginOption = None,
    display: DisplayOption = Display.rich,
) -> None:
    from stream.cli.verify import verify

    if seed is not None and rerun in ("0", "all"):
        fix = "give --rerun N, a number of cells, or leave it out"
        raise InputError("no cells are chosen at random", where=f"--seed {seed}", found=f"--rerun {rerun}", fix=fix)
    raise typer.Exit(verify(folder, rerun, seed or 0, store, plugins or (), display))


@app.command("gc", help=texts.GC, rich_help_panel=CHECK)
def gc_command(
    folders: Annotated[list[Path], typer.Argument(metavar="FOLDER", help="Folders of stores, runs or studies.")],
    forget: Annotated[
        list[str] | None,
        typer.Option("--forget", metavar="RUN", help="A run of the store that is gone: path or name of its folder."),
    ] = None,
    delete: Annotated[bool, typer.Option("--delete", help="Delete the files. Default: list them only.")] = False,
    display: DisplayOption = Display.rich,
) -> None:
    from stream.cli.gc import gc

    gc(folders, delete, display, forget or ())


@app.command("cost", help=texts.COST, rich_help_panel=READ)
def cost_command(
    *,
    backbone: Annotated[
        str,
        typer.Option(metavar="TEXT", help="Name (see `taskstream list backbones`), or a folder that has config.json."),
    ] = "embedded",
    suite: Annotated[str, typer.Option(metavar="TEXT", help="Suite, or task names separated by commas.")],
    learners: Annotated[str, typer.Option(metavar="TEXT", help="Learners, separated by commas.")],
    chosen: Annotated[
        str | None,
        typer.Option(
            metavar="TASK=VALUE,...",
            help="What each task of the suite keeps, if a learner has alternatives (adapter:8/64): a value, as in "
            "cola=8,sst2=64, or a whole specification. Default: the least and the most of all choices.",
        ),
    ] = None,
    plugins: PluginOption = None,
    display: DisplayOption = Display.rich,
) -> None:
    from stream.cli.cost import cost

    cost(backbone, suite, learners, chosen, plugins or (), display)


@app.command("export", help=texts.EXPORT, rich_help_panel=SHARE)
def export_command(
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", help="Folder of a run, finished or not.")],
    learner: Annotated[
        str | None,
        typer.Option(metavar="TEXT", help="Learner of the run. Required for --to. Default for --to-dir: all."),
    ] = None,
    task: Annotated[
        str | None,
        typer.Option(metavar="TEXT", help="Task of the run. Required for --to. Default for --to-dir: all."),
    ] = None,
    to: Annotated[
        Path | None,
        typer.Option(metavar="FOLDER", help="New folder for one model, as files for transformers or peft."),
    ] = None,
    to_dir: Annotated[
        Path | None,
        typer.Option(metavar="FOLDER", help="New folder for Deltas and results, with cards for the Hugging Face Hub."),
    ] = None,
    form: Annotated[
        Format | None,
        typer.Option(
            "--format",
            metavar="merged|modules|peft",
            help="Files that --to writes. merged: a transformers checkpoint, the Delta added to the weights. modules: "
            "a transformers checkpoint with the Delta as modules, and the code that computes them. peft: an adapter of "
            "peft (LoRA, IA3, prompts). Default: the first of these that can hold the learner.",
        ),
    ] = None,
    store: StoreOption = None,
    plugins: PluginOption = None,
    display: DisplayOption = Display.rich,
) -> None:
    from stream.cli.export import export

    with load_plugins(plugins or ()).in_use():
        export(folder, learner, task, to, to_dir, form, store, display)


@app.command("new", help=texts.NEW, rich_help_panel=SHARE)
def new_command(
    what: Annotated[Template, typer.Argument(metavar="KIND", help="Kind of plug-in.")],
    name: Annotated[
        str, typer.Argument(metavar="NAME", help="Its name. The file NAME.py is written to the current folder.")
    ],
    display: DisplayOption = Display.rich,
) -> None:
    from stream.cli.new import new

    new(what, name, display)


def main() -> None:
    """Run the command.

    Exit codes: 0 success; 1 the run failed, `verify` found a difference, or the output cannot be written; 2 bad input;
    130 stopped by Ctrl-C; 141 the output is a pipe that was closed.
    """
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "true")
    settle_home()
    ignore_unusable_size(os.environ)
    guard_streams()
    try:
        try:
            app()
        finally:
            sys.stdout.flush()  # here, where an error has an answer
    except InputError as error:
        for single in error.errors:
            print(f"error: {single}", file=sys.stderr)
        sys.exit(2)
    except OutputFailed as failure:
        if failure.code != CLOSED_PIPE:  # a reader that has seen enough, such as `head`, is no error
            print(f"error: {failure}", file=sys.stderr)
        sys.exit(failure.code)


if __name__ == "__main__":
    main()
