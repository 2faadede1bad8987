"""Which tags an iteration has on a line that was started over."""

import pytest

from stages.base.errors import UserError
from stages.project.lines_of_work import LINES, Line, lines_text, prefix, read_lines
from tests.fake_project import sh

LINES_HERE = [Line("again-1", 1), Line("again-3", 3)]


@pytest.mark.parametrize(
    ("lines", "iteration", "expected"),
    [
        ([], 0, ""),
        ([], 5, ""),
        (LINES_HERE, 0, ""),  # run before anything was started over
        (LINES_HERE, 1, "again-1/"),
        (LINES_HERE, 2, "again-1/"),
        (LINES_HERE, 3, "again-3/"),
        (LINES_HERE, 9, "again-3/"),
        ([Line("again-1", 1), Line("again-2", 1)], 1, "again-2/"),  # started over from where it had started over
    ],
)
def test_the_last_line_that_ran_an_iteration_names_its_tags(lines, iteration, expected):
    assert prefix(lines, iteration) == expected


@pytest.fixture
def root(clean_env, tmp_path):
    sh(tmp_path, "git", "init", "-q")
    (tmp_path / "metrics").mkdir()
    return tmp_path


def commit(root, text):
    (root / LINES).write_text(text)
    sh(root, "git", "add", ".")
    sh(root, "git", "commit", "-qm", "x")


def test_lines_are_read_from_the_commit_and_not_from_the_workspace(root):
    assert read_lines(root) == []
    commit(root, lines_text(LINES_HERE))
    (root / LINES).unlink()
    assert read_lines(root) == LINES_HERE


def test_a_damaged_file_is_named(root):
    commit(root, "line,first_iteration\nagain-1\n")
    with pytest.raises(UserError, match=r"lines\.csv: expected the columns line,first_iteration"):
        read_lines(root)
