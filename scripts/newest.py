"""Do the newest versions that pyproject.toml allows still work? `scripts/test --newest` runs this.

It makes a second environment, .venv-newest, says which distributions differ from requirements.lock, runs the suite
there, and for each test that fails there but not with the locked versions it looks for the distribution that breaks it:
one at a time is put back to its locked version, those that pyproject.toml names first, until the test passes.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Iterable, Sequence
from pathlib import Path

ROOT = Path(__file__).parents[1]
LOCKED, NEWEST = ROOT / ".venv" / "bin", ROOT / ".venv-newest" / "bin"
EXTRAS = ".[dev,minilm,plots]"


def main(arguments: Sequence[str]) -> int:
    """Arguments go to pytest, in every environment. Exit code 1 if a newer version breaks a test."""
    install()
    locked, newest = versions(LOCKED), versions(NEWEST)
    changes = {name: (locked[name], newest[name]) for name in newest if locked.get(name, newest[name]) != newest[name]}
    print(f"{len(changes)} distributions are newer than in requirements.lock:", *map(line, changes.items()), sep="\n  ")
    if not changes:
        return 0
    failing = failures(NEWEST, arguments)
    failing -= failures(LOCKED, sorted(failing)) if failing else set()
    if not failing:
        print("nothing fails with them; to take them over: the command at the top of requirements.lock, with --upgrade")
        return 0
    print(f"{len(failing)} tests fail with the newest versions only; which one breaks them?")
    left = failing
    for name in sorted(changes, key=lambda name: (name not in named_in_pyproject(), name)):
        if not left:
            break
        broken = left - failures(NEWEST, sorted(left), overlay=(name, changes[name][0]))
        if broken:
            print(f"{line((name, changes[name]))} breaks", *sorted(broken), sep="\n  ")
            left = left - broken
    if left:
        print("no single distribution explains, so several together break", *sorted(left), sep="\n  ")
    return 1


def line(change: tuple[str, tuple[str, str]]) -> str:
    name, (old, new) = change
    return f"{name} {old} -> {new}"


def install() -> None:
    """Make or renew the second environment."""
    if not (NEWEST / "python").exists():
        subprocess.run([LOCKED / "python", "-m", "venv", NEWEST.parent], check=True)
    eager = ("--upgrade", "--upgrade-strategy", "eager")
    subprocess.run([*pip(NEWEST), "install", "--quiet", *eager, "--editable", EXTRAS], check=True, cwd=ROOT)


def pip(environment: Path) -> list[str]:
    return [str(environment / "python"), "-m", "pip", "--disable-pip-version-check"]


def versions(environment: Path) -> dict[str, str]:
    """The version of each distribution in an environment, by its normalised name."""
    told = subprocess.run([*pip(environment), "list", "--format", "json"], check=True, capture_output=True, text=True)
    return {normal(each["name"]): each["version"] for each in json.loads(told.stdout)}


def normal(name: str) -> str:
    """A distribution's name as PEP 503 compares it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def named_in_pyproject() -> set[str]:
    """The distributions that pyproject.toml names, in an extra too."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    wanted: Iterable[str] = sum(project["optional-dependencies"].values(), project["dependencies"])
    return {normal(re.split(r"[^\w.-]", each)[0]) for each in wanted}


def failures(environment: Path, arguments: Sequence[str], overlay: tuple[str, str] | None = None) -> set[str]:
    """Run pytest in an environment, one distribution laid over it at another version; the ids of the tests that fail.

    All of `arguments` count as failing where an overlay lets pytest not even begin: the versions do not fit together.
    """
    with tempfile.TemporaryDirectory() as folder:
        paths = [str(ROOT), str(ROOT / "scripts")]
        if overlay:
            target = ("--target", f"{folder}/overlay", "==".join(overlay))
            if subprocess.run([*pip(environment), "install", "--quiet", "--no-deps", *target], check=False).returncode:
                return set(arguments)
            paths.insert(0, f"{folder}/overlay")
        variables = {"HF_HUB_OFFLINE": "1", "OMP_NUM_THREADS": "1", "PYTHONPATH": os.pathsep.join(paths)}
        variables["PATH"] = os.pathsep.join((str(environment), os.environ["PATH"]))
        pytest = [str(environment / "python"), "-m", "pytest", "-o", f"cache_dir={folder}/cache"]
        spread = () if overlay else ("--numprocesses", "2", "--dist", "worksteal")
        ended = subprocess.run([*pytest, *spread, *arguments], cwd=ROOT, env=os.environ | variables, check=False)
        if ended.returncode == 0:
            return set()
        failed = Path(folder) / "cache" / "v" / "cache" / "lastfailed"  # a file that cannot be imported counts as one
        if failed.exists():
            return set(json.loads(failed.read_text(encoding="utf-8")))
        if not overlay:
            sys.exit(f"error: pytest could not run the tests in {environment.parent}, see above")
        return set(arguments)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
