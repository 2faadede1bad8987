"""Runs code that is killed at a chosen call of git or of DVC, both of them real."""

import os
import shutil
import subprocess
import sys
from pathlib import Path
from zlib import crc32

from tests.fake_project import REPO, sh, write_files

# Stands in front of the real git on PATH, or of the `python` that DVC is started by (`-m dvc`), counts its calls in a
# file, and kills its parent at the call KILL_AT: before or after the real one has done its work.
FAKE = """#!/bin/sh
case "$0 $1 $2" in */python\\ -m\\ dvc | */git\\ *) ;; *) exec "$REAL" "$@" ;; esac
n=$(($(cat "$COUNTER") + 1)); echo $n > "$COUNTER"
[ "$n" = "$KILL_AT" ] && [ "$KILL" = before ] && kill -9 $PPID && exit 1
"$REAL" "$@"; rc=$?
[ "$n" = "$KILL_AT" ] && [ "$KILL" = after ] && kill -9 $PPID
exit $rc
"""
WITH_FAKE_DVC = "import os, sys\nsys.executable = os.environ['FAKES'] + '/bin/python'\n"


def run_killed(code: str, *args: str, fakes: Path, what: str = "dvc", kill: str = "after", at: int) -> int:
    """Run `code` with `args`, killed `before` or `after` call `at` of `what` (git or dvc); return the exit code.

    The stand-ins that do it are written into the folder `fakes`; how often `what` was called is in its file `count`.
    """
    name, real = ("git", str(shutil.which("git"))) if what == "git" else ("python", sys.executable)
    env = {"COUNTER": str(fakes / "count"), "KILL_AT": str(at), "KILL": kill, "FAKES": str(fakes), "REAL": real}
    env = {**os.environ, **env, "PYTHONPATH": str(REPO)}
    driver = code if what == "git" else WITH_FAKE_DVC + code
    write_files(fakes, {"count": "0", "driver.py": driver, f"bin/{name}": FAKE})
    (fakes / "bin" / name).chmod(0o755)
    if what == "git":
        env["PATH"] = f"{fakes / 'bin'}:{env['PATH']}"
    command = [sys.executable, str(fakes / "driver.py"), *args]
    return subprocess.run(command, env=env, capture_output=True, check=False, stdin=subprocess.DEVNULL).returncode


def chosen_calls(count: int, *, every: bool) -> list[int]:
    """Return at which of `count` calls to kill: the first, the last, and `every` one between or each eighth.

    Which eighth goes on with each commit, and is the same for all who test that commit.
    """
    commit = sh(REPO, "git", "rev-parse", "HEAD").strip() if (REPO / ".git").exists() else ""
    step, first = (1, 0) if every else (8, crc32(commit.encode()) % 8)
    return sorted({1, count, *range(1 + first, count, step)})
