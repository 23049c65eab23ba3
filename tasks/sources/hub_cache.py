"""A data set of the hub at one commit, from the cache of `datasets` where that has it.

The library alone would not do: offline it takes whichever commit its cache got last, and says so in a log.
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
VERSION = "0.0.0"  # of data without a version of their own, in the cache's paths


def commit_of(repository: str, revision: str | None, reachable: bool) -> str:
    """The commit that a branch or tag names now, or named when the hub was last asked.

    Raises:
        InputError: There is no such repository or revision, or the hub cannot be reached and was never asked.
    """
    from huggingface_hub import HfApi, constants, hf_hub_download
    from huggingface_hub.errors import EntryNotFoundError

    if revision is not None and COMMIT.fullmatch(revision):
        return revision
    where = f"hub {repository}" + (f"@{revision}" if revision else "")
    with _told(where, reachable):
        # The card of a data set, which `datasets` reads as well; the cache has a folder for each commit.
        try:
            card = hf_hub_download(
                repository, "README.md", repo_type="dataset", revision=revision, local_files_only=not reachable
            )
            return Path(card).parent.name
        except EntryNotFoundError:  # there is none, or none in the cache, which still notes the commit asked for
            if reachable:
                return str(HfApi().dataset_info(repository, revision=revision).sha)
            cache = Path(constants.HF_HUB_CACHE) / f"datasets--{repository.replace('/', '--')}"
            return (cache / "refs" / (revision or constants.DEFAULT_REVISION)).read_text(encoding="ascii")


def splits_of(repository: str, configuration: str | None, commit: str, reachable: bool) -> Splits:
    """The splits of a configuration at a commit, fetched if the cache lacks them.

    Whole, also where a run will use a sample of the rows: which rows those are, and which are held out, follows from
    the content of all; the first rows of a stream would be others.

    Raises:
        InputError: It is not in the cache and the hub cannot be reached, or does not give it.
    """
    import datasets

    where = f"hub {repository}@{commit}" + (f" ({configuration})" if configuration else "")
    cached = _cached(repository, configuration, commit)
    if cached is None and not reachable:
        raise _unreachable(where)
    if cached is None:
        with _told(where, reachable):
            datasets.load_dataset(repository, configuration, revision=commit)
            # Should the hub go away meanwhile, what this gives may be of another commit: the cache's is not.
            cached = _cached(repository, configuration, commit)
    if cached is None:
        expected = f"configuration {configuration or 'default'}, version {VERSION}"
        raise InputError("the data does not come under its own name", where=where, expected=expected)
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
def _told(where: str, reachable: bool) -> Iterator[None]:
    """What the libraries raise in a `with` block, as one line; all of it derives from these classes."""
    from datasets.exceptions import DatasetGenerationError, DatasetsError
    from huggingface_hub.errors import EntryNotFoundError, HfHubHTTPError, LocalEntryNotFoundError

    of_network = (ConnectionError, LocalEntryNotFoundError, http_error())
    try:
        yield
    except (OSError, ValueError, RuntimeError, EntryNotFoundError, DatasetsError, *of_network) as error:
        lost = isinstance(error, of_network) and not isinstance(error, HfHubHTTPError)  # which is an answer
        if lost or not reachable:
            raise _unreachable(where) from error
        cause = (error.__cause__ or error) if isinstance(error, DatasetGenerationError) else error
        found = f"{type(cause).__name__}: {' '.join(str(cause).split())[:160]}"
        fix = "check the revision, or use folder:DIR"
        raise InputError("the hub does not give this data", where=where, found=found, fix=fix) from error


def _unreachable(where: str) -> InputError:
    return InputError(UNREACHABLE, where=where, fix="run once where there is a network, or use folder:DIR")
