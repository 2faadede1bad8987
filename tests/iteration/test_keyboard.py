"""The wait at the keyboard: a line, the end of what is typed, and Ctrl+C that comes just before the wait."""

import os
import signal
import sys
import threading
import time
from collections.abc import Iterator

import pytest

from stages.iteration.keyboard import typed_line


@pytest.fixture
def keys(monkeypatch: pytest.MonkeyPatch) -> Iterator[int]:
    """The end of a terminal at which the person types; the program reads from the other one."""
    keys, screen = os.openpty()
    with os.fdopen(screen, "r", encoding="utf-8") as typed:
        monkeypatch.setattr(sys, "stdin", typed)
        yield keys
    os.close(keys)


@pytest.mark.parametrize(("typed", "line"), [(b"\n", ""), (b"o\n", "o"), (b"ab\n", "ab")])
def test_a_line_is_returned_without_its_end(keys: int, typed: bytes, line: str):
    os.write(keys, typed)
    assert typed_line() == line


def test_the_end_is_told(keys: int):
    os.write(keys, b"\x04")
    with pytest.raises(EOFError):
        typed_line()


def test_ctrl_c_that_was_noted_and_does_not_wake_the_wait_ends_it(keys: int):
    """As one that comes in the instant before the wait does: here it is another thread that it interrupts."""

    ended, late = threading.Event(), []

    def ctrl_c() -> None:
        time.sleep(0.2)
        signal.pthread_kill(threading.get_ident(), signal.SIGINT)
        if not ended.wait(5):
            late.append("ENTER")
            os.write(keys, b"\n")

    person = threading.Thread(target=ctrl_c)
    person.start()
    try:
        with pytest.raises(KeyboardInterrupt):
            typed_line()
    finally:
        ended.set()
        person.join()
    assert not late  # else it was felt after the next ENTER only


def test_a_signal_that_asks_for_nothing_leaves_the_wait_and_what_was_there_before_comes_back(keys: int):
    called = []
    old = signal.signal(signal.SIGUSR1, lambda *_: called.append(1))
    note, left = os.pipe()
    os.set_blocking(left, False)
    before = signal.set_wakeup_fd(left)
    try:
        threading.Timer(0.1, lambda: signal.pthread_kill(threading.get_ident(), signal.SIGUSR1)).start()
        threading.Timer(0.3, lambda: os.write(keys, b"later\n")).start()
        assert typed_line() == "later"
        assert called == [1]
        assert signal.set_wakeup_fd(before) == left
    finally:
        signal.signal(signal.SIGUSR1, old)
        os.close(note)
        os.close(left)
