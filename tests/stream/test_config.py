"""Settings: layers and origins, all errors at once, TOML that reads back, and which may change in a folder."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stream.config import AMENDABLE, RunConfig, check_same_run, config_toml, resolve_config
from tasks.errors import InputErrors

words = st.text(st.characters(codec="utf-8", exclude_categories=["Cs"]), max_size=20)
given_settings = st.fixed_dictionaries(
    {},
    optional={
        "suite": words,
        "backbone": words,
        "out": words,
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
    special = {"columns": {"text": "sentence"}, "evaluate": "square", "dtype": "bfloat16", "learning_rate": 0.5}
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
