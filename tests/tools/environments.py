"""The tools that tests run against: each in an environment of its own under `.tools`, made by `make test-tools`."""

import subprocess
from pathlib import Path

import pytest

TOOLS = Path(__file__).parents[2] / ".tools"


def python_of(name: str) -> Path:
    """Return the interpreter of the environment `name`; skip the test where it was not made."""
    python = TOOLS / name / "bin/python"
    if not python.is_file():
        pytest.skip(f"{python} is not there: make test-tools")
    return python


def run_in(name: str, program: Path, *arguments: object) -> str:
    """Run `program` with the interpreter of the environment `name`; return what it prints, or fail with its errors."""
    done = subprocess.run(
        [python_of(name), "-I", program, *map(str, arguments)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return done.stdout
