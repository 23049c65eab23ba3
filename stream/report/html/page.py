"""The whole page: its parts in reading order, its style and its one script inside it, and a policy against all else."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping
from typing import Any

from stream.report.console import Page
from stream.report.html import facts
from stream.report.html.badge import tones
from stream.report.html.forgetting import forgetting
from stream.report.html.growth import growth
from stream.report.html.league import headline, league
from stream.report.html.markup import Markup, join, tag
from stream.report.html.matrix import matrices
from stream.report.html.record import Record
from stream.report.html.script import SCRIPT
from stream.report.html.style import STYLE
from stream.report.html.tasks import scores
from stream.report.html.trade_off import trade_off
from stream.report.terminal.header import title

PAGE = Page(width=120, colour=True, ascii=False)  # what the functions that write numbers ask of a page


def page(results: Mapping[str, Any], record: Record) -> str:
    """The report as one HTML file.

    Args:
        results: The document as read from results.json, schema 1; everything in it is escaped.
        record: What else the folder of the run tells.
    """
    body = [
        tag("header", tag("h1", "taskstream"), tag("p", title(results, PAGE), class_="subject"),
            tag("p", headline(results, PAGE), class_="lead"), facts.cautions(results)),
        contents(results),
        tag(
            "main",
            league(results, PAGE),
            facts.failed(results),
            tag("div", growth(results, PAGE), trade_off(results, PAGE), class_="pair"),
            matrices(results, record, PAGE),
            forgetting(results, PAGE),
            scores(results, PAGE),
            facts.cost(results, PAGE),
            facts.about(results, record, PAGE),
        ),
    ]  # fmt: skip
    return f"<!DOCTYPE html>\n{tag('html', head(results), tag('body', body, script()), lang='en')}\n"


def head(results: Mapping[str, Any]) -> Markup:
    """Nothing may be loaded, and no script may run but the one of this page: names come from outside."""
    digest = base64.b64encode(hashlib.sha256(SCRIPT.encode()).digest()).decode()
    policy = f"default-src 'none'; style-src 'unsafe-inline'; script-src 'sha256-{digest}'; base-uri 'none'"
    return tag(
        "head",
        tag("meta", charset="utf-8"),
        tag("meta", http_equiv="Content-Security-Policy", content=policy),
        tag("meta", name="viewport", content="width=device-width, initial-scale=1"),
        tag("meta", name="color-scheme", content="light dark"),
        tag("title", f"taskstream: {title(results, PAGE)}"),
        tag("style", Markup(STYLE + tones())),
    )


def script() -> Markup:
    return tag("script", Markup(SCRIPT))


def contents(results: Mapping[str, Any]) -> Markup:
    """Links to the parts."""
    parts = {
        "league": "league", "growth": "growth", "trade-off": "trade-off", "matrices": "matrices",
        "forgetting": "forgetting", "tasks": "tasks", "cost": "cost", "run": "what ran",
    }  # fmt: skip
    if facts.failed(results) is not None:
        parts = {"league": "league", "failures": "failures", **parts}
    return tag("nav", join([join(tag("a", words, href=f"#{place}"), " ") for place, words in parts.items()]))
