"""Runs a command with all its children as one group, streams what it prints, and leaves no orphan behind."""

import io
import os
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from types import FrameType

# Ctrl+C first, since DVC and training write their state on it; then less politely. Seconds to wait for each.
_STOPS = ((signal.SIGINT, 30.0), (signal.SIGTERM, 10.0), (signal.SIGKILL, 10.0))

# The same for a group whose starter was killed and can do it no more: it waits at a pipe that only that process has
# the other end of. `$1` is the group.
_WATCH = """read -r _
for stop in INT:300 TERM:100 KILL:100; do
  kill -s "${stop%:*}" -- "-$1" || exit 0
  left=${stop#*:}
  while [ "$left" -gt 0 ]; do kill -s 0 -- "-$1" || exit 0; sleep 0.1; left=$((left - 1)); done
done
"""


def run_group(
    command: Sequence[str],
    *,
    cwd: Path,
    env: Mapping[str, str],
    on_text: Callable[[str], None],
    inherited: Sequence[int] = (),
) -> int:
    """Run `command` to its end and return its exit code; `on_text` gets each line with its own line end.

    `inherited` are file descriptors that the command keeps open, to hold a lock as long as it lives.

    The group is not the terminal's, so Ctrl+C reaches only us: then the whole group is stopped, and
    `KeyboardInterrupt` goes on. A second Ctrl+C does not wait for a polite end.
    """
    process = subprocess.Popen(
        command,
        cwd=cwd,
        env={**env, "PYTHONUNBUFFERED": "1"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        pass_fds=inherited,
        start_new_session=True,
    )
    reader = threading.Thread(target=_pump, args=(process, on_text), daemon=True)
    try:
        with _stopped_with_us(process):
            reader.start()
            code = process.wait()
            if code != 0:
                _stop(process)  # what it had started, where it was killed alone, as when memory runs out
            return code
    except BaseException:
        _stop(process)
        raise
    finally:
        reader.join(5)


@contextmanager
def _stopped_with_us(process: "subprocess.Popen[bytes]") -> Iterator[None]:
    """Let the group end during the block, too, if this process is killed (`kill -9`): it would train on alone."""
    with subprocess.Popen(
        ["sh", "-c", _WATCH, "sh", str(process.pid)],
        cwd="/",
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    ) as watch:
        try:
            yield
        finally:
            watch.kill()  # before its pipe closes: the group has ended, or is stopped by us


@contextmanager
def ends_like_ctrl_c() -> Iterator[None]:
    """Let a closed terminal and a plain `kill` end the block as Ctrl+C does: nothing trains on alone.

    Started by a script behind `&` we are to pass over Ctrl+C, and do; what we start must not, or nothing but force
    would end it.
    """

    def interrupt(_signal: int, _frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    old = {name: signal.signal(name, interrupt) for name in (signal.SIGTERM, signal.SIGHUP)}
    if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:
        old[signal.SIGINT] = signal.signal(signal.SIGINT, lambda _signal, _frame: None)  # a handler is not inherited
    try:
        yield
    finally:
        for name, handler in old.items():
            signal.signal(name, handler)


def _pump(process: "subprocess.Popen[bytes]", on_text: Callable[[str], None]) -> None:
    """Pass on what the group prints; a progress bar ends its lines with a carriage return, and keeps it."""
    assert process.stdout is not None
    for line in io.TextIOWrapper(process.stdout, encoding="utf-8", errors="replace", newline=""):
        # Our own output may be gone (a closed terminal, `| head`); whoever writes to us must never block on that.
        with suppress(OSError):
            on_text(line)


def _stop(process: "subprocess.Popen[bytes]") -> None:
    for name, seconds in _STOPS:
        try:
            os.killpg(process.pid, name)
            if _gone(process, seconds):
                return
        except ProcessLookupError:
            process.poll()
            return
        except KeyboardInterrupt:
            continue


def _gone(process: "subprocess.Popen[bytes]", seconds: float) -> bool:
    """Wait at most `seconds`; raise `ProcessLookupError` as soon as nobody of the group is left."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        _clear_away(process)
        os.killpg(process.pid, 0)
        time.sleep(0.05)
    return False


def _clear_away(process: "subprocess.Popen[bytes]") -> None:
    """Take who has ended off the process table: the leader, and then the others where we are process 1 of a container,
    to which all are left that have lost their parent.
    """
    if process.poll() is None:
        return
    with suppress(ChildProcessError):
        while os.waitpid(-process.pid, os.WNOHANG)[0]:
            pass
