"""A command that is killed anywhere leaves the old state or the new one."""

import fcntl
import hashlib
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from stages.base.errors import UserError
from stages.project.project_lock import exclusive
from stages.project.repository import git
from stages.project.repository.transaction import Commit, recover, stage_dvc, staging, transact
from tests.fake_project import dvc, init, sh, write_files
from tests.killing import chosen_calls, run_killed
from tests.once import Once

OLD = {
    "a.txt": "1\n",
    "b.txt": "2\n",
    "data/c.txt": None,
    "data/ds": {"one": "1", "two": "2"},
    "work": "mine",
}
NEW = {
    "a.txt": "new\n",
    "b.txt": None,
    "data/c.txt": "3\n",
    "data/ds": {"one": "1", "three": "3"},
    "work": None,
}
TAGS_OLD = {"v0": "start"}
TAGS_NEW = {"old/v0": "start", "v0": "first", "v1": "second"}

DRIVER = """
import sys
from pathlib import Path
from stages.project.repository.transaction import Commit, recover, transact
root = Path(sys.argv[1])
print(recover(root))
commits = [
    Commit("first", {"a.txt": b"new\\n", "data/c.txt": b"2\\n"}),
    Commit("second", {"b.txt": None, "data/c.txt": b"3\\n", "data/ds.dvc": Path(sys.argv[2]).read_bytes()}),
]
(root / "data/.advance").mkdir()
tags, renamed = {"v0": 0, "v1": 1}, {"v0": "old/v0"}
transact(root, name="try", commits=commits, tags=tags, renamed_tags=renamed, removes=["work"])
"""


@pytest.fixture(scope="module")
def origin(once: Once) -> tuple[Path, Path]:
    """A repository in the OLD state, and the .dvc file of the NEW data, whose objects are in the cache."""

    def build(folder: Path) -> None:
        root = folder / "project"
        init(root)
        (root / ".gitignore").open("a").write("/data/ds\n/work\n")
        write_files(root, {"a.txt": "1\n", "b.txt": "2\n", "README": "read\n", "other": "1\n", "models/x": ""})
        write_files(root / "data/ds", {"one": "1", "two": "2"})
        dvc(root, "add", "-q", "data/ds")
        sh(root, "git", "add", ".")
        sh(root, "git", "commit", "-q", "-m", "start")
        sh(root, "git", "tag", "v0")
        with staging(root) as (data, _):
            write_files(data / "ds", {"one": "1", "three": "3"})
            (folder / "new.dvc").write_bytes(stage_dvc(root, data / "ds"))

    folder = once("origin", build)
    return folder / "project", folder / "new.dvc"


@pytest.fixture
def repo(clean_env: None, origin: tuple[Path, Path], tmp_path: Path) -> Callable[[], Path]:
    def fresh() -> Path:
        root = tmp_path / "project"
        shutil.rmtree(root, ignore_errors=True)
        shutil.copytree(origin[0], root)
        write_files(root, {"work/mine": "mine", "README": "edited\n", "other": "2\n", "note": "untracked\n"})
        sh(root, "git", "add", "other")  # staged, not committed
        return root

    return fresh


def state(root: Path) -> tuple[dict[str, object], dict[str, str]]:
    """Return the workspace as in OLD and NEW, and tag -> subject of its commit."""
    files: dict[str, object] = {
        name: (root / name).read_text() if (root / name).is_file() else None
        for name in ("a.txt", "b.txt", "data/c.txt")
    }
    files["data/ds"] = {file.name: file.read_text() for file in (root / "data/ds").iterdir()}
    files["work"] = (root / "work/mine").read_text() if (root / "work").exists() else None
    tags = sh(root, "git", "for-each-ref", "--format=%(refname:strip=2)=%(subject)", "refs/tags").split()
    return files, dict(tag.split("=") for tag in tags)


def assert_whole(root: Path, origin: tuple[Path, Path], *, new: bool) -> None:
    files, tags = state(root)
    assert files == (NEW if new else OLD)
    assert tags == (TAGS_NEW if new else TAGS_OLD)
    subjects = sh(root, "git", "log", "--format=%s").split()
    assert subjects == (["second", "first", "start"] if new else ["start"])
    # Exactly the person's own changes are left: nothing of ours, and nothing of theirs is lost.
    status = sh(root, "git", "status", "--porcelain", "-uall").splitlines()
    assert status == [" M README", "M  other", "?? note"]
    wanted = origin[1].read_text() if new else (origin[0] / "data/ds.dvc").read_text()
    assert (root / "data/ds.dvc").read_text() == wanted
    assert sorted(file.name for file in (root / ".yoloop").iterdir() if file.is_file()) in (
        ["index", "lock"],
        ["lock"],
    )
    sh(root, "git", "fsck", "--strict")


