"""The notation of specifications: parts outside braces, objects with few quotes and one text each."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from learners.specification.notation import parts, read_object, written

TEXTS = st.text(max_size=8) | st.text('{}[]",:=\\', max_size=4) | st.sampled_from(["query", "true", "1e3", "-1"])
LEAVES = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | TEXTS
VALUES = (
    LEAVES | st.lists(LEAVES, max_size=3) | st.dictionaries(TEXTS, LEAVES | st.lists(LEAVES, max_size=2), max_size=2)
)
OBJECTS = st.dictionaries(TEXTS, VALUES, max_size=3)


@given(OBJECTS)
def test_what_is_written_is_read_back(value: dict[str, object]) -> None:
    assert read_object(written(value)) == value
    assert read_object(json.dumps(value)) == value
    assert written(read_object(json.dumps(value, indent=1))) == written(value)


@given(st.lists(OBJECTS.map(written) | st.sampled_from(["head", "topk:2", "a=1e+3"]), min_size=1, max_size=4))
def test_objects_are_never_split(pieces: list[str]) -> None:
    assert parts(",".join(pieces), ",") == pieces
    assert parts(":".join(pieces), ":") == [
        part for piece in pieces for part in ([piece] if "{" in piece else piece.split(":"))
    ]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("{r=4}", {"r": 4}),
        ("{a=b, c: [d, 1.5, true, null, 0x1, 01, -]}", {"a": "b", "c": ["d", 1.5, True, None, "0x1", "01", "-"]}),
        ('{a="1", "b": "{,}=:"}', {"a": "1", "b": "{,}=:"}),
        ("{a={b=c}}", {"a": {"b": "c"}}),
        (r"{a=.*\.q}", {"a": r".*\.q"}),
    ],
)
def test_examples(text: str, value: dict[str, object]) -> None:
    assert read_object(text) == value


@pytest.mark.parametrize(
    "text", ["", "{", "{}}", "[1]", "r=4", "{r=}", "{r=4", '{"r', "{a b=c}", "{a=b c}", "{1=2}", "{=1}"]
)
def test_what_is_no_object_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="a JSON object"):
        read_object(text)
