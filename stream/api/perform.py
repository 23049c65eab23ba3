"""`perform`: what a call asks for, a run or a study."""

from __future__ import annotations

from stream.api.arguments import Call
from stream.api.session import perform_run
from stream.results.results import Results
from stream.study.study import Study


def perform(call: Call) -> Results | Study:
    """Run or continue a stream, or all members of a study, and show it as `call.display` says.

    Raises:
        InputError, RunFailed, KeyboardInterrupt: As in `stream.engine.engine.run_stream`.
    """
    if call.grid is None:
        return perform_run(call)
    from stream.api.study import perform_study

    return perform_study(call, call.grid)
