"""Starting a branch elsewhere: a kill anywhere leaves the old branch or the new one, and the person's edits stay."""

import signal
from collections.abc import Callable
from pathlib import Path

import pytest

from stages.base.errors import UserError
from stages.project.repository import git
from stages.project.repository.commits import build_from, entries_at
from stages.project.repository.transaction import recover, switch
from tests.fake_project import sh
from tests.killing import chosen_calls, run_killed
from tests.project.repository.test_transaction import origin, repo  # noqa: F401 - fixtures

DRIVER = """
import sys
from pathlib import Path
from stages.project.repository.transaction import switch
switch(Path(sys.argv[1]), name="try", commit=sys.argv[2], branch="again", tags=["again/v0"])
"""


def other_commit(root: Path, new_dvc: bytes) -> str:
    """Write a commit on HEAD with a.txt changed, b.txt gone, data/c.txt new and other data."""
    entries = {path: entry for path, entry in entries_at(root, "HEAD").items() if path != "b.txt"}
    files = {"a.txt": b"new\n", "data/c.txt": b"3\n", "data/ds.dvc": new_dvc}
    return build_from(root, entries, files=files, parent=git.head(root), message="other")


def found(root: Path) -> dict[str, object]:
    texts = {name: (root / name).read_text() if (root / name).is_file() else None for name in ("a.txt", "b.txt")}
    data = {file.name: file.read_text() for file in (root / "data/ds").iterdir()}
    branch = sh(root, "git", "symbolic-ref", "--short", "HEAD").strip()
    return {**texts, "data": data, "branch": branch, "tags": sh(root, "git", "tag").split()}


OLD = {"a.txt": "1\n", "b.txt": "2\n", "data": {"one": "1", "two": "2"}, "branch": "main", "tags": ["v0"]}
NEW = {"a.txt": "new\n", "b.txt": None, "data": {"one": "1", "three": "3"}, "branch": "again"}
NEW |= {"tags": ["again/v0", "v0"]}


def assert_person_kept(root: Path) -> None:
    status = sh(root, "git", "status", "--porcelain", "-uall").splitlines()
    assert status == [" M README", "M  other", "?? note"]
    assert (root / "work/mine").read_text() == "mine"


def drive(root: Path, commit: str, fakes: Path, *, kill: str, at: int) -> int:
    return run_killed(DRIVER, str(root), commit, fakes=fakes, what="git", kill=kill, at=at)


@pytest.mark.slow
@pytest.mark.faults
@pytest.mark.parametrize("kill", ["before", "after"])
def test_a_kill_at_any_git_call(
    repo: Callable[[], Path],  # noqa: F811
    origin: tuple[Path, Path],  # noqa: F811
    tmp_path: Path,
    kill: str,
    every_kill: bool,
) -> None:
    root = repo()
    commit = other_commit(root, origin[1].read_bytes())
    assert drive(root, commit, tmp_path / "fakes", kill=kill, at=0) == 0
    assert found(root) == NEW
    assert_person_kept(root)
    assert git.head(root) == commit
    count = int((tmp_path / "fakes/count").read_text())
    assert count > 10
    seen = []
    for at in chosen_calls(count, every=every_kill):
        root = repo()
        commit = other_commit(root, origin[1].read_bytes())
        assert drive(root, commit, tmp_path / "fakes", kill=kill, at=at) == -signal.SIGKILL
        recover(root)
        new = git.resolve(root, "refs/heads/again") is not None
        assert found(root) == (NEW if new else OLD)
        assert_person_kept(root)
        assert recover(root) is None
        seen.append(new)
    assert seen == sorted(seen)  # old, old, ... then new, new, ...: one commit point
    assert set(seen) == {False, True}


def test_from_a_look_back(repo: Callable[[], Path], origin: tuple[Path, Path]) -> None:  # noqa: F811
    root = repo()
    sh(root, "git", "switch", "-q", "--detach")
    switch(root, name="try", commit=other_commit(root, origin[1].read_bytes()), branch="again", tags=["again/v0"])
    assert found(root) == NEW
    assert_person_kept(root)


@pytest.mark.parametrize(("spoil", "complaint"), [("branch", "git update-ref"), ("tag", "git update-ref")])
def test_a_name_that_is_taken_changes_nothing(
    repo: Callable[[], Path],  # noqa: F811
    origin: tuple[Path, Path],  # noqa: F811
    spoil: str,
    complaint: str,
) -> None:
    root = repo()
    sh(root, "git", spoil, "again" if spoil == "branch" else "again/v0")
    commit = other_commit(root, origin[1].read_bytes())
    before = found(root)
    with pytest.raises(UserError, match=complaint):
        switch(root, name="try", commit=commit, branch="again", tags=["again/v0"])
    assert found(root) == before
    assert recover(root) is None
