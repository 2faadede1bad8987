"""`yoloop report` makes a page of any iteration, and `finish` that of its own."""

import re
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from stages.base.errors import UserError
from stages.base.tables import read_json
from stages.iteration.advance import advance
from stages.iteration.finish import finish
from stages.report.iteration_report import make_report
from tests.fake_project import dvc, sh
from tests.once import Once

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def two_template(finished_template: Path, once: Once) -> Path:
    """A project in iteration 1, which has run and is not finished: to be copied, never changed."""

    def build(folder: Path) -> None:
        root = Path(shutil.copytree(finished_template, folder / "project", symlinks=True))
        advance(root, reviewer="oracle")
        dvc(root, "repro", "-q")

    return once("two", build) / "project"


@pytest.fixture
def two(clean_env: None, two_template: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(two_template, tmp_path / "project", symlinks=True))


def test_finish_makes_the_page_and_ends_with_it(project: Callable[[], Path]) -> None:
    root = project()
    assert finish(root).splitlines()[-1] == "Page to open: reports/iteration_00.html"
    text = (root / "reports/iteration_00.html").read_text()
    beside = (root / "reports/iteration_00.md").read_text()
    assert beside.startswith("## Iteration 0: go on\n\n1 of 10 iterations are done.\n")
    assert "| F1 on val | 0.800 (0.74 to 0.86) |" in beside
    assert f"commit {sh(root, 'git', 'rev-parse', 'iteration-0')[:10]}" in text
    assert read_json(root / "metrics/converge.json")["reason"] in text
    assert sh(root, "git", "status", "--porcelain") == ""  # it lies beside Git
    assert sh(root, "git", "ls-tree", "-r", "--name-only", "HEAD", "metrics/reports").split() == [
        "metrics/reports/iteration_00.json"
    ]


def test_a_page_that_cannot_be_made_does_not_undo_the_finish(project: Callable[[], Path]) -> None:
    root = project()
    (root / "logs/train").mkdir(parents=True)
    (root / "logs/train/seconds.json").write_text("half a numb")
    said = finish(root)
    assert "try again with `yoloop report`" in said
    assert "logs/train/seconds.json" in said
    assert sh(root, "git", "tag", "-l", "iteration-0")


def test_by_default_the_last_one_that_has_run(two: Path) -> None:
    made = make_report(two)
    assert made.page == two / "reports/iteration_01.html"
    text = made.page.read_text()
    assert "not finished yet" in text
    assert '<a href="iteration_00.html">0</a>' in text
    assert "<h2>The review before this iteration</h2><p>2 of 2 sheets reviewed by labels that were held back:" in text
    finish(two)
    assert read_json(two / "metrics/reports/iteration_01.json")["review"]["sheets"] == 2
    assert make_report(two).page.read_text() == made.page.read_text()  # the same as finish made
    assert "not finished yet" not in made.page.read_text()
    advance(two, reviewer="oracle")
    assert make_report(two).page == two / "reports/iteration_01.html"  # iteration 2 has not run


def test_an_older_one_by_number_and_its_numbers(two: Path) -> None:
    (two / "reports/iteration_00.html").unlink()
    text = make_report(two, 0).page.read_text()
    assert "<h1>Iteration 0</h1>" in text
    assert "The review before this iteration" not in text  # it began with what was imported
    assert re.search(r"F1 on val</span><b>0\.800</b><small>0\.74 to 0\.86</small>", text)
    assert sh(two, "git", "status", "--porcelain", "data", "reports") == ""


def test_says_where_pictures_come_from_when_the_cache_is_empty(two: Path) -> None:
    sh(two, "rm", "-rf", ".dvc/cache")
    made = make_report(two, 0)
    assert "dvc fetch --all-tags && yoloop report 0" in made.note
    assert "dvc fetch --all-tags &amp;&amp; yoloop report 0" in made.page.read_text()


@pytest.mark.parametrize(
    ("number", "complaint"),
    [(7, r"expected an iteration that has run \(0\), found 7"), (1, "stage sample: expected the results")],
)
def test_refuses_what_has_not_run(two: Path, number: int, complaint: str) -> None:
    params = two / "params.yaml"
    params.write_text(params.read_text().replace("budget: 20", "budget: 5"))
    with pytest.raises(UserError, match=complaint):
        make_report(two, number)
    assert not (two / f"reports/iteration_{number:02d}.html").exists()
