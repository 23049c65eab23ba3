"""Settings: layers and origins, all errors at once, TOML that reads back, and which may change in a folder."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from learners.training import precision
from stream.config.resolve import resolve_config
from stream.config.same_run import AMENDABLE, check_same_run
from stream.config.settings import RunConfig
from stream.config.toml import config_toml
from tasks.errors import InputErrors

words = st.text(st.characters(codec="utf-8", exclude_categories=["Cs"]), max_size=20)
given_settings = st.fixed_dictionaries(
    {},
    optional={
        "suite": words,
        "backbone": words,
        # An empty path is refused, and so are a NUL character and the home folder of nobody.
        "out": words.filter(lambda text: text and "\0" not in text and not text.startswith("~")),
        "seed": st.integers(0, 2**63 - 1),
        "epochs": st.integers(0, 10_000),
        "learning_rate": st.floats(0, 1, exclude_min=True),
        "train_examples": st.integers(1, 10**9),
        "evaluate": st.sampled_from(["full", "audited", "square"]),
        "columns": st.dictionaries(words, words, max_size=3),
        "workers": st.integers(1, 256),
    },
)


def test_layers_win_in_turn_and_tell_where_a_value_came_from(tmp_path: Path) -> None:
    file = tmp_path / "a.toml"
    file.write_text('seed = 3\nepochs = 7\n[columns]\ntext = "sentence"\n')
    config, origins = resolve_config({"epochs": 9, "batch_size": None}, file)
    assert (config.seed, config.epochs, config.batch_size) == (3, 9, None)
    assert config.columns == {"text": "sentence"}
    assert origins["seed"] == origins["columns"] == f"file {file}"
    assert origins["epochs"] == "command line"
    assert origins["batch_size"] == origins["suite"] == "default"
    file.write_text(file.read_text(), encoding="utf-8-sig")  # with a byte order mark, as some editors write it
    assert resolve_config({"epochs": 9}, file)[0] == config


def test_all_errors_at_once(tmp_path: Path) -> None:
    file = tmp_path / "a.toml"
    file.write_text('epoch = 7\nevaluate = "sometimes"\n')
    with pytest.raises(InputErrors) as caught:
        resolve_config({"seed": -1, "learning_rate": float("nan"), "workers": 0}, file)
    messages = [str(error) for error in caught.value.errors]
    assert len(messages) == 5
    for word, where in [("epoch", str(file)), ("evaluate", str(file)), ("seed", "command line")]:
        assert any(word in message and where in message for message in messages)
    assert any("did you mean epochs" in message for message in messages)
    assert all("\n" not in message for message in messages)


@pytest.mark.parametrize(
    ("content", "word"),
    [(b"seed = \n", "TOML"), (b"\xff\xfe", "TOML"), (None, "no such file"), ("folder", "cannot be read")],
)
def test_a_file_that_is_none(tmp_path: Path, content: bytes | str | None, word: str) -> None:
    file = tmp_path / "a.toml"
    if isinstance(content, bytes):
        file.write_bytes(content)
    elif content == "folder":
        file.mkdir()
    with pytest.raises(InputErrors, match=word) as caught:
        resolve_config({}, file)
    assert str(file) in str(caught.value)


@given(given_settings)
def test_the_written_settings_read_back(settings: dict[str, Any]) -> None:
    config, origins = resolve_config(settings)
    text = config_toml(config, origins)
    written = tomllib.loads(text)
    assert RunConfig(**written) == config
    assert all(f"# {origins[key]}" in text for key in settings if key != "columns")


@pytest.mark.parametrize("key", sorted(set(RunConfig.model_fields) - AMENDABLE))
def test_what_a_row_rests_on_may_not_change(tmp_path: Path, key: str) -> None:
    special = {
        "columns": {"text": "sentence"},
        "evaluate": "square",
        "dtype": "bfloat16",
        "learning_rate": 0.5,
        "device": "mps",
    }
    special |= {"select": "halving", "scope": "twin"}
    other: Any = special.get(key, "other" if RunConfig.model_fields[key].annotation is str else 8)
    path = tmp_path / "config.toml"
    path.write_text(config_toml(*resolve_config({})))
    with pytest.raises(InputErrors, match=f"{key} differs") as caught:
        check_same_run(path, RunConfig(**{key: other}))
    assert str(path) in str(caught.value)
    assert repr(other) in str(caught.value)


def test_more_of_the_same_may_be_asked_for(tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    check_same_run(path, RunConfig())
    path.write_text(config_toml(*resolve_config({"epochs": 3})))
    check_same_run(path, RunConfig(epochs=3, suite="cola", learners="head", order="seed:1", workers=7, store="s"))
    check_same_run(path, RunConfig(epochs=3, unseen_labels="refuse"))  # the same data, or an error about them


X86 = "processor\t: 0\nflags\t\t: fpu sse2 avx512f{}\n\nprocessor\t: 1\nflags\t\t: fpu\n"
ARM = "processor\t: 0\nFeatures\t: fp asimd{}\n"


@pytest.mark.parametrize(
    ("cpuinfo", "expected"),
    [
        (X86.format(" avx512_bf16"), "bfloat16"),
        (X86.format(" amx_bf16 amx_tile"), "bfloat16"),
        (X86.format(" avx512_vnni"), "float32"),
        (ARM.format(" bf16"), "bfloat16"),
        (ARM.format(""), "float32"),
        ("", "float32"),
        (None, "float32"),
    ],
)
def test_auto_is_the_dtype_of_the_processor(
    cpuinfo: str | None, expected: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "cpuinfo"
    if cpuinfo is not None:
        file.write_text(cpuinfo)
    monkeypatch.setattr(precision, "CPUINFO", file)
    config, origins = resolve_config({"dtype": "auto", "out": str(tmp_path / "run")})
    assert config.dtype == expected
    written = config_toml(config, origins)
    assert tomllib.loads(written)["dtype"] == expected
    assert f'dtype = "{expected}"  # command line: auto, what suits this processor\n' in written


def test_a_run_that_began_with_auto_goes_on_as_it_began(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """On another machine too, and with its config.toml as --config."""
    fast, slow = tmp_path / "fast", tmp_path / "slow"
    fast.write_text(X86.format(" avx512_bf16"))
    slow.write_text(X86.format(""))
    asked = {"dtype": "auto", "out": str(tmp_path)}
    for began, went_on in ((fast, slow), (slow, fast)):
        (tmp_path / "config.toml").unlink(missing_ok=True)
        monkeypatch.setattr(precision, "CPUINFO", began)
        first, origins = resolve_config(asked)
        (tmp_path / "config.toml").write_text(config_toml(first, origins))
        monkeypatch.setattr(precision, "CPUINFO", went_on)
        second, origins = resolve_config(asked)
        assert second == first
        assert origins["dtype"] == "command line: auto, as this run began"
        check_same_run(tmp_path / "config.toml", second)
        assert resolve_config({}, tmp_path / "config.toml")[0] == first


@pytest.mark.parametrize(("flag", "expected"), [(" amx_bf16", "bfloat16"), ("", "float32")])
def test_auto_in_a_file_in_the_folder_of_the_run_to_be(
    flag: str, expected: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No run began there yet; whatever lies in the default folder has no part in it."""
    (tmp_path / "cpuinfo").write_text(X86.format(flag))
    monkeypatch.setattr(precision, "CPUINFO", tmp_path / "cpuinfo")
    monkeypatch.chdir(tmp_path)
    for name, dtype in (("latest", "float32" if flag else "bfloat16"), ("mine", "auto")):
        (tmp_path / "runs" / name).mkdir(parents=True)
        (tmp_path / "runs" / name / "config.toml").write_text(f'dtype = "{dtype}"\n')
    file = Path("runs/mine/config.toml")
    config, origins = resolve_config({"out": "runs/mine"}, file)
    assert (config.dtype, origins["dtype"]) == (expected, f"file {file}: auto, what suits this processor")
    check_same_run(file, config)


def test_a_wrong_dtype_is_told_all_that_are_right() -> None:
    with pytest.raises(InputErrors, match="'float32' or 'bfloat16' or 'auto'"):
        resolve_config({"dtype": "float16"})


def test_true_is_no_number_and_an_empty_path_is_no_folder() -> None:
    given = {"seed": True, "epochs": False, "learning_rate": True, "suite": True, "out": "", "store": ""}
    with pytest.raises(InputErrors) as caught:
        resolve_config(given)
    assert {error.what.removeprefix("bad value of "): error.expected for error in caught.value.errors} == {
        "seed": "a number",
        "epochs": "a number",
        "learning_rate": "a number",
        "suite": "a text",
        "out": "a text that is not empty",
        "store": "a text that is not empty",
    }
