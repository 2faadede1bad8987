"""A group ends whole and soon, also as process 1 of a container, and started behind `&`."""

import ctypes
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.fake_project import REPO

# To a subreaper all is left that has lost its parent, as to process 1 of a container.
SUBREAPER = f"import ctypes; ctypes.CDLL(None).prctl({36}, 1, 0, 0, 0)\n"
RUN = """
import os, sys, time
from pathlib import Path
from stages.project.process_group import ends_like_ctrl_c, run_group
def line(text):
    print(text, end="", flush=True)
with ends_like_ctrl_c():
    began = time.monotonic()
    code = run_group([sys.executable, "-c", sys.argv[1]], cwd=Path(), env=os.environ, on_text=line)
    print(code, time.monotonic() - began < 10)
"""
ORPHAN = "import subprocess, sys; subprocess.Popen(['sleep', '60']); sys.exit(3)"
SLEEP = "import time; print('asleep', flush=True); time.sleep(60)"
pytestmark = pytest.mark.skipif(not hasattr(ctypes.CDLL(None), "prctl"), reason="needs Linux")


def started(code: str, *args: str, **options: object) -> "subprocess.Popen[str]":
    env = {**os.environ, "PYTHONPATH": str(REPO), "REAL_PYTHON": "1"}
    command = [sys.executable, "-c", code, *args]
    return subprocess.Popen(command, env=env, stdout=subprocess.PIPE, text=True, **options)  # type: ignore[call-overload, no-any-return]


def test_whoever_lost_its_parent_ends_at_once_where_we_are_process_1() -> None:
    with started(SUBREAPER + RUN, ORPHAN) as process:
        assert process.communicate()[0].split() == ["3", "True"]


def test_started_behind_an_ampersand_a_plain_kill_ends_all_as_soon(tmp_path: Path) -> None:
    """A script's shell has its background jobs pass over Ctrl+C, by which we stop what we have started."""
    ignoring = {"preexec_fn": lambda: signal.signal(signal.SIGINT, signal.SIG_IGN), "cwd": tmp_path}
    with started(RUN, SLEEP, **ignoring) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "asleep\n"
        process.send_signal(signal.SIGINT)
        time.sleep(0.5)
        assert process.poll() is None
        began = time.monotonic()
        process.terminate()
        process.communicate()
        assert time.monotonic() - began < 10