def drive(root: Path, origin: tuple[Path, Path], tmp_path: Path, *, kill: str, at: int, what: str) -> int:
    """Run the transaction, killed at call `at` of `what`; return the exit code."""
    return run_killed(DRIVER, str(root), str(origin[1]), fakes=tmp_path / "fakes", what=what, kill=kill, at=at)


@pytest.mark.slow
@pytest.mark.faults
@pytest.mark.parametrize("kill", ["before", "after"])
def test_a_kill_at_any_git_call_leaves_old_or_new(
    repo: Callable[[], Path], origin: tuple[Path, Path], tmp_path: Path, kill: str, every_kill: bool
) -> None:
    root = repo()
    assert drive(root, origin, tmp_path, kill=kill, at=0, what="git") == 0
    assert_whole(root, origin, new=True)
    count = int((tmp_path / "fakes/count").read_text())
    assert count > 15
    seen = []
    for at in chosen_calls(count, every=every_kill):
        root = repo()
        assert drive(root, origin, tmp_path, kill=kill, at=at, what="git") == -signal.SIGKILL
        recover(root)
        new = git.resolve(root, "refs/tags/v1") is not None
        assert_whole(root, origin, new=new)
        assert recover(root) is None
        seen.append(new)
    assert seen == sorted(seen)  # old, old, ... then new, new, ...: one commit point
    assert {False, True} == set(seen)


@pytest.mark.slow
@pytest.mark.parametrize("kill", ["before", "after"])
def test_a_kill_at_the_dvc_checkout_is_finished(
    repo: Callable[[], Path], origin: tuple[Path, Path], tmp_path: Path, kill: str
) -> None:
    root = repo()
    assert drive(root, origin, tmp_path, kill=kill, at=1, what="dvc") == -signal.SIGKILL
    assert recover(root) == "`try` was interrupted half-way: it is finished now."
    assert_whole(root, origin, new=True)
    assert "up to date" in dvc(root, "status")


def test_half_a_checkout_and_locks_left_by_a_killed_git_are_cleared(
    repo: Callable[[], Path], origin: tuple[Path, Path], tmp_path: Path
) -> None:
    root = repo()
    drive(root, origin, tmp_path, kill="before", at=1, what="dvc")
    write_files(root / "data/ds", {".abcdefghijklmnopqrstuv.tmp": "half a file"})
    (root / "data/ds/two").unlink()
    write_files(root / ".git", {"refs/heads/main.lock": "", "index.yoloop-lock": "", "index.yoloop.lock": "half"})
    os.link(root / ".git/index.yoloop-lock", root / ".git/index.lock")
    recover(root)
    assert_whole(root, origin, new=True)


@pytest.fixture
def interrupted(repo: Callable[[], Path], origin: tuple[Path, Path], tmp_path: Path) -> Path:
    """A project whose command was killed behind the commit point, and no Git at work."""
    root = repo()
    drive(root, origin, tmp_path, kill="before", at=1, what="dvc")
    return root


