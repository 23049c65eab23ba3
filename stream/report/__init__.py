"""The terminal report: the live view of a run and the printed report of its results."""

from __future__ import annotations

from stream.report.console import DISPLAYS, make_console
from stream.report.live.view import View, open_view
from stream.report.terminal.summary import SECTIONS, print_report

__all__ = ["DISPLAYS", "SECTIONS", "View", "make_console", "open_view", "print_report"]
