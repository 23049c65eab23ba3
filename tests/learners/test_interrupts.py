"""Ctrl-C waits for a block that must not be disturbed, and comes then."""

from __future__ import annotations

import signal
import threading

import pytest

from tasks.interrupts import interrupt_later


def test_an_interrupt_comes_when_the_block_is_done() -> None:
    done = []

    def work() -> None:
        with interrupt_later():
            signal.raise_signal(signal.SIGINT)
            done.append("rest of the block")

    with pytest.raises(KeyboardInterrupt):
        work()
    assert done == ["rest of the block"]


def test_the_handler_is_the_same_afterwards() -> None:
    before = signal.getsignal(signal.SIGINT)
    with interrupt_later():
        assert signal.getsignal(signal.SIGINT) is not before
    assert signal.getsignal(signal.SIGINT) is before


def test_without_an_interrupt_errors_pass() -> None:
    with pytest.raises(OSError, match="disk"), interrupt_later():
        raise OSError("disk")


def test_other_threads_may_use_it() -> None:
    entered = []

    def work() -> None:
        with interrupt_later():
            entered.append(True)

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert entered == [True]
