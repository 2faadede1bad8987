"""A clone holds the bytes that DVC has hashed, also where Git is set to change line ends."""

import shutil
from pathlib import Path

from tests.fake_project import REPO, sh


def test_a_clone_with_line_ends_of_another_system_has_the_same_bytes(clean_env: None, tmp_path: Path) -> None:
    origin, clone = tmp_path / "origin", tmp_path / "clone"
    origin.mkdir()
    shutil.copy(REPO / ".gitattributes", origin)
    shutil.copy(REPO / "stages/sample.py", origin)
    sh(origin, "git", "init", "-q")
    sh(origin, "git", "add", ".")
    sh(origin, "git", "commit", "-qm", "start")
    sh(tmp_path, "git", "-c", "core.autocrlf=true", "clone", "-q", str(origin), str(clone))
    assert (clone / "sample.py").read_bytes() == (REPO / "stages/sample.py").read_bytes()
    sh(clone, "git", "config", "core.autocrlf", "true")
    assert sh(clone, "git", "status", "--porcelain") == ""
