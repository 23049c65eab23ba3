"""The measured numbers in README.md and the pages that it links to: measure them, write them, check them.

Each file numbers/NAME.json says which commands give some numbers, and has what they gave:

    "steps": [{"name": "run", "lines": ["taskstream run ..."], "from": "^learner", "to": "^forgets"}]
        Commands, in a new folder, one after another. A step with a name gives the block NAME.run: its lines ("quiet":
        true leaves them out), and what it printed from the first line that matches `from` to the next that matches
        `to` (default: to the end). A step without a name is not shown. "where": "repository" runs the steps in the
        repository instead; "columns": 100 is the width of their output (default: 80).
    "values": {"score": ["runs/first/results.json", "learners", "head", "metrics", "average_accuracy"],
               "time": ["seconds", "run"]}
        Numbers by name: a place in a JSON file that the steps leave, or the wall seconds of a step.
    "sentences": [{"page": "README.md", "sentence": "scores {score:.2f} in {time:.0f} s"}]
    "measured": revision, date, machine (processor, cores, load average before, dtype), seconds, values, and the text
        of each block

Without an option it checks that the pages agree with the stored numbers, and ends with 1 if they do not.

    python scripts/experiments/readme_numbers.py                    # check; takes a second
    python scripts/experiments/readme_numbers.py --run first_run    # measure, and store in numbers/first_run.json
    python scripts/experiments/readme_numbers.py --write            # put what is stored into the pages
    python scripts/experiments/readme_numbers.py --list             # what was measured when, on what
"""

from __future__ import annotations

import datetime
import json
import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

import study
import typer
from pages import Value, blocks, rendered, says, with_block, with_sentence

from learners.training.precision import processor
from stream import InputError
from stream.storage.files import write_json

ROOT = Path(__file__).parents[2]
FOLDER = Path(__file__).parent / "numbers"
FIX = "python scripts/experiments/readme_numbers.py"


def linked_pages(root: Path) -> list[str]:
    """README.md and the pages that it links to, relative to the root."""
    links = re.findall(r"\]\(([^)#:\s]+\.md)(?:#[^)]*)?\)", (root / "README.md").read_text(encoding="utf-8"))
    return [*dict.fromkeys(["README.md", *links])]


def stored(folder: Path) -> dict[str, dict[str, Any]]:
    """The files of the folder, by name."""
    return {path.stem: json.loads(path.read_text(encoding="utf-8")) for path in sorted(folder.glob("*.json"))}


def problems(root: Path, folder: Path) -> Iterator[str]:
    """One line for each number in a page that is not what is stored, and for each that is stored and in no page."""
    pages = {page: (root / page).read_text(encoding="utf-8") for page in linked_pages(root)}
    known = {f"{name}.{step}": text for name, entry in stored(folder).items()
             for step, text in entry.get("measured", {}).get("blocks", {}).items()}  # fmt: skip
    shown: set[str] = set()
    for page, text in pages.items():
        for block in blocks(text, page):
            shown.add(block.name)
            file = f"numbers/{block.name.split('.')[0]}.json"
            if block.name not in known:
                yield f"{page}: nothing is stored for block {block.name}; measure it: {FIX} --run {Path(file).stem}"
            elif block.text != known[block.name]:
                yield f"{page}: block {block.name} is not {file}: {first_difference(block.text, known[block.name])}"
    yield from (f"numbers: block {name} is in no page that README.md links to" for name in known if name not in shown)
    for name, entry in stored(folder).items():
        if "measured" not in entry:
            yield f"numbers/{name}.json: not measured; give {FIX} --run {name}"
            continue
        for each in entry.get("sentences", []):
            if each["page"] not in pages:
                yield f"numbers/{name}.json: {each['page']} is no page that README.md links to"
            elif not says(pages[each["page"]], each["sentence"], entry["measured"]["values"]):
                says_now = rendered(each["sentence"], entry["measured"]["values"])
                yield f"{each['page']}: does not say, as numbers/{name}.json does: {says_now}"


def first_difference(here: str, there: str) -> str:
    """The first line in which two texts differ, in words."""
    ours, theirs = here.splitlines(), there.splitlines()
    for place, pair in enumerate(zip(ours, theirs, strict=False), start=1):
        if pair[0] != pair[1]:
            return f"line {place} has {pair[0]!r}, stored is {pair[1]!r}"
    return f"it has {len(ours)} lines, stored are {len(theirs)}"


def write(root: Path, folder: Path) -> list[str]:
    """Put the stored blocks and values into the pages; the pages that changed."""
    changed = []
    for page in linked_pages(root):
        before = after = (root / page).read_text(encoding="utf-8")
        for name, entry in stored(folder).items():
            measured = entry.get("measured", {"blocks": {}, "values": {}})
            for step, text in measured["blocks"].items():
                after = with_block(after, f"{name}.{step}", text, page)
            for each in entry.get("sentences", []) if "measured" in entry else []:
                if each["page"] == page:
                    after = with_sentence(after, each["sentence"], measured["values"], page)
        if after != before:
            (root / page).write_text(after, encoding="utf-8")
            changed.append(page)
    return changed


