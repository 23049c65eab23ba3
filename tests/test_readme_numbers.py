"""The numbers in the pages are those that were measured, and readme_numbers.py finds each one that is not."""

from __future__ import annotations

import importlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from stream import InputError
from tests.end_to_end.test_experiments import SCRIPTS, call

ROOT = Path(__file__).parents[1]
PAGE = """# Example
It took 7 s. <!-- numbers: one.run -->
```
echo '{"score": 0.5}' > out.json; echo; seq 2 4
3
```
The score falls
from 0.9 to 0.4 points. See [more](more.md#there) and [elsewhere](https://example.org/a.md).
"""
MORE = "<!-- numbers: one.table -->\n| 1 |\n<!-- end -->\n"
ENTRY = {
    "steps": [
        {"name": "run", "lines": ["echo '{\"score\": 0.5}' > out.json; echo; seq 2 4"], "from": "3", "to": "^4"},
        {"name": "table", "lines": ["echo '| 1 |'"], "quiet": True},
    ],
    "values": {"score": ["out.json", "score"], "high": ["out.json", "score"]},
    "sentences": [{"page": "README.md", "sentence": "falls from {high:.1f} to {score:.2f} points"}],
}


@pytest.fixture(scope="module")
def script() -> Iterator[Any]:
    """Modules of scripts/experiments by name."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(SCRIPTS))
        yield importlib.import_module


@pytest.fixture
def pages(tmp_path: Path) -> tuple[str, ...]:
    """Options for two pages and one entry that is not measured yet."""
    (tmp_path / "README.md").write_text(PAGE, encoding="utf-8")
    (tmp_path / "more.md").write_text(MORE, encoding="utf-8")
    (tmp_path / "numbers").mkdir()
    (tmp_path / "numbers" / "one.json").write_text(json.dumps(ENTRY), encoding="utf-8")
    return "--root", str(tmp_path), "--folder", str(tmp_path / "numbers")


def test_the_pages_agree_with_the_stored_numbers(script: Any) -> None:
    module = script("readme_numbers")
    assert [*module.problems(ROOT, module.FOLDER)] == []
    assert module.stored(module.FOLDER), "nothing is stored, so nothing was checked"


def test_measure_write_check(pages: tuple[str, ...], tmp_path: Path) -> None:
    before = call("readme_numbers", *pages)
    assert before.code == 1
    assert "README.md: nothing is stored for block one.run" in before.err
    assert "numbers/one.json: not measured" in before.err
    page, file = tmp_path / "README.md", tmp_path / "numbers" / "one.json"
    measured = call("readme_numbers", *pages, "--run", "one")
    assert measured.code == 1  # the pages have other numbers still
    assert "block one.run is not numbers/one.json: it has 2 lines, stored are 3" in measured.err
    assert "does not say, as numbers/one.json does: falls from 0.5 to 0.50 points" in measured.err
    entry = json.loads(file.read_text(encoding="utf-8"))
    assert {key: entry[key] for key in ENTRY} == ENTRY
    assert entry["measured"]["values"] == {"score": 0.5, "high": 0.5}
    assert entry["measured"]["machine"]["cores"] >= 1
    written = call("readme_numbers", *pages, "--write")
    assert (written.code, written.err) == (0, "")
    text = page.read_text(encoding="utf-8")
    assert text == PAGE.replace("\n3\n", "\n3\n4\n").replace("0.9 to 0.4", "0.5 to 0.50")
    assert "one" in call("readme_numbers", *pages, "--list").out
    for wrong in (text.replace("\n4\n", "\n5\n"), text.replace("0.50", "0.51"), text.replace("one.run", "one.walk")):
        page.write_text(wrong, encoding="utf-8")
        assert call("readme_numbers", *pages).code == 1
    page.write_text(text, encoding="utf-8")
    assert call("readme_numbers", *pages).code == 0


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"steps": [{"lines": ["false"]}]}, "a command failed"),
        ({"steps": [{"name": "run", "lines": ["echo a"], "from": "b"}]}, "no such lines"),
        ({"values": {"score": ["out.json", "other"]}}, "no such value"),
        ({"values": {"score": ["out.json"]}}, "not a single value"),
    ],
)
def test_what_measuring_refuses(change: dict[str, Any], words: str, pages: tuple[str, ...], tmp_path: Path) -> None:
    (tmp_path / "numbers" / "one.json").write_text(json.dumps({**ENTRY, **change}), encoding="utf-8")
    answer = call("readme_numbers", *pages, "--run", "one")
    assert answer.code == 2
    assert words in answer.err
    assert "measured" not in json.loads((tmp_path / "numbers" / "one.json").read_text(encoding="utf-8"))


def test_sentences(script: Any) -> None:
    """A sentence may be broken anywhere; a number that only begins with the stored one is another."""
    pages = script("pages")
    text = "Adapters reach 61.2 points\nin 2m 3s here, and 61.25 there."
    sentence = "reach {score:.1f} points in {time} here"
    assert pages.says(text, sentence, {"score": 61.2, "time": "2m 3s"})
    assert not pages.says(text, sentence, {"score": 61.3, "time": "2m 3s"})
    assert not pages.says(text, "and {score:.1f}", {"score": 61.2})
    changed = pages.with_sentence(text, sentence, {"score": 7.0, "time": "8s"}, "page")
    assert changed == "Adapters reach 7.0 points\nin 8s here, and 61.25 there."
    for wrong in ("reach {score:.1f} metres", "and {score:.1f}", "{score:.1f} points"):
        with pytest.raises(InputError):
            pages.with_sentence(text, wrong, {"score": 7.0}, "page")
    with pytest.raises(InputError, match="no such value"):
        pages.says(text, sentence, {"score": 61.2})
    with pytest.raises(InputError, match="no end"):
        [*pages.blocks("<!-- numbers: a.b -->\ntext", "page")]
