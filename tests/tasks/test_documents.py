"""JSON documents and paths of users: whatever is in them, a value or one clear line."""

from __future__ import annotations

import json
from pathlib import Path
from unittest.mock import patch

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks import documents
from tasks.documents import read_object
from tasks.errors import InputError
from tasks.paths import user_path


def test_an_object_is_read(tmp_path: Path) -> None:
    file = tmp_path / "a.json"
    file.write_text('\ufeff{"a": [1, "é"], "b": {"c": null}}', encoding="utf-8")
    assert read_object(file) == {"a": [1, "é"], "b": {"c": None}}


@pytest.mark.parametrize(
    ("content", "found"),
    [
        ("", "Expecting value"),
        ("[1]", "a list"),
        ('{"a": Infinity}', "Infinity, which is not JSON"),
        ('{"a": "\\udc00"}', "surrogates not allowed"),
        ('{"a":' * 100_000, "nested too deep"),
        ('{"a": ' + "9" * 5000 + "}", "integer string conversion"),
    ],
    ids=["empty", "list", "infinity", "surrogate", "deep", "long number"],
)
def test_what_is_no_document_is_one_line(tmp_path: Path, content: str, found: str) -> None:
    file = tmp_path / "a.json"
    file.write_text(content, encoding="utf-8")
    with pytest.raises(InputError, match=f"damaged thing; expected a JSON object; found .*{found}") as caught:
        read_object(file, what="damaged thing")
    assert caught.value.where == str(file)
    assert "\n" not in str(caught.value)


def test_a_document_has_a_limit(tmp_path: Path) -> None:
    file = tmp_path / "a.json"
    file.write_text('{"a": "' + "x" * 100 + '"}')
    assert read_object(file)
    with patch.object(documents, "MAX_BYTES", 50), pytest.raises(InputError, match="more than 0 MB"):
        read_object(file)


@given(st.binary(max_size=40) | st.text(alphabet='{}[]":,a1eE-+.\\u', max_size=40).map(str.encode))
def test_any_bytes_are_an_object_or_an_input_error(tmp_path_factory: pytest.TempPathFactory, content: bytes) -> None:
    file = tmp_path_factory.mktemp("document") / "a.json"
    file.write_bytes(content)
    said = ""
    try:
        assert read_object(file) == json.loads(content.decode("utf-8-sig"))
    except InputError as error:
        said = str(error)
    assert "\n" not in said


def test_paths(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    assert user_path("~/x", where="--out") == tmp_path / "x"
    (tmp_path / "file").touch()
    assert user_path(str(tmp_path / "file" / "below"), where="--out") == tmp_path / "file" / "below"
    for text in ("a\0b", "x" * 300, "~no-such-user/x"):
        with pytest.raises(InputError, match="--out: cannot be a path; found"):
            user_path(text, where="--out")
