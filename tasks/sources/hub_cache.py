"""Load a data set of the hub at one commit, from the cache of `datasets` if possible.

The library alone is not enough: offline it uses the commit that was cached last, and reports this only in a log.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tasks.errors import InputError
from tasks.network import COMMIT, http_error

Splits = Mapping[str, Any]  # split name -> datasets.Dataset
UNREACHABLE = "the hub cannot be reached and the data is not in its cache"
VERSION = "0.0.0"  # version in the paths of the cache, for data without a version


def commit_of(repository: str, revision: str | None, reachable: bool) -> str:
    """The commit of a branch or tag, from the hub, or from the cache if the hub is not reachable.

    Args:
        repository: OWNER/NAME.
        revision: Branch, tag or commit; None: the default branch. A full commit is returned as it is.
        reachable: Whether the hub can be reached.

    Raises:
        InputError: The repository or revision does not exist, or is not in the cache and the hub cannot be reached.
    """
    from huggingface_hub import HfApi, constants, hf_hub_download
    from huggingface_hub.errors import EntryNotFoundError

    if revision is not None and COMMIT.fullmatch(revision):
        return revision
    where = f"hub {repository}" + (f"@{revision}" if revision else "")
    with _hub_errors(where, reachable):
        # Download the data card, which `datasets` needs anyway. Its folder in the cache has the name of the commit.
        try:
            card = hf_hub_download(
                repository, "README.md", repo_type="dataset", revision=revision, local_files_only=not reachable
            )
            return Path(card).parent.name
        except EntryNotFoundError:  # no card, or not in the cache; the cache still records the commit
            if reachable:
                return str(HfApi().dataset_info(repository, revision=revision).sha)
            cache = Path(constants.HF_HUB_CACHE) / f"datasets--{repository.replace('/', '--')}"
            return (cache / "refs" / (revision or constants.DEFAULT_REVISION)).read_text(encoding="ascii")


def splits_of(repository: str, configuration: str | None, commit: str, reachable: bool) -> Splits:
    """The splits of a configuration at a commit. Downloads them if they are not in the cache.

    All rows are loaded, even if a run uses a sample. The content of all rows decides which rows are drawn and which are
    held out, so the first rows of a streamed download are not enough.

    Args:
        repository: OWNER/NAME.
        configuration: Configuration of the data set; None: the default one.
        commit: Full commit.
        reachable: Whether the hub can be reached.

    Raises:
        InputError: The data is not in the cache, and the hub cannot be reached or returns an error.
    """
    import datasets

    where = f"hub {repository}@{commit}" + (f" ({configuration})" if configuration else "")
    cached = _cached(repository, configuration, commit)
    if cached is None and not reachable:
        raise _unreachable(where)
    if cached is None:
        with _hub_errors(where, reachable):
            datasets.load_dataset(repository, configuration, revision=commit)
            # If the connection fails here, `datasets` may return another commit. So read the commit from the cache.
            cached = _cached(repository, configuration, commit)
    if cached is None:
        expected = f"configuration {configuration or 'default'}, version {VERSION}"
        raise InputError("the hub gives another configuration or version", where=where, expected=expected)
    return cached


def _cached(repository: str, configuration: str | None, commit: str) -> Splits | None:
    from datasets.packaged_modules.cache.cache import Cache

    name = repository.rpartition("/")[2]
    builder = Cache(
        repo_id=repository, dataset_name=name, config_name=configuration or "default", version=VERSION, hash=commit
    )
    if not (Path(builder.cache_dir) / "dataset_info.json").is_file():
        return None
    found: Splits = builder.as_dataset()
    return found


@contextmanager
def _hub_errors(where: str, reachable: bool) -> Iterator[None]:
    """Turn errors of the hub's libraries in a `with` block into an InputError."""
    from datasets.exceptions import DatasetGenerationError, DatasetsError
    from huggingface_hub.errors import EntryNotFoundError, HfHubHTTPError, LocalEntryNotFoundError

    of_network = (ConnectionError, LocalEntryNotFoundError, http_error())
    try:
        yield
    except (OSError, ValueError, RuntimeError, EntryNotFoundError, DatasetsError, *of_network) as error:
        lost = isinstance(error, of_network) and not isinstance(error, HfHubHTTPError)  # the hub answered
        if lost or not reachable:
            raise _unreachable(where) from error
        cause = (error.__cause__ or error) if isinstance(error, DatasetGenerationError) else error
        found = f"{type(cause).__name__}: {' '.join(str(cause).split())[:160]}"
        fix = "check the revision, or use folder:DIR"
        raise InputError("cannot load this data from the hub", where=where, found=found, fix=fix) from error


def _unreachable(where: str) -> InputError:
    return InputError(UNREACHABLE, where=where, fix="run once with a network connection, or use folder:DIR")
