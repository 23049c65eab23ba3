"""`verify`: check the proof of a run."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from stream.api.readers import bad, read_files
from stream.errors import checks_arguments, errors_pass
from stream.study.members import FILE
from tasks.errors import InputError, InputErrors

if TYPE_CHECKING:  # importing it takes seconds
    from stream.verification.verdict import Verdict

WHERE = "verify()"


@checks_arguments
def verify(
    folder: str | Path,
    *,
    rerun: int | Literal["all"] = 0,
    seed: int = 0,
    store: str | Path | None = None,
    plugins: str | Path | Sequence[str | Path] = (),
    progress: Callable[[str], None] = lambda text: None,
) -> Verdict | Any:
    """Check the proof of a run: ledger, keys, Deltas, every cell of R, results, data and backbone. It only reads.

    Of a study, it checks each member so, and that study.json is what their results give.

        verdict = verify("runs/first", rerun=20)
        verdict.passed, verdict.findings

    Args:
        folder: Folder of the run or of the study, finished or not, or a copy of it.
        rerun: Number of cells of R to evaluate again from the stored Deltas, or "all"; the same share of the validation
            scores that chose epochs and alternatives is computed again. Default: 0. Of a study: of each member.
        seed: Seed for the choice of these cells. Default: 0.
        store: The run's store. Default: the folder store in `folder`, or the one in the run's settings.
        plugins: Files of the plug-ins that the run used. They are executed, so `verify` never takes them from the
            folder itself. Default: none.
        progress: Function that is called with what is being checked, a text. Its errors end the call. Default: none.

    Returns:
        What was checked, and all differences that were found: a `Verdict`, or a `StudyVerdict` of the members of a
        study. `passed` is true if there are none.

    Raises:
        MissingPlugin: The run used plug-ins that are not given, or that have other content. It is an InputError.
        InputError: The folder contains no run, or a run of another version, or data for `rerun` are missing.
    """
    errors: list[InputError] = []
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
    try:
        files = read_files("plugins", plugins, WHERE)
    except InputError as error:
        errors += error.errors
    if errors:
        raise InputErrors(errors)
    from stream.plugins.load import load_plugins
    from stream.verification.checks import verify as check

    cells = None if rerun == "all" else rerun
    with errors_pass(progress) as told, load_plugins(files).in_use():
        if (Path(folder) / FILE).is_file():
            from stream.verification.study import verify_study

            return verify_study(folder, store=store, rerun=cells, seed=seed, progress=told)
        return check(folder, store=store, rerun=cells, seed=seed, progress=told)
