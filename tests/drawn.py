"""Leaves the tests of the drawing out of `make test` as long as nothing has changed since they all passed."""

import hashlib
import re
from pathlib import Path

import pytest

from tests.fake_project import REPO

STAMP = REPO / "tests/demo/drawing/passed.sha256"
TESTS = ("tests/demo/drawing/", "tests/starter/test_pages.py", "tests/starter/test_vocabulary.py")
_SOURCES = ("demo/drawing", "starter", "tests/demo/drawing", "tests/starter")
_LIBRARIES = re.compile(r"^(numpy|opencv-python|pillow)==.*$", re.MULTILINE | re.IGNORECASE)


def fingerprint(root: Path) -> str:
    """Return the digest of all code that draws, of its tests, and of the versions of the libraries that they need."""
    digest = hashlib.sha256()
    for file in sorted(file for folder in _SOURCES for file in (root / folder).rglob("*.py")):
        digest.update(f"{file.relative_to(root)}\0".encode() + file.read_bytes() + b"\0")
    pinned = [line[0] for line in _LIBRARIES.finditer((root / "requirements.lock").read_text(encoding="utf-8"))]
    digest.update("\n".join(pinned).encode())
    return digest.hexdigest()


def leave_out(items: list[pytest.Item]) -> None:
    """Mark the tests of the drawing as skipped if they passed with just these files."""
    if STAMP.is_file() and STAMP.read_text(encoding="utf-8").strip() == fingerprint(REPO):
        for item in items:
            if item.nodeid.startswith(TESTS):
                item.add_marker(pytest.mark.skip(reason="the drawing is as it was when they passed: make test-drawing"))


def renew() -> None:
    """Note that the tests of the drawing passed with just these files."""
    STAMP.write_text(f"{fingerprint(REPO)}\n", encoding="utf-8")
