"""Documents keep their promises: links and paths exist, commands parse, the README stays short."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest
from typer.main import get_command

from stream.cli.main import app

ROOT = Path(__file__).parents[1]
IGNORED = {"build", "dist", "runs"}
DOCUMENTS = sorted(
    path.relative_to(ROOT)
    for path in ROOT.rglob("*.md")
    if not any(part in IGNORED or part.startswith(".") for part in path.relative_to(ROOT).parts)
)
PATH = re.compile(r"`((?:tasks|learners|stream|scripts|tests)/[\w./-]+)`")


def prose(document: Path) -> str:
    """The text without its code blocks."""
    return re.sub(r"^```.*?^```", "", (ROOT / document).read_text(encoding="utf-8"), flags=re.DOTALL | re.MULTILINE)


def anchors(document: Path) -> set[str]:
    """The anchors of the headings, as GitHub makes them."""
    headings = re.findall(r"^#+ +(.+)$", prose(document), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).strip().replace(" ", "-") for heading in headings}


def commands(document: Path) -> list[str]:
    """Every command `taskstream ...` in its code blocks, lines joined, comments and redirections removed."""
    blocks = re.findall(r"^```\w*\n(.*?)^```", (ROOT / document).read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE)
    lines = [line for block in blocks for line in block.replace("\\\n", " ").splitlines()]
    return [re.split(r"\s+[#>]", line)[0] for line in lines if line.startswith("taskstream ")]


@pytest.mark.parametrize("document", DOCUMENTS, ids=str)
def test_links_lead_somewhere(document: Path) -> None:
    """Every relative link points to a file or folder of the repository, and to a heading of it if it names one."""
    for link in re.findall(r"\]\(([^)\s]+)\)", prose(document)):
        if re.match(r"[a-z]+:", link):
            continue
        file, _, anchor = link.partition("#")
        target = (ROOT / document).parent / file if file else ROOT / document
        assert target.exists(), f"{document}: {link}"
        assert not anchor or anchor in anchors(target), f"{document}: no heading {link}"


@pytest.mark.parametrize("document", DOCUMENTS, ids=str)
def test_paths_exist(document: Path) -> None:
    """A path of the repository in the text, as `tasks/splits.py`, is there."""
    missing = [path for path in PATH.findall(prose(document)) if not (ROOT / path).exists()]
    assert not missing, f"{document}: {missing}"


@pytest.mark.parametrize(
    "line", [line for document in DOCUMENTS if document.name == "README.md" for line in commands(document)]
)
def test_commands_parse(line: str) -> None:
    """Verb, options and values of every command in a README are those of the program."""
    command, words = get_command(app), shlex.split(line)[1:]
    while hasattr(command, "commands"):
        verb = words.pop(0)
        assert verb in command.commands, f"no such verb: {line}"
        command = command.commands[verb]
    command.make_context(command.name, words)


def test_readme_is_short() -> None:
    assert len((ROOT / "README.md").read_text(encoding="utf-8").splitlines()) < 200
