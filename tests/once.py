"""Builds what many tests copy once for all workers of a test run."""

import fcntl
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.fake_project import environment

Once = Callable[[str, Callable[[Path], object]], Path]


def built_once(place: Path, name: str, build: Callable[[Path], object]) -> Path:
    """Return the folder `name` in `place`, which whoever needs it first fills by `build(folder)`: never to be changed.

    `build` works in an environment in which Git and DVC see nothing of the person at this machine.
    """
    folder = place / name
    (folder / "home").mkdir(parents=True, exist_ok=True)
    with (folder / "lock").open("w") as lock, pytest.MonkeyPatch.context() as patch:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (folder / "whole").exists():
            for key, value in environment(folder / "home").items():
                patch.setenv(key, value)
            build(folder)
            (folder / "whole").touch()
    return folder
