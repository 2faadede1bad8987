"""Waits at the keyboard without ever sleeping through Ctrl+C."""

import os
import select
import signal
import sys


def typed_line() -> str:
    """Return the line that is typed next, without its end; raise `EOFError` where there is none.

    Python notes a signal and raises `KeyboardInterrupt` for it later. One that comes in the instant between what was
    printed and the wait of `input()` would be noted only, and felt after the next ENTER: so the wait also ends for a
    note, which each signal leaves in a pipe. Only in the main thread, and stdin must be a file of the system.
    """
    note, left = os.pipe()
    os.set_blocking(left, False)
    before = signal.set_wakeup_fd(left, warn_on_full_buffer=False)
    try:
        while sys.stdin not in select.select([sys.stdin, note], [], [])[0]:
            os.read(note, 64)  # by now its handler was called, and did not raise: go on waiting
        return input()
    finally:
        signal.set_wakeup_fd(before)
        os.close(note)
        os.close(left)
