"""`yoloop log` tells from the tags what happened, iteration by iteration."""

import shutil

import pytest

from stages.base.errors import UserError
from stages.holdout.openings_file import openings_text
from stages.iteration.advance import advance
from stages.iteration.finish import finish
from stages.report.project_log import Chapter, chapter_lines, log_lines, opening_line, reason_lines
from tests.fake_project import dvc, sh
from tests.holdout.test_openings_file import commit, opening

SPLITS = [{"split": "val", "images": 60}, {"split": "train", "images": 1}, {"split": "pool", "images": 9}]
VALIDATE = {"f1": 0.8, "f1_low": 0.71, "f1_high": 0.86, "precision": 0.9, "recall": None, "splits": SPLITS}
REVIEW = {
    "source": "coco and page", "sheets": 9, "packet_sheets": 10, "minutes": 12.04, "timed_sheets": 9,
    "seconds_per_box": 11.6, "confirmed": 50, "moved": 0, "resized": 0, "reclassified": 0, "added": 12, "deleted": 0,
    "auto": {"sheets": 0},
}  # fmt: skip
FIRST = Chapter(
    0,
    "dataset-v0",
    "2026-11-01 by Jo",
    {"validate": VALIDATE, "converge": {"verdict": "go on", "reason": "1 of 10."}, "review": {"source": None}},
    {"title": "bar"},
    {"iteration": 0, "train": {"epochs": 8}},
)
GAIN = {"since": 0, "gain": 0.02, "low": -0.01, "high": 0.05, "other_ruler": ""}
SECOND = Chapter(
    1,
    "dataset-v1",
    "2026-11-02 by Mia",
    {
        "validate": VALIDATE,
        "converge": {"verdict": "stop", "reason": "2 of 2.", "gains": [GAIN]},
        "review": REVIEW,
    },
    {"title": "wide bar"},
    {"iteration": 1, "train": {"epochs": 4}},
)


def test_a_chapter_says_what_happened():
    assert chapter_lines(None, FIRST) == [
        "iteration 0   dataset-v0, 2026-11-01 by Jo: train 1 sheet, val 60 sheets, pool 9 sheets",
        "              F1 0.800 (0.71 to 0.86), P 0.900, R –",
        "              go on: 1 of 10.",
    ]
    assert chapter_lines(FIRST, SECOND)[1:] == [
        "              9 of 10 sheets reviewed with coco and on the page: 62 boxes: 50 confirmed, 12 added; "
        "12.0 minutes, 11.6 s per box",
        "              params: train.epochs 8 -> 4",
        '              prompt * title: "bar" -> "wide bar"',
        "              F1 0.800 (0.71 to 0.86), P 0.900, R –; +0.020 (-0.01 to 0.05)",
        "              stop: 2 of 2.",
    ]


@pytest.mark.parametrize(
    ("review", "said"),
    [
        ({"auto": {"sheets": 2}, "source": "auto"}, "2 sheets labelled by --auto, which nobody looked at"),
        ({}, "F1 0.800 (0.71 to 0.86), P 0.900, R –"),  # from before there was a ledger
    ],
)
def test_other_reviews(review, said):
    lines = chapter_lines(None, FIRST._replace(metrics={**FIRST.metrics, "review": review}))
    assert lines[1].strip() == said


def test_another_ruler_is_no_gain():
    converge = {"gains": [{**GAIN, "other_ruler": "imgsz"}]}
    lines = chapter_lines(FIRST, SECOND._replace(metrics={**SECOND.metrics, "converge": converge}))
    assert lines[-1].endswith("R –; another ruler")


def test_what_followed_an_iteration_stands_at_its_end():
    after = [
        opening_line(opening(2, "the last drawings")),
        *reason_lines({"despite_stop": "more sheets", "accepted_regression": "titles move"}),
    ]
    lines = chapter_lines(FIRST, SECOND._replace(after=after))
    assert [line.strip() for line in lines[-4:]] == [
        "stop: 2 of 2.",
        "test opened (holdout-2, 2026-01-02): F1 0.500 (0.50 to 0.50), P 0.500 (0.50 to 0.50), R 0.500 (0.50 to 0.50); "
        "again: the last drawings",
        "went on despite the stop: more sheets",
        "went on although something was lost: titles move",
    ]
    assert opening_line(opening(1)).endswith("R 0.500 (0.50 to 0.50)")
    assert reason_lines({"despite_stop": ""}) == []  # of before a loss needed a reason


@pytest.mark.slow
def test_reasons_and_openings_stand_at_the_iteration_that_they_followed(project):
    root = project()
    params = root / "params.yaml"
    limits = {"max_iterations: 10": "max_iterations: 1", "overfit_gap: 0.05": "overfit_gap: 0.13"}  # stop, and a loss
    for old, new in limits.items():
        assert old in params.read_text()
        params.write_text(params.read_text().replace(old, new))
    dvc(root, "repro", "-q")
    finish(root)
    head = sh(root, "git", "rev-parse", "iteration-0").strip()
    rows = [{**opening(1), "commit": head}, opening(2, "another line")]
    commit(root, openings_text(rows), "holdout-2")
    advance(root, reviewer="oracle", despite_stop="two new\nprojects", accept_regression="titles move")
    dvc(root, "repro", "-q")
    finish(root)
    lines = log_lines(root)
    second = next(number for number, line in enumerate(lines) if line.startswith("iteration 1"))
    assert [line.strip() for line in lines[second - 3 : second]] == [
        opening_line(rows[0]),
        "went on despite the stop: two new projects",
        "went on although something was lost: titles move",
    ]
    assert [line for line in lines if "opened" in line or "went on" in line] == [
        *lines[second - 3 : second],
        f"elsewhere     iteration 3: {opening_line(rows[1])}",
    ]


@pytest.mark.slow
def test_a_clone_without_data_tells_the_same(project, tmp_path):
    root = project()
    with pytest.raises(UserError, match="a finished iteration"):
        log_lines(root)
    finish(root)
    advance(root, reviewer="oracle")
    dvc(root, "repro", "-q")
    finish(root)
    lines = log_lines(root)
    assert lines[0].startswith("iteration 0   dataset-v0, ")
    assert lines[0].split(" by ")[1].startswith("Tester: ")
    assert any(line.startswith("iteration 1   dataset-v1, ") for line in lines)
    assert any("2 of 2 sheets reviewed by labels that were held back: 3 boxes" in line for line in lines)
    shutil.rmtree(root / "data/dataset")
    sh(tmp_path, "git", "clone", "-q", str(root), "clone")
    assert log_lines(tmp_path / "clone") == lines
