"""`verify`: the proof of a run, checked."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from stream.api.readers import bad
from tasks.errors import InputErrors

if TYPE_CHECKING:  # seconds
    from stream.verification.verdict import Verdict

WHERE = "verify()"


def verify(
    folder: str | Path,
    *,
    rerun: int | Literal["all"] = 0,
    seed: int = 0,
    store: str | Path | None = None,
    plugins: str | Path | Sequence[str | Path] = (),
    progress: Callable[[str], None] = lambda text: None,
) -> Verdict:
    """Check the proof of a run: ledger, keys, Deltas, every cell of R, results, data and backbone. Only reads.

        verdict = verify("runs/first", rerun=20)
        verdict.passed, verdict.findings

    Args:
        folder: Folder of the run, finished or not, or a copy of it.
        rerun: Number of cells of R to evaluate again from the stored Deltas, or "all". Default: 0.
        seed: Seed for the choice of these cells. Default: 0.
        store: The run's store, if it lies neither in the folder nor where the settings say. Default: none.
        plugins: Files of the plug-ins that the run used. They are run, so nothing takes them from the folder itself.
            Default: none.
        progress: Function that is called with what is being checked, a text. Default: none.

    Returns:
        What was checked, and every difference that was found; `passed` if there is none.

    Raises:
        MissingPlugin: The run used plug-ins that were not given, or have other content; an InputError.
        InputError: There is no run, or one of another version; or `rerun` needs data that are not here.
    """
    errors = []
    if not isinstance(folder, str | Path):
        errors.append(bad("folder", folder, "a path", WHERE))
    if store is not None and not isinstance(store, str | Path):
        errors.append(bad("store", store, "a path", WHERE))
    if rerun != "all" and (not isinstance(rerun, int) or isinstance(rerun, bool) or rerun < 0):
        errors.append(bad("rerun", rerun, "a number of cells from 0, or 'all'", WHERE))
    if not isinstance(seed, int) or isinstance(seed, bool):
        errors.append(bad("seed", seed, "a whole number", WHERE))
    if not callable(progress):
        errors.append(bad("progress", progress, "a function of one text", WHERE))
    files = [plugins] if isinstance(plugins, str | Path) else plugins
    if not isinstance(files, Sequence) or not all(isinstance(file, str | Path) for file in files):
        errors.append(bad("plugins", plugins, "a path or a list of paths", WHERE))
    if errors:
        raise InputErrors(errors)
    from stream.plugins.load import load_plugins
    from stream.verification.checks import verify as check

    cells = None if rerun == "all" else rerun
    with load_plugins(files).in_use():
        return check(folder, store=store, rerun=cells, seed=seed, progress=progress)
