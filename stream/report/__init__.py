"""Everything that shows a run: the live view, the printed report, the HTML page, and plots for papers.

live/ shows a run while it goes on. terminal/ prints results, html/ writes them as one file, plots.py as pictures.
playback.py turns a ledger back into events for the live view. All parts share the other files: numbers, names, colours.

Other packages may import the names in `__all__`, and `page`, `read_record` (html/), `write` (plots.py), `playback` and
`play` (playback.py), and the comparison tables (terminal/comparison.py).
"""

from __future__ import annotations

from stream.report.console import DISPLAYS, make_console
from stream.report.live.view import View, open_view
from stream.report.terminal.summary import SECTIONS, print_report

__all__ = ["DISPLAYS", "SECTIONS", "View", "make_console", "open_view", "print_report"]