@contextmanager
def holding_refs(root: Path) -> Iterator[None]:
    """A real git that has prepared a transaction on packed-refs and a branch, and waits: it holds their locks."""
    command = ["git", "update-ref", "--stdin"]
    with subprocess.Popen(command, cwd=root, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write("start\ndelete refs/heads/main\nprepare\n")
        process.stdin.flush()
        assert [process.stdout.readline() for _ in range(2)] == ["start: ok\n", "prepare: ok\n"]
        try:
            yield
        finally:
            process.kill()


def test_locks_of_a_git_that_lives_stay_and_go_once_it_is_killed(interrupted: Path, origin: tuple[Path, Path]) -> None:
    with holding_refs(interrupted):
        locks = {path: path.read_bytes() for path in (interrupted / ".git").rglob("*.lock")}
        assert {"packed-refs.lock", "main.lock", "HEAD.lock"} == {path.name for path in locks}
        with pytest.raises(
            UserError, match=r"\.lock: expected no git at work here, found process \d+ \(git\)"
        ) as caught:
            recover(interrupted)
        assert "\n" not in str(caught.value)
        assert {path: path.read_bytes() for path in (interrupted / ".git").rglob("*.lock")} == locks
        assert (interrupted / ".yoloop/journal.json").exists()
    assert recover(interrupted) == "`try` was interrupted half-way: it is finished now."
    assert_whole(interrupted, origin, new=True)


def test_a_git_of_another_project_is_no_reason_to_wait(
    interrupted: Path, origin: tuple[Path, Path], tmp_path: Path
) -> None:
    sh(tmp_path, "git", "init", "-q", "-b", "main", "other")
    sh(tmp_path / "other", "git", "commit", "-q", "--allow-empty", "-m", "x")
    write_files(interrupted / ".git", {"HEAD.lock": "", "packed-refs.lock": ""})
    with holding_refs(tmp_path / "other"):
        recover(interrupted)
    assert_whole(interrupted, origin, new=True)


def test_a_lock_that_another_program_has_open_stays(interrupted: Path) -> None:
    """DVC moves refs without a process that is called git."""
    with (interrupted / ".git/HEAD.lock").open("w"):
        with pytest.raises(UserError, match=rf"HEAD\.lock: expected no git at work here, found process {os.getpid()}"):
            recover(interrupted)
        assert (interrupted / ".git/HEAD.lock").exists()


def test_an_index_lock_that_nobody_holds_is_named_and_left(interrupted: Path, origin: tuple[Path, Path]) -> None:
    lock = interrupted / ".git/index.lock"
    lock.touch()
    with pytest.raises(
        UserError, match=rf"found its lock, and no git that lives.*Remove it: rm {lock}; then run: yoloop"
    ):
        recover(interrupted)
    lock.unlink()
    recover(interrupted)
    assert_whole(interrupted, origin, new=True)


def test_a_missing_tag_is_set_and_a_newer_edit_put_aside(
    repo: Callable[[], Path], origin: tuple[Path, Path], tmp_path: Path
) -> None:
    root = repo()
    drive(root, origin, tmp_path, kill="before", at=1, what="dvc")
    sh(root, "git", "tag", "-d", "v1")  # as if Git had been killed between two refs
    (root / "a.txt").write_text("typed after the kill\n")
    said = str(recover(root)).splitlines()
    assert said[1:] == ["a.txt was changed meanwhile: what was typed there is kept in .yoloop/yours/a.txt"]
    assert_whole(root, origin, new=True)
    assert (root / ".yoloop/yours/a.txt").read_text() == "typed after the kill\n"


def test_a_commit_on_top_of_an_interrupted_one_is_kept(
    repo: Callable[[], Path], origin: tuple[Path, Path], tmp_path: Path
) -> None:
    root = repo()
    drive(root, origin, tmp_path, kill="before", at=1, what="dvc")
    sh(root, "git", "commit", "-q", "--allow-empty", "-m", "mine")
    head = git.head(root)
    assert "HEAD has moved" in str(recover(root))
    assert git.head(root) == head
    assert recover(root) is None


def change(root: Path, tag: str = "v9", **more: object) -> str:
    return transact(root, name="try", commits=[Commit("c", {"a.txt": b"x"})], tags={tag: 0}, **more)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("spoil", "complaint"),
    [
        (["git", "tag", "v9"], "tag v9: expected a name that is free, found a tag of that name"),
        (["git", "switch", "-q", "--detach"], "HEAD: expected a branch, found a commit without one"),
        (["git", "checkout", "-q", "--orphan", "x"], "expected a first commit"),
        (["rm", "-rf", ".git"], "expected a Git repository"),
        (["touch", ".git/refs/tags/v9.lock"], "git update-ref: "),
    ],
)
def test_refusals_change_nothing(repo: Callable[[], Path], spoil: list[str], complaint: str) -> None:
    root = repo()
    sh(root, *spoil)
    with pytest.raises(UserError) as caught:
        change(root)
    assert complaint in str(caught.value)
    assert "\n" not in str(caught.value)
    assert (root / "a.txt").read_text() == "1\n"
    assert not (root / ".yoloop/journal.json").exists()


