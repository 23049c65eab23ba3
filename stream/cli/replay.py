"""`taskstream replay FOLDER`: show a past run again as it happened, from its ledger alone."""

from __future__ import annotations

import json
import math
import time
from pathlib import Path

from stream.report import make_console, open_view
from tasks.errors import InputError

LENGTH = 20.0  # seconds that a replay takes if no speed is given; a shorter run is not slowed down


def replay(folder: Path, speed: float | None, display: str) -> None:
    """Show the run again. Without a terminal, print all lines at once. It computes nothing and writes nothing.

    Args:
        speed: How many times as fast as the run. None takes at most about `LENGTH` seconds.

    Raises:
        InputError: The folder contains no run, its record is incomplete, or the speed is not a positive number.
    """
    if speed is not None and not (math.isfinite(speed) and speed > 0):
        raise InputError("bad value of --speed", expected="a number above 0, for example 10", found=f"{speed:g}")
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
    with open_view(display, console, lambda: pace * time.monotonic()) as view:  # time as in the run
        play(moments, view.handle, pace if isinstance(view, LiveView) else math.inf, time.monotonic, time.sleep)
