"""The names of a run: wrong ones are reported before libraries are loaded, and so are settings without effect."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from stream import plan, run
from stream.config.settings import RunConfig
from stream.engine.names import resolve_names
from tasks.errors import InputError
from tests.runs import tiny_settings

ASK = """
import sys
from stream.cli.main import main
sys.argv = ["taskstream", *sys.argv[1:]]
try:
    main()
except SystemExit as end:
    heavy = sorted({"torch", "transformers", "sklearn", "tokenizers"} & set(sys.modules))
    print(end.code, *heavy)
"""


@pytest.mark.parametrize("verb", ["run", "plan"])
def test_a_wrong_name_is_reported_before_libraries_are_loaded(tiny_tasks: Path, tmp_path: Path, verb: str) -> None:
    given = ("--suite", "RTE,colurs,stbs", "--source", f"folder:{tiny_tasks}", "--out", str(tmp_path / "run"))
    command = [sys.executable, "-c", ASK, verb, *given]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env={**os.environ, "COLUMNS": "500"})
    assert done.stdout.split() == ["2"], done.stdout + done.stderr
    one, other = done.stderr.splitlines()
    assert "unknown task 'colurs'; expected one of " in one
    assert one.endswith("did you mean colours?")
    assert other.endswith("did you mean stsb?")
    assert not (tmp_path / "run").exists()


def test_names_of_known_tasks_may_have_other_capitals(tiny_tasks: Path, tmp_path: Path) -> None:
    folder = tmp_path / "tasks"
    shutil.copytree(tiny_tasks, folder)
    (folder / "rte").rename(folder / "RTE")
    (folder / "README.md").write_text("two tasks", encoding="utf-8")
    settings = {"source": f"folder:{folder}", "columns": {"RTE.text": "text"}, "out": str(tmp_path / "run")}
    config = RunConfig(suite="colours,Rte", order="RTE,colours", **settings)
    found = resolve_names(config)
    assert (found.suite, found.stream.order, found.notes) == ("colours,rte", ("rte", "colours"), ())
    (note,) = resolve_names(RunConfig(suite="all", **settings)).notes
    assert note.startswith("not a task: README.md (")


def test_a_begun_run_may_have_settings_without_effect(tiny_tasks: Path, tiny_backbone: Path, tmp_path: Path) -> None:
    """Earlier versions accepted them, and such a run must continue."""
    settings = tiny_settings(tiny_tasks, tiny_backbone, tmp_path / "run", suite="rte", columns={"gone.text": "x"})
    with pytest.raises(InputError, match="unknown task 'gone'"):
        run(**settings)
    assert not (tmp_path / "run").exists()
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "ledger.jsonl").touch()
    assert run(**settings)["head"].matrix.shape == (2, 1)


def test_a_plugin_that_the_run_does_not_use_is_refused(tiny_tasks: Path, tiny_backbone: Path, tmp_path: Path) -> None:
    from stream.cli.new import new

    here = Path.cwd()
    os.chdir(tmp_path)
    try:
        new("learner", "mine", "none")
    finally:
        os.chdir(here)
    settings = tiny_settings(tiny_tasks, tiny_backbone, tmp_path / "run", plugins=[tmp_path / "mine.py"])
    with pytest.raises(InputError, match=r"mine\.py: the run uses nothing of this plug-in; name one of its learners"):
        plan(**settings)
    assert plan(**settings | {"learners": "head,mine"}).jobs_left > 0
