"""`taskstream replay DIR`: a run of the past once more before the eyes, from its ledger alone."""

from __future__ import annotations

import json
import math
import time
from pathlib import Path

from stream.report import make_console, open_view
from tasks.errors import InputError

LENGTH = 20.0  # seconds a replay takes if no speed is asked for; a shorter run takes its own time


def replay(folder: Path, speed: float | None, display: str) -> None:
    """Show the run again; where no person watches a terminal, all lines at once. Nothing is computed or written.

    Raises:
        InputError: No run there, a record that is not whole, or a speed that is none.
    """
    if speed is not None and not (math.isfinite(speed) and speed > 0):
        raise InputError("cannot go at this speed", where=f"--speed {speed:g}", expected="a number above 0, as 10")
    console = make_console(display)
    with console.status("loading libraries"):
        from stream.report.live.rich import LiveView
        from stream.report.playback import play, playback  # seconds
        from stream.verification.checks import whole_record

        evidence, run = whole_record(folder, lenient=True)
        moments = playback(evidence.events, run, str(folder))
    whole = moments[-1].at
    pace = speed or max(whole / LENGTH, 1.0)
    if display == "json":
        events = [{"at": moment.at, **moment.event} for moment in moments]
        print(json.dumps({"folder": str(folder), "seconds": whole, "events": events}))
        return
    with open_view(display, console, lambda: pace * time.monotonic()) as view:  # the run's own clock
        play(moments, view.handle, pace if isinstance(view, LiveView) else math.inf, time.monotonic, time.sleep)
