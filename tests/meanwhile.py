"""A person who types while a command of ours is at work: at a chosen call of the real git."""

import os
import shutil
from pathlib import Path

import pytest

from tests.fake_project import write_files

_GIT = """#!/bin/sh
if [ "$1" = "$TYPE_AT" ] && [ ! -e "$TYPED" ]; then touch "$TYPED"; echo "# typed meanwhile" >> "$TYPE_INTO"; fi
exec "$REAL_GIT" "$@"
"""


def types(patch: pytest.MonkeyPatch, fakes: Path, *, at: str, into: Path) -> None:
    """Let a line be added to the file `into` at our first `git AT` from now on; the stand-in lies in `fakes`."""
    write_files(fakes, {"git": _GIT})
    (fakes / "git").chmod(0o755)
    values = {"TYPE_AT": at, "TYPE_INTO": into.resolve(), "TYPED": fakes / "typed", "REAL_GIT": shutil.which("git")}
    for name, value in values.items():
        patch.setenv(name, str(value))
    patch.setenv("PATH", f"{fakes}:{os.environ['PATH']}")
