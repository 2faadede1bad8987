from collections.abc import Callable
from pathlib import Path

import pytest

from stages.base.errors import UserError
from stages.holdout.openings import COLUMNS, NUMBERS
from stages.holdout.openings_file import OPENINGS, openings_text, read_openings
from tests.fake_project import environment, sh


def opening(number: int, reason: str = "") -> dict[str, object]:
    facts = {"opening": number, "iteration": 3, "commit": "abc", "ruler": "12345678", "confidence": 0.25}
    rest = {"date": "2026-01-02", "sheets": 4, "boxes": 9, "test_content": "0123", "reason": reason}
    return {**facts, **rest, **dict.fromkeys(NUMBERS, 0.5), "val_f1_low": None}


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for key, value in environment(tmp_path / "home").items():
        monkeypatch.setenv(key, value)
    root = tmp_path / "project"
    (root / "metrics").mkdir(parents=True)
    sh(root, "git", "init", "-q", "-b", "main")
    commit(root)
    return root


def commit(root: Path, text: str | None = None, tag: str | None = None) -> None:
    if text is not None:
        (root / OPENINGS).write_text(text)
    sh(root, "git", "add", ".")
    sh(root, "git", "commit", "-q", "--allow-empty", "-m", "x")
    if tag:
        sh(root, "git", "tag", tag)


def test_round_trip(repository: Path) -> None:
    rows = [opening(1), opening(2, 'new "drawings", at last')]
    commit(repository, openings_text(rows))
    assert [{name: row[name] for name in COLUMNS} for row in rows] == read_openings(repository)


def test_never_opened(repository: Path) -> None:
    assert read_openings(repository) == []


def test_an_opening_counts_on_every_branch(repository: Path) -> None:
    sh(repository, "git", "branch", "older")
    commit(repository, openings_text([opening(1)]), "holdout-1")
    sh(repository, "git", "tag", "holdout-notes", "HEAD")  # a tag of somebody's own
    sh(repository, "git", "switch", "-q", "older")
    assert not (repository / OPENINGS).exists()
    assert [row["opening"] for row in read_openings(repository)] == [1]


def test_a_tag_that_somebody_deleted_takes_nothing_back(repository: Path) -> None:
    commit(repository, openings_text([opening(1)]), "holdout-1")
    commit(repository, openings_text([opening(1), opening(2)]))
    assert len(read_openings(repository)) == 2


def test_what_lies_in_the_workspace_alone_is_no_record(repository: Path) -> None:
    commit(repository, openings_text([opening(1)]))
    (repository / OPENINGS).unlink()
    assert len(read_openings(repository)) == 1


@pytest.mark.parametrize(
    "spoil",
    [
        lambda text: text.replace("opening,iteration", "opening,turn"),
        lambda text: text.replace("0.5", "half"),
        lambda text: text.rstrip().rpartition(",")[0],
    ],
)
def test_a_damaged_record_is_one_line(repository: Path, spoil: Callable[[str], str]) -> None:
    commit(repository, spoil(openings_text([opening(1)])))
    with pytest.raises(UserError, match=r"metrics/holdout.csv at HEAD: expected the record of openings") as error:
        read_openings(repository)
    assert "\n" not in str(error.value)
