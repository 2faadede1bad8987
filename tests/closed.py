"""Folders that nobody may write into, and commands to which that applies, though root runs the tests."""

import ctypes
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.fake_project import REPO

_PR_CAPBSET_DROP, _CAPABILITIES = 24, (1, 2)  # to pass over the rights of files, and of folders to be read


@contextmanager
def closed(folder: Path, *, whole: bool = False) -> Iterator[None]:
    """Take the right to write into `folder` away, with `whole` from all below it, too; give it back in the end."""
    deep = ["-R"] if whole else []
    subprocess.run(["chmod", *deep, "a-w", str(folder)], check=True)
    try:
        yield
    finally:
        subprocess.run(["chmod", *deep, "u+w", str(folder)], check=True)


def run_as_owner(root: Path, *args: str) -> "subprocess.CompletedProcess[str]":
    """Run `python ARGS` in `root` as one to whom the rights of files apply: root gives up to pass over them."""
    return subprocess.run(
        [sys.executable, *args],
        cwd=root,
        env={**os.environ, "REAL_PYTHON": "1", "PYTHONPATH": str(REPO)},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        preexec_fn=_give_up,
    )


def _give_up() -> None:
    libc = ctypes.CDLL(None)
    for capability in _CAPABILITIES:
        libc.prctl(_PR_CAPBSET_DROP, capability, 0, 0, 0)  # refused where one is not root, and has them not
