"""Test with the newest versions that pyproject.toml allows. `scripts/test --newest` runs this.

It makes a second environment, .venv-newest, prints the distributions that are newer than in requirements.lock, and runs
the suite there. Some tests may fail there and pass with the locked versions. For these it looks for the distribution
that breaks them: it sets one distribution at a time to its locked version, those in pyproject.toml first, until the
test passes.
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
    """Run the search and return the exit code: 1 if a newer version breaks a test.

    Args:
        arguments: Arguments of pytest, in every environment.
    """
    install()
    locked, newest = versions(LOCKED), versions(NEWEST)
    changes = {name: (locked[name], newest[name]) for name in newest if locked.get(name, newest[name]) != newest[name]}
    print(f"{len(changes)} distributions are newer than in requirements.lock:", *map(line, changes.items()), sep="\n  ")
    if not changes:
        return 0
    failing = failures(NEWEST, arguments)
    failing -= failures(LOCKED, sorted(failing)) if failing else set()
    if not failing:
        print("no test fails with them; to use them, run the command at the top of requirements.lock with --upgrade")
        return 0
    print(f"{len(failing)} tests fail only with the newest versions; looking for the one that breaks them")
    left = failing
    for name in sorted(changes, key=lambda name: (name not in named_in_pyproject(), name)):
        if not left:
            break
        broken = left - failures(NEWEST, sorted(left), overlay=(name, changes[name][0]))
        if broken:
            print(f"{line((name, changes[name]))} breaks", *sorted(broken), sep="\n  ")
            left = left - broken
    if left:
        print("no single distribution breaks these tests, so several together do:", *sorted(left), sep="\n  ")
    return 1


def line(change: tuple[str, tuple[str, str]]) -> str:
    """A change of a version as text: `name old -> new`."""
    name, (old, new) = change
    return f"{name} {old} -> {new}"


def install() -> None:
    """Make the second environment, or update it to the newest versions."""
    if not (NEWEST / "python").exists():
        subprocess.run([LOCKED / "python", "-m", "venv", NEWEST.parent], check=True)
    eager = ("--upgrade", "--upgrade-strategy", "eager")
    subprocess.run([*pip(NEWEST), "install", "--quiet", *eager, "--editable", EXTRAS], check=True, cwd=ROOT)


def pip(environment: Path) -> list[str]:
    return [str(environment / "python"), "-m", "pip", "--disable-pip-version-check"]


def versions(environment: Path) -> dict[str, str]:
    """Version of each distribution in an environment, by normalised name."""
    listed = subprocess.run([*pip(environment), "list", "--format", "json"], check=True, capture_output=True, text=True)
    return {normal(each["name"]): each["version"] for each in json.loads(listed.stdout)}


def normal(name: str) -> str:
    """Normalise the name of a distribution as in PEP 503."""
    return re.sub(r"[-_.]+", "-", name).lower()


def named_in_pyproject() -> set[str]:
    """Normalised names of the distributions in pyproject.toml, extras included."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    wanted: Iterable[str] = sum(project["optional-dependencies"].values(), project["dependencies"])
    return {normal(re.split(r"[^\w.-]", each)[0]) for each in wanted}


def failures(environment: Path, arguments: Sequence[str], overlay: tuple[str, str] | None = None) -> set[str]:
    """Run pytest in an environment and return the ids of the tests that fail.

    Args:
        overlay: Name and version of one distribution to use instead of the environment's. Default: none. If pytest
            cannot start with it, the versions do not fit together, and all of `arguments` count as failing.
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
