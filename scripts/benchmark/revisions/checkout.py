"""A revision of this repository in a temporary folder, as a git worktree."""

from __future__ import annotations

import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from benchmark.process import ROOT
from tasks.errors import InputError


@contextmanager
def checkout(revision: str) -> Iterator[Path]:
    """The folder of a revision inside a `with` block. The worktree is removed at the end.

    SIGTERM ends the block like an exception. A process that is killed leaves its worktree behind; `git worktree list`
    shows it.

    Args:
        revision: Any name of a commit that git knows.

    Raises:
        InputError: git or the repository's history is missing, or there is no such revision.
    """
    commit = commit_of(revision)
    before = signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(128 + number))
    try:
        with tempfile.TemporaryDirectory(prefix="revision-") as folder:
            tree = Path(folder).resolve() / commit[:12]
            _git("worktree", "add", "--detach", "--quiet", str(tree), commit)
            try:
                yield tree
            finally:
                _git("worktree", "remove", "--force", str(tree))
    finally:
        signal.signal(signal.SIGTERM, before)


def commit_of(revision: str) -> str:
    """The commit id of a revision.

    Raises:
        InputError: As for `checkout`.
    """
    return _git("rev-parse", "--verify", "--quiet", "--end-of-options", f"{revision}^{{commit}}")


def described() -> str:
    """The state of the working tree: the short id of its commit, and whether tracked files differ from it."""
    changed = _git("status", "--porcelain", "--untracked-files=no")
    return _git("rev-parse", "--short", "HEAD") + (" with changes" if changed else "")


def _git(*arguments: str) -> str:
    """The output of a git command in this repository, without space at its ends."""
    try:
        done = subprocess.run(["git", "-C", str(ROOT), *arguments], capture_output=True, text=True)
    except FileNotFoundError:
        raise InputError("git is not installed", where=f"git {arguments[0]}") from None
    if done.returncode:
        said = " ".join(done.stderr.split())[:200] or "git does not know it"
        raise InputError("git failed", where=f"git {' '.join(arguments)} in {ROOT}", found=said)
    return done.stdout.strip()
