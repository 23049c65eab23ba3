"""Which console is made for which output, and what a page says of it."""

from __future__ import annotations

import io

import pytest

from stream.report import make_console, open_view
from stream.report.console import page_of
from stream.report.live.plain import PlainView
from stream.report.live.rich import LiveView
from tasks.errors import InputError

from .rendering import Output


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("CI", "NO_COLOR", "COLUMNS", "FORCE_COLOR", "TTY_COMPATIBLE", "TTY_INTERACTIVE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TERM", "xterm-256color")


def test_a_terminal_gets_colour_and_the_live_view() -> None:
    console = make_console("rich", file=Terminal())
    assert page_of(console).colour
    assert isinstance(open_view("rich", console), LiveView)


@pytest.mark.parametrize(("name", "value"), [("CI", "true"), ("TERM", "dumb")])
def test_plain_is_automatic(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    monkeypatch.setenv(name, value)
    console = make_console("rich", file=Terminal())
    assert not page_of(console).colour
    assert isinstance(open_view("rich", console), PlainView)


def test_a_pipe_gets_plain_text() -> None:
    console = make_console("rich", file=io.StringIO())
    assert not page_of(console).colour
    assert isinstance(open_view("rich", console), PlainView)


def test_no_color_takes_the_colour_and_leaves_the_live_view(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    console = make_console("rich", file=Terminal())
    assert not page_of(console).colour
    assert isinstance(open_view("rich", console), LiveView)


def test_columns_is_honoured_and_width_wins(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "97")
    assert page_of(make_console("plain", file=io.StringIO())).width == 97
    assert page_of(make_console("plain", width=120, file=io.StringIO())).width == 120


def test_other_encodings_than_utf8_get_ascii() -> None:
    page = page_of(make_console("plain", file=Output("latin-1")))
    assert page.ascii
    assert page.text("été") == "?t?"
    assert page.missing == "-"
    assert not page_of(make_console("plain", file=Output("utf-8"))).ascii


@pytest.mark.parametrize("display", ["json", "none"])
def test_json_and_none_are_silent(display: str) -> None:
    file = io.StringIO()
    console = make_console(display, file=file)
    with open_view(display, console) as view:
        view.handle({"event": "notice", "message": "hello"})
    console.print("hello")
    assert file.getvalue() == ""


def test_an_unknown_display_is_a_clear_error() -> None:
    with pytest.raises(InputError, match="did you mean rich"):
        make_console("ritch")
    with pytest.raises(InputError, match="did you mean plain"):
        open_view("plein", make_console("plain", file=io.StringIO()))
