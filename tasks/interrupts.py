"""Delay Ctrl-C (SIGINT) until a call of a compiled library has ended."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType


@contextmanager
def interrupt_later() -> Iterator[None]:
    """Delay SIGINT until the `with` block ends.

    safetensors calls Python code. A KeyboardInterrupt in that code would come out as another error, such as a tensor of
    unknown shape, and the file would seem to be damaged.
    """
    if threading.current_thread() is not threading.main_thread():  # only the main thread receives signals
        yield
        return
    delayed: list[int] = []

    def delay(number: int, frame: FrameType | None) -> None:
        delayed.append(number)

    before = signal.signal(signal.SIGINT, delay)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, signal.SIG_DFL if before is None else before)  # None: not set by Python
        if delayed:
            signal.raise_signal(signal.SIGINT)
