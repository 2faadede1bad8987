"""Runs code that is killed at a chosen call of git or of DVC, both of them real."""

import os
import shutil
import subprocess
import sys
from pathlib import Path
from zlib import crc32

from tests.fake_project import REPO, sh, write_files
from tests.forks import REAL

# Stands in front of the real git on PATH (or of DVC on PYTHONPATH), counts its calls in a file, and kills its
# parent at the call KILL_AT: before or after the real one has done its work.
FAKE_GIT = """#!/bin/sh
n=$(($(cat "$COUNTER") + 1)); echo $n > "$COUNTER"
[ "$n" = "$KILL_AT" ] && [ "$KILL" = before ] && kill -9 $PPID && exit 1
"$REAL_GIT" "$@"; rc=$?
[ "$n" = "$KILL_AT" ] && [ "$KILL" = after ] && kill -9 $PPID
exit $rc
"""
FAKE_DVC = """
import os, runpy, signal, sys
from pathlib import Path
counter = Path(os.environ["COUNTER"])
n = int(counter.read_text()) + 1
counter.write_text(str(n))
if str(n) == os.environ["KILL_AT"] and os.environ["KILL"] == "before":
    os.kill(os.getppid(), signal.SIGKILL)
    sys.exit(1)
sys.path[:] = [path for path in sys.path if path != os.environ["FAKES"]]
for name in [name for name in sys.modules if name == "dvc"]:
    del sys.modules[name]
try:
    runpy.run_module("dvc", run_name="__main__", alter_sys=True)
finally:
    if str(n) == os.environ["KILL_AT"]:
        os.kill(os.getppid(), signal.SIGKILL)
"""


def run_killed(code: str, *args: str, fakes: Path, what: str = "dvc", kill: str = "after", at: int) -> int:
    """Run `code` with `args`, killed `before` or `after` call `at` of `what` (git or dvc); return the exit code.

    The stand-ins that do it are written into the folder `fakes`; how often `what` was called is in its file `count`.
    """
    env = {"COUNTER": str(fakes / "count"), "KILL_AT": str(at), "KILL": kill, "FAKES": str(fakes)}
    env = {**os.environ, **env, "REAL_GIT": str(shutil.which("git")), "PYTHONPATH": str(REPO)}
    write_files(fakes, {"count": "0", "driver.py": code})
    command = [sys.executable, str(fakes / "driver.py"), *args]
    if what == "git":
        write_files(fakes / "bin", {"git": FAKE_GIT})
        (fakes / "bin/git").chmod(0o755)
        env["PATH"] = f"{fakes / 'bin'}:{env['PATH']}"
    else:
        write_files(fakes / "dvc", {"__init__.py": "", "__main__.py": FAKE_DVC})
        env |= {"PYTHONPATH": f"{fakes}:{REPO}", REAL: "1"}
    return subprocess.run(command, env=env, capture_output=True, check=False, stdin=subprocess.DEVNULL).returncode


def chosen_calls(count: int, *, every: bool) -> list[int]:
    """Return at which of `count` calls to kill: the first, the last, and `every` one between or each fourth.

    Which fourth goes on with each commit, and is the same for all who test that commit.
    """
    commit = sh(REPO, "git", "rev-parse", "HEAD").strip() if (REPO / ".git").exists() else ""
    step, first = (1, 0) if every else (4, crc32(commit.encode()) % 4)
    return sorted({1, count, *range(1 + first, count, step)})