def measure(entry: Mapping[str, Any], data: str) -> dict[str, Any]:
    """Run the steps of an entry, and return what they gave (`measured`).

    Args:
        data: Folder that the word DATA in a command stands for.

    Raises:
        InputError: A command fails, or prints no line as it should.
    """
    paths = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])
    environment = {**os.environ, "PATH": paths, "PYTHONPATH": str(ROOT), "COLUMNS": str(entry.get("columns", 80))}
    load = round(os.getloadavg()[0], 1)  # seconds mean little where other programs ran
    seconds: dict[str, float] = {}
    texts: dict[str, str] = {}
    with tempfile.TemporaryDirectory() as scratch:
        place = ROOT if entry.get("where") == "repository" else Path(scratch)
        if place != ROOT:
            (place / "scripts").symlink_to(ROOT / "scripts")
        for number, step in enumerate(entry["steps"]):
            command = re.sub(r"\bDATA\b", data or "DATA", "\n".join(step["lines"]))
            started = time.perf_counter()
            ended = subprocess.run(["bash", "-c", command], cwd=place, env=environment, capture_output=True, text=True)
            seconds[step.get("name", str(number))] = round(time.perf_counter() - started, 1)
            if ended.returncode:
                raise InputError("a command failed", where=command, found=ended.stderr[-2000:] or ended.stdout[-2000:])
            if "name" in step:
                lines = chosen_lines(ended.stdout, step.get("from", ""), step.get("to", ""), command)
                lines = lines if step.get("quiet") else [*step["lines"], *lines]
                texts[step["name"]] = "".join(f"{line}\n" for line in lines)
        values = {name: value_at(place, at, seconds) for name, at in entry.get("values", {}).items()}
        named = {place / str(at[0]) for at in entry.get("values", {}).values() if at[0] != "seconds"}
        used = {json.loads(path.read_text(encoding="utf-8"))["settings"]["dtype"]
                for path in {*Path(scratch).rglob("results.json"), *named} if path.name == "results.json"}  # fmt: skip
    cores, dtype = len(os.sched_getaffinity(0)), ", ".join(sorted(used))
    machine = {"processor": processor(), "cores": cores, "load": load, "dtype": dtype}
    now = datetime.datetime.now(datetime.UTC).date().isoformat()
    facts = {"revision": revision(), "date": now, "machine": machine, "seconds": seconds}
    return {**facts, "values": values, "blocks": texts}


def chosen_lines(printed: str, first: str, last: str, command: str) -> list[str]:
    """The lines from the first that matches `first` to the next that matches `last`, without spaces at their ends.

    Raises:
        InputError: No line matches.
    """
    lines = [line.rstrip() for line in printed.rstrip("\n").splitlines()]
    start = next((place for place, line in enumerate(lines) if re.search(first, line)), None)
    after = range(start or 0, len(lines))
    end = next((place for place in after if last and re.search(last, lines[place])), None if last else len(lines) - 1)
    if start is None or end is None:
        raise InputError("no such lines", where=command, expected=f"{first} ... {last}", found=printed[-1000:])
    return lines[start : end + 1]


def value_at(place: Path, at: Sequence[str | int], seconds: Mapping[str, float]) -> Value:
    """The value at a place of a JSON file, or the seconds of a step.

    Raises:
        InputError: There is none.
    """
    if at[0] == "seconds":
        return seconds[str(at[1])]
    try:
        value: Any = json.loads((place / str(at[0])).read_text(encoding="utf-8"))
        for key in at[1:]:
            value = value[key]
    except (OSError, KeyError, IndexError, TypeError) as error:
        raise InputError("no such value", where=" / ".join(map(str, at)), found=repr(error)) from None
    if not isinstance(value, float | int | str | None):
        raise InputError("not a single value", where=" / ".join(map(str, at)))
    return value


def revision() -> str:
    """The commit of the repository; with `+` if tracked files outside pages and stored numbers differ from it."""

    def git(*arguments: str) -> str:
        return subprocess.run(["git", *arguments], cwd=ROOT, capture_output=True, text=True, check=True).stdout.strip()

    changed = git("status", "--porcelain", "--untracked-files=no", "--", ".", ":!*.md", ":!scripts/experiments/numbers")
    return git("rev-parse", "--short", "HEAD") + ("+" if changed else "")


def main(
    run: Annotated[list[str] | None, typer.Option(help="Measure NAME again. May be repeated; all: everything.")] = None,
    writes: Annotated[bool, typer.Option("--write", help="Put the stored numbers into the pages.")] = False,
    lists: Annotated[bool, typer.Option("--list", help="Show what was measured, when, and on what.")] = False,
    data: Annotated[str, typer.Option(help="Folder that DATA in a command stands for.")] = "",
    root: Annotated[Path, typer.Option(help="Folder of README.md.")] = ROOT,
    folder: Annotated[Path, typer.Option(help="Folder of the stored numbers.")] = FOLDER,
) -> None:
    console = study.open_console()
    known = stored(folder)
    for name in known if run == ["all"] else run or []:
        if name not in known:
            raise InputError("no such numbers", where="--run", expected=", ".join(known), found=name)
        entry = {key: value for key, value in known[name].items() if key != "measured"}
        write_json(folder / f"{name}.json", {**entry, "measured": measure(entry, data)}, indent=1)
        console.print(f"measured {name}", markup=False)
    if lists:
        facts, rows = ("processor", "cores", "load", "dtype"), []
        for name, entry in known.items():
            of = entry.get("measured", {})
            took = sum(of.get("seconds", {}).values())
            when = [of.get("revision", "–"), of.get("date", "–"), f"{took:.0f} s"]
            rows.append([name, *when, *(str(of.get("machine", {}).get(key, "–")) for key in facts)])
        study.show(console, "Stored numbers", ["name", "revision", "date", "took", *facts], rows, (0, 1, 2, 4, 7))
        return
    if writes:
        for page in write(root, folder):
            console.print(f"wrote {page}", markup=False)
    if found := [*problems(root, folder)]:
        print(*found, f"if the stored numbers are right: {FIX} --write", sep="\n", file=sys.stderr)
        sys.exit(1)
    console.print(f"{len(known)} stored measurements agree with the pages", markup=False)


if __name__ == "__main__":
    study.command(main, __doc__)
