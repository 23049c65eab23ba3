"""The report of a run as one HTML file. It needs no network and no other file, and can be read without scripts.

The modules compute what the page shows. `templates/` holds its markup, style and script.
"""

from __future__ import annotations

from stream.report.html.page import page
from stream.report.html.record import Record, read_record

__all__ = ["Record", "page", "read_record"]
