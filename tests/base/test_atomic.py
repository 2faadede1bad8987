"""The old file or the new one, never half of one; and nothing is left to be taken for data."""

import os
import time
from pathlib import Path

import pytest

from stages.base.atomic import beside, replacing, replacing_folder
from tests.fake_project import dvc, init, sh, write_files

OLD = time.time() - 2 * 24 * 3600  # longer ago than anything is being written


def test_two_writers_with_one_process_number_do_not_meet(tmp_path: Path) -> None:
    """As in two containers: both are process 1, and both write the same file."""
    file = tmp_path / "a.txt"
    with replacing(file) as first, replacing(file) as second:
        first.write_text("first")
        second.write_text("second")
        assert first != second
    assert file.read_text() == "first"  # the one that ended last
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.txt"]


def test_a_failure_leaves_the_old_one_and_nothing_else(tmp_path: Path) -> None:
    write_files(tmp_path, {"a.txt": "old", "folder/b.txt": "old"})

    def fail(write: object, path: Path, inside: str) -> None:
        with write(path) as temporary:  # type: ignore[operator]
            write_files(tmp_path, {f"{temporary.name}{inside}": "half"})
            raise ValueError("stop")

    for write, name, inside in ((replacing, "a.txt", ""), (replacing_folder, "folder", "/b.txt")):
        with pytest.raises(ValueError, match="stop"):
            fail(write, tmp_path / name, inside)
    assert (tmp_path / "a.txt").read_text() == (tmp_path / "folder/b.txt").read_text() == "old"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.txt", "folder"]


def test_a_folder_is_replaced_as_a_whole(tmp_path: Path) -> None:
    write_files(tmp_path / "folder", {"b.txt": "old", "gone.txt": "old"})
    with replacing_folder(tmp_path / "folder") as building:
        write_files(building, {"b.txt": "new"})
    assert [file.name for file in (tmp_path / "folder").iterdir()] == ["b.txt"]


def test_what_a_kill_left_goes_after_a_day(tmp_path: Path) -> None:
    killed = [beside(tmp_path / "a.txt"), beside(tmp_path / "folder")]
    write_files(tmp_path, {killed[0].name: "half", f"{killed[1].name}/b.txt": "half", ".mine.tmp": "a person's"})
    at_work = beside(tmp_path / "a.txt")
    at_work.touch()
    for path in (*killed, tmp_path / ".mine.tmp"):
        os.utime(path, (OLD, OLD))
    beside.__globals__["_sweep"].cache_clear()  # as in another process
    with replacing(tmp_path / "other.txt") as temporary:
        temporary.write_text("x")
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted([at_work.name, ".mine.tmp", "other.txt"])


@pytest.mark.slow
def test_what_a_kill_left_is_no_data_for_dvc_and_git(clean_env: None, tmp_path: Path) -> None:
    root = tmp_path / "project"
    init(root)
    write_files(root / "data/ds", {"one": "1"})
    write_files(root, {"a.txt": "1"})
    dvc(root, "add", "-q", "data/ds")
    sh(root, "git", "add", ".")
    sh(root, "git", "commit", "-q", "-m", "start")
    for path in (root / "data/ds/one", root / "a.txt"):
        beside(path).write_text("half")
    assert "up to date" in dvc(root, "status")
    assert sh(root, "git", "status", "--porcelain") == ""