def test_without_an_identity_nothing_is_committed(repo: Callable[[], Path], monkeypatch: pytest.MonkeyPatch) -> None:
    root = repo()
    for name in ("GIT_COMMITTER_NAME", "GIT_COMMITTER_EMAIL", "GIT_AUTHOR_NAME", "GIT_AUTHOR_EMAIL"):
        monkeypatch.delenv(name)
    sh(root, "git", "config", "user.useConfigOnly", "true")
    with pytest.raises(UserError, match=r"git config user\.name"):
        change(root)


def test_one_command_at_a_time(repo: Callable[[], Path]) -> None:
    root = repo()
    script = "import fcntl,sys,time; f=open(sys.argv[1],'a+'); fcntl.flock(f, fcntl.LOCK_EX); "
    script += "f.truncate(0); f.write('4711'); f.flush(); print('held', flush=True); time.sleep(60)"
    (root / ".yoloop").mkdir(exist_ok=True)
    other = subprocess.Popen(
        [sys.executable, "-c", script, str(root / ".yoloop/lock")], stdout=subprocess.PIPE, text=True
    )
    try:
        assert other.stdout is not None
        other.stdout.readline()
        with pytest.raises(UserError, match="no other yoloop command at work here, found 4711"):
            change(root)
    finally:
        other.kill()
        other.wait()
    change(root)  # a killed process frees the lock


def test_a_block_inside_a_block_goes_on_and_the_outer_one_still_holds(repo: Callable[[], Path]) -> None:
    root = repo()
    with exclusive(root):
        change(root)
        with (root / ".yoloop/lock").open() as file, pytest.raises(BlockingIOError):
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)


@pytest.mark.parametrize("autostage", ["false", "true"])
def test_an_error_while_staging_leaves_no_trace(repo: Callable[[], Path], autostage: str) -> None:
    root = repo()
    dvc(root, "config", "--local", "core.autostage", autostage)
    before = sh(root, "git", "status", "--porcelain", "-uall")

    def fail() -> None:
        with staging(root) as (data, _):
            write_files(data / "ds", {"four": "4"})
            stage_dvc(root, data / "ds")
            raise UserError("stop")

    with pytest.raises(UserError, match=r"^stop$"):
        fail()
    after = sh(root, "git", "status", "--porcelain", "-uall")
    assert after == before
    assert not (root / "data/.advance").exists()


def test_what_a_kill_left_in_staging_is_cleared(repo: Callable[[], Path]) -> None:
    root = repo()
    write_files(root / "data/.advance", {"dataset/x": "half"})
    assert recover(root) == "Cleared what an interrupted command had prepared: nothing was changed."
    assert not (root / "data/.advance").exists()
    assert recover(root) is None


def test_with_hardlinks_the_cache_keeps_its_bytes(repo: Callable[[], Path]) -> None:
    root = repo()
    dvc(root, "config", "--local", "cache.type", "hardlink")
    dvc(root, "checkout", "-q", "--relink")
    assert (root / "data/ds/one").stat().st_nlink > 1
    with staging(root) as (data, _):
        (data / "ds").mkdir()
        os.link(root / "data/ds/one", data / "ds/one")
        (data / "ds/five").write_text("5")
        pointer = stage_dvc(root, data / "ds")
        transact(root, name="try", commits=[Commit("c", {"data/ds.dvc": pointer})], tags={})
    assert {file.name: file.read_text() for file in (root / "data/ds").iterdir()} == {"one": "1", "five": "5"}
    for file in (root / ".dvc/cache/files/md5").glob("*/*"):
        assert hashlib.md5(file.read_bytes()).hexdigest() == file.parent.name + file.name.removesuffix(".dir")


def test_an_unfinished_command_comes_first(repo: Callable[[], Path], origin: tuple[Path, Path], tmp_path: Path) -> None:
    root = repo()
    drive(root, origin, tmp_path, kill="before", at=1, what="dvc")
    with pytest.raises(UserError, match="expected no unfinished command"):
        change(root)
    recover(root)
    assert_whole(root, origin, new=True)


def test_data_that_is_missing_comes_although_its_pointer_is_the_same(repo: Callable[[], Path]) -> None:
    """A clone has every .dvc file and no data: what is staged with the same hash must still be placed."""
    root = repo()
    pointer = (root / "data/ds.dvc").read_bytes()
    shutil.rmtree(root / "data/ds")
    transact(root, name="try", commits=[Commit("same", {"data/ds.dvc": pointer, "a.txt": b"new\n"})], tags={})
    assert sorted(file.name for file in (root / "data/ds").iterdir()) == ["one", "two"]
