"""A folder that cannot be written into is named, with what mends it."""

import os
from pathlib import Path

from tests.closed import closed, run_as_owner
from tests.fake_project import sh

ASK = """
import sys
from pathlib import Path
from stages.base.command import exit_cleanly
from stages.base.writable import require_writable, with_subfolders
exit_cleanly(lambda: require_writable(with_subfolders(Path(sys.argv[1]))))
"""


def ask(root: Path, name: str) -> str:
    return run_as_owner(root, "-c", ASK, name).stderr


def test_the_nearest_folder_that_there_is_counts(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    assert ask(tmp_path, "a/b/c/file") == ""
    with closed(tmp_path / "a"):
        assert ask(tmp_path, "a/b/c/file").startswith("error: a: expected a folder that can be written into, found")
        assert ask(tmp_path, "other") == ""
    with closed(tmp_path):
        assert ask(tmp_path, "file").startswith(f"error: {tmp_path}: expected a folder")


def test_one_command_opens_all_of_them(tmp_path: Path) -> None:
    (tmp_path / "my sheets/b").mkdir(parents=True)
    with closed(tmp_path / "my sheets", whole=True):
        mend = "find 'my sheets' -type d -exec chmod u+w {} +; then run this again."
        assert ask(tmp_path, "my sheets").endswith(f"Allow it: {mend}\n")
        sh(tmp_path, "sh", "-c", mend.partition(";")[0])
        assert ask(tmp_path, "my sheets") == ""


def test_a_folder_of_somebody_else_names_both(tmp_path: Path) -> None:
    """Only root can make one: for others `/` is."""
    place = tmp_path / "theirs"
    place.mkdir()
    if os.geteuid() == 0:
        os.chown(place, 65534, 65534)
        assert "found one of nobody, and this is run by root. Make it yours: sudo chown -R root" in ask(place, "file")
    else:
        assert "found one of root, and this is run by" in ask(Path("/"), "file")
