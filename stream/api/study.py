"""One study from its settings to its results: the runs of its members, one after another, with the same workers."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import nullcontext
from dataclasses import replace
from functools import partial
from pathlib import Path

from rich.console import Console
from rich.text import Text

from stream.api.arguments import Call
from stream.api.session import run_call
from stream.api.tables import with_tables
from stream.config.same_run import check_same_run
from stream.engine.attempts import Attempts
from stream.engine.resolve import resolve
from stream.execution.workers import waiting_workers
from stream.plugins.load import load_plugins
from stream.report import View, make_console, open_view
from stream.report.console import page_of
from stream.report.live.held import HeldView
from stream.report.terminal.study import print_study
from stream.results.results import Results
from stream.storage.files import readable_json, sole_writer, usable_folder
from stream.study.document import study_document
from stream.study.members import FILE, Grid, Member, member_config
from stream.study.settings import study_toml
from stream.study.study import Study, finished_members, read_grid
from tasks.errors import InputError, InputErrors
from tasks.files import write_atomic
from tasks.home import settle_home


def perform_study(call: Call, grid: Grid) -> Study:
    """Run or continue all members of a study, and print its report.

    study.json is written when the study begins and after each member, so a study that ends early can be read.

    Raises:
        InputError, RunFailed, KeyboardInterrupt: As in `stream.engine.engine.run_stream`, for the first member that
            ends so. Errors in the settings of any member are reported before the first one runs.
    """
    settle_home()  # before libraries are imported, here and in workers
    config = call.config
    check_study(call, grid)
    folder = usable_folder(config.out_folder, f"--out {config.out}")
    with sole_writer(folder / FILE):
        call = with_tables(call)
        check_members(call, grid)
        write_atomic(folder / "config.toml", study_toml(call.config, call.origins, grid))
        write_study(folder, grid.members)
        results = _run_members(call, grid.members)
    study = Study(str(folder), grid.members, results)
    if call.display in ("rich", "plain"):
        print_study(study, make_console(call.display))
    return study


def check_study(call: Call, grid: Grid) -> None:
    """Check that OUT can hold the study.

    Raises:
        InputError: It holds a single run, or a study with members that the call leaves out.
    """
    folder, where = call.config.out_folder, f"--out {call.config.out}"
    if any((folder / name).exists() for name in ("ledger.jsonl", "results.json")):
        fix = f"give another --out; with --store {call.config.store or Path(call.config.out) / 'store'} it shares fits"
        raise InputError("this folder holds a single run, not a study", where=where, fix=fix)
    before = read_grid(folder) if (folder / FILE).exists() else ()
    if gone := [member.folder for member in before if member.folder not in {x.folder for x in grid.members}]:
        raise InputError(
            "the call leaves out members of the study that this folder holds", where=where,
            expected="all its seeds and orders, and more if you like", found=f"without {', '.join(gone)}",
            fix="give them all, or another --out",
        )  # fmt: skip


def check_members(call: Call, grid: Grid) -> None:
    """Check the settings of all members before the first one runs.

    Raises:
        InputErrors: All errors; one that several members have is reported once.
    """
    attempt = Attempts()
    streams: dict[tuple[str, ...], str] = {}
    with load_plugins(call.config.plugins).in_use():
        for member in grid.members:
            config = member_config(call.config, member)
            attempt(partial(check_same_run, config.out_folder / "config.toml", config))
            if member.seed != grid.seeds[0]:
                continue
            named = attempt(partial(resolve, config))
            if named is None:
                continue
            other = streams.setdefault(named.stream.order, member.order)
            if other != member.order:
                found = f"{other} and {member.order}"
                fix = "leave one of them out: a study would count it twice"
                attempt.errors.append(InputError("two orders are the same", where="--order", found=found, fix=fix))
    if attempt.errors:
        raise InputErrors({str(error): error for error in attempt.errors}.values())


def write_study(folder: Path, members: tuple[Member, ...]) -> None:
    """Write study.json from the results of the finished members, if it changes."""
    finished = finished_members(folder, members)
    document = study_document(members, {each: finished[each.folder] for each in members if each.folder in finished})
    text, path = readable_json(document) + "\n", folder / FILE
    if not path.is_file() or path.read_bytes() != text.encode():
        write_atomic(path, text)


def _run_members(call: Call, members: tuple[Member, ...]) -> Mapping[str, Results]:
    folder, console = call.config.out_folder, make_console(call.display)
    finished = finished_members(folder, members)
    count = call.config.workers
    kept = waiting_workers(count, reuse=True, start=False) if call.workers is None else nullcontext(call.workers)
    found: dict[str, Results] = {}
    with kept as workers:
        for number, member in enumerate(members, start=1):
            config = member_config(call.config, member)
            origins = {**call.origins, "out": "the study", "store": "the study"}
            line = f"member {number} of {len(members)}: seed {member.seed}, order {member.order}"
            view = _view(call.display, console, line, member.folder in finished)
            ours = replace(call, config=config, origins=origins, workers=workers, grid=None)
            found[member.folder] = run_call(ours, view)
            if isinstance(view, HeldView) and view.view is None:
                _say(console, f"{line}: finished")
            write_study(folder, members)
    return found


def _view(display: str, console: Console, line: str, finished: bool) -> View:
    """A view that begins with a line about the member. A member that is finished is shown only if a job is left."""

    def opened() -> View:
        _say(console, line)
        return open_view(display, console)

    return HeldView(opened) if finished else opened()


def _say(console: Console, words: str) -> None:
    console.print(Text(page_of(console).text(words), style="bold cyan"))
