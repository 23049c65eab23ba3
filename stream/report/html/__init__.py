"""The report of a run as one HTML file that needs nothing else: no network, no script to be read."""

from __future__ import annotations

from stream.report.html.page import page
from stream.report.html.record import Record, read_record

__all__ = ["Record", "page", "read_record"]
