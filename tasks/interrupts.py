"""Ctrl-C while a compiled library is at work: held back until it is done."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType


@contextmanager
def interrupt_later() -> Iterator[None]:
    """Hold SIGINT back until the block ends.

    A KeyboardInterrupt that Python raises inside safetensors' calls back to it comes out as another error, such as a
    tensor of unknown shape, which would be taken for a damaged file.
    """
    if threading.current_thread() is not threading.main_thread():  # signals come to the main thread alone
        yield
        return
    held: list[int] = []

    def hold(number: int, frame: FrameType | None) -> None:
        held.append(number)

    before = signal.signal(signal.SIGINT, hold)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, signal.SIG_DFL if before is None else before)  # None: set outside Python
        if held:
            signal.raise_signal(signal.SIGINT)
