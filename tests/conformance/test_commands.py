"""What every verb of the command must do: help with an example, one JSON document, and a quick start."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import pytest
import typer

from stream import run
from stream.cli.main import app
from tests.report.fake_results import make_results
from tests.runs import COMMAND, Answer, as_arguments, call, tiny_settings

VERBS = sorted(typer.main.get_command(app).commands)  # type: ignore[attr-defined]
HEAVY = ("torch", "transformers", "datasets", "pandas", "sklearn", "scipy", "numpy", "matplotlib", "avalanche")


def test_the_verbs() -> None:
    assert set(VERBS) >= {
        "run",
        "list",
        "show",
        "report",
        "cost",
        "verify",
        "gc",
        "export",
        "plan",
        "compare",
        "replay",
        "config",
    }


@pytest.mark.parametrize("verb", VERBS)
def test_help_shows_an_example(verb: str) -> None:
    answer = call(verb, "--help")
    assert (answer.code, answer.err) == (0, "")
    assert f"taskstream {verb} " in answer.out.split("Usage:")[1].partition("\n")[2], "an example beside the usage line"
    assert "--display" in answer.out


def test_help_of_the_command_names_every_verb() -> None:
    for arguments in ((), ("--help",)):
        answer = call(*arguments)
        assert all(verb in answer.out + answer.err for verb in VERBS)
    assert answer.code == 0


@pytest.fixture
def examples(verb: str, tiny_tasks: Path, tiny_backbone: Path, tmp_path: Path) -> dict[str, list[str]]:
    """Arguments that make each verb print something."""
    (tmp_path / "results.json").write_text(json.dumps(make_results(["cola", "rte"])))
    run_folder = tmp_path / "finished"
    if verb in ("verify", "gc", "export", "compare", "replay"):
        run(**tiny_settings(tiny_tasks, tiny_backbone, run_folder, suite="colours"))
    return {
        "run": as_arguments(tiny_settings(tiny_tasks, tiny_backbone, tmp_path / "run", suite="colours")),
        "plan": as_arguments(tiny_settings(tiny_tasks, tiny_backbone, tmp_path / "plan", suite="colours")),
        "config": [],
        "list": ["tasks"],
        "show": ["metric", "bwt_gem"],
        "report": [str(tmp_path)],
        "verify": [str(run_folder)],
        "compare": [str(run_folder), str(run_folder)],
        "replay": [str(run_folder)],
        "gc": [str(run_folder)],
        "export": [str(run_folder), "--learner", "head", "--task", "colours", "--to", str(tmp_path / "model")],
        "new": ["learner", "mine"],
        "cost": ["--backbone", "bert-base-uncased", "--suite", "glue9", "--learners", "head"],
    }


@pytest.mark.parametrize("verb", VERBS)
def test_displays(examples: dict[str, list[str]], verb: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)  # where `new` writes

    def show(display: str) -> Answer:
        shutil.rmtree(tmp_path / "model", ignore_errors=True)  # what `export` wrote: it writes over nothing
        (tmp_path / "mine.py").unlink(missing_ok=True)  # nor does `new`
        answer = call(verb, *examples[verb], "--display", display)
        assert (answer.code, answer.err) == (0, "")
        return answer

    document = json.loads(show("json").out)  # exactly one, or loads would refuse what follows
    assert document
    assert show("none").out == ""
    plain = show("plain").out
    assert plain.strip()
    assert "\x1b" not in plain
    assert "\x1b" not in show("rich").out  # which is plain where no terminal is


def read_only() -> int:
    return os.open(os.devnull, os.O_RDONLY)  # what the command puts in the place of a closed standard output


def full() -> int:
    return os.open("/dev/full", os.O_WRONLY)


def unread() -> int:
    reader, writer = os.pipe()
    os.close(reader)
    return writer


@pytest.mark.parametrize("verb", VERBS)
def test_output_that_cannot_be_written_is_one_line_and_an_exit_code(
    examples: dict[str, list[str]], verb: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    error = "error: cannot write to standard output: "
    for opened, code, found in (
        (read_only, 1, "it is closed"),
        (full, 1, "No space left on device"),
        (unread, 141, "Broken pipe"),
    ):
        for kind in ("json", "plain"):
            shutil.rmtree(tmp_path / "model", ignore_errors=True)
            (tmp_path / "mine.py").unlink(missing_ok=True)
            output = os.fdopen(number := opened(), "w", closefd=False)
            monkeypatch.setattr(sys, "__stdout__", output)
            answer = call(verb, *examples[verb], "--display", kind, output=output)
            os.close(number)
            stopped = verb == "run" and kind == "plain"  # before its end, so it says how to go on
            told = [f"{error}{found}"] if stopped or code == 1 else []
            assert (answer.code, answer.errors[:1]) == (code, told)
            assert len(answer.errors) == len(told) + stopped
    monkeypatch.undo()
    monkeypatch.chdir(tmp_path)
    shutil.rmtree(tmp_path / "model", ignore_errors=True)
    (tmp_path / "mine.py").unlink(missing_ok=True)
    assert call(verb, *examples[verb], "--display", "none") == Answer(0, "", "")  # nothing to write


@pytest.mark.parametrize("closed", ["0,1", "0,1,2"])
def test_closed_streams_of_a_real_process(closed: str, tmp_path: Path) -> None:
    """With a closed descriptor, the next opened file gets its number: nothing printed may end up in a file."""
    asked = [str(COMMAND), "new", "metric", "worst"]
    program = f"import os; [os.close(n) for n in ({closed},)]; os.execv({asked[0]!r}, {asked!r})"
    found = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False, cwd=tmp_path)
    told = "" if "2" in closed else "error: cannot write to standard output: it is closed\n"
    assert (found.returncode, found.stdout, found.stderr) == (1, "", told)
    compile((tmp_path / "worst.py").read_text(), "worst.py", "exec")


@pytest.mark.parametrize("columns", ["0", "00", "-3", "abc", "²", ""])
def test_a_width_that_is_none_changes_nothing(columns: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "results.json").write_text(json.dumps(make_results(["cola", "rte"])))
    for arguments in (("list", "tasks"), ("report", str(tmp_path)), ("report", "--help")):
        monkeypatch.delenv("COLUMNS", raising=False)
        expected = call(*arguments)
        monkeypatch.setenv("COLUMNS", columns)
        assert call(*arguments) == expected
        assert expected.out.strip()


def test_the_command_starts_without_the_heavy_libraries() -> None:
    program = (
        "import sys, stream.cli.main, stream.cli.run; print(*[name for name in sys.argv[1:] if name in sys.modules])"
    )
    found = subprocess.run([sys.executable, "-c", program, *HEAVY], capture_output=True, text=True, check=True)
    assert found.stdout.split() == []


@pytest.mark.parametrize("arguments", [(), *((verb,) for verb in VERBS)], ids=" ".join)
def test_short_help_is_help(arguments: tuple[str, ...]) -> None:
    assert call(*arguments, "-h") == call(*arguments, "--help")


def test_the_version() -> None:
    assert call("--version") == Answer(0, f"taskstream {version('taskstream')}\n", "")


def test_the_package_is_the_command() -> None:
    asked = [sys.executable, "-m", "stream", "list", "tasks", "--display", "json"]
    found = subprocess.run(asked, capture_output=True, text=True, check=True)
    assert json.loads(found.stdout) == json.loads(call("list", "tasks", "--display", "json").out)


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion(shell: str) -> None:
    """The script that `--install-completion` puts into the shell asks the command, which knows verbs and options."""
    environment = {**os.environ, "_TASKSTREAM_COMPLETE": f"source_{shell}"}
    script = subprocess.run([COMMAND], capture_output=True, text=True, check=True, env=environment).stdout
    assert "taskstream" in script
    asking = {**os.environ, "_TASKSTREAM_COMPLETE": "complete_bash", "COMP_WORDS": "taskstream ve", "COMP_CWORD": "1"}
    assert subprocess.run([COMMAND], capture_output=True, text=True, check=True, env=asking).stdout.split() == [
        "verify"
    ]


@pytest.mark.parametrize("verb", ["run", "verify"])
def test_ctrl_c_exits_with_130(verb: str, examples: dict[str, list[str]], monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("stream.cli.run.perform", interrupted)
    monkeypatch.setattr("stream.verification.checks.verify", interrupted)
    assert call(verb, *examples[verb]).code == 130
