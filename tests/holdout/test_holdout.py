"""What `yoloop holdout` refuses; the opening itself is in tests/real/test_holdout.py, with real weights."""

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest

from stages.base.errors import UserError
from stages.dataset.sheets.manifest import MANIFEST, manifest_row, read_manifest, write_manifest
from stages.holdout.holdout import holdout, require_sheets
from stages.holdout.openings_file import OPENINGS, openings_text, read_openings
from stages.iteration.new_line import start_over
from stages.iteration.status import status_lines
from stages.report.iteration_report import make_report
from tests.fake_project import sh
from tests.holdout.test_openings_file import commit, opening
from tests.refusal import contents

ROW = "0 0.5 0.5 0.2 0.2\n"


def write_sheets(root: Path, split: str, labels: Sequence[str | None], seed: int) -> None:
    """Write sheets of random rectangles, which look like each other only with the same seed."""
    from PIL import Image

    rng = np.random.default_rng(seed)
    for kind in ("images", "labels"):
        (root / "data/dataset" / split / kind).mkdir(parents=True, exist_ok=True)
    rows = []
    for place, label in enumerate(labels):
        pixels = np.full((256, 320), 255, np.uint8)
        for x, y in rng.integers(0, 250, (40, 2)):
            pixels[y : y + rng.integers(2, 40), x : x + rng.integers(2, 40)] = rng.integers(0, 200)
        folder = root / "data/dataset" / split
        image, file = folder / f"images/{split}_{place}.png", folder / f"labels/{split}_{place}.txt"
        Image.fromarray(pixels).save(image)
        if label is not None:
            file.write_text(label)
        rows.append(manifest_row(image, file, added_iteration=0, label_source="import"))
    write_manifest(rows, root / "data/dataset" / split / MANIFEST)


def test_whole_and_labelled_sheets_are_taken(tmp_path: Path) -> None:
    write_sheets(tmp_path, "test", [ROW, ""], seed=1)
    write_sheets(tmp_path, "train", [ROW, ROW], seed=2)
    require_sheets(tmp_path)


@pytest.mark.parametrize(
    ("labels", "complaint"),
    [
        ([], r"data/dataset/test: expected sheets, found none\. .*yoloop data import --help"),
        ([ROW, None, None], r"expected a label file for every sheet .* found 2 without, test_1.png first"),
        (["", " \n"], "data/dataset/test: expected boxes to find, found none"),
    ],
)
def test_refuses_a_test_that_nothing_can_be_measured_on(
    tmp_path: Path, labels: list[str | None], complaint: str
) -> None:
    write_sheets(tmp_path, "test", labels, seed=1)
    with pytest.raises(UserError, match=complaint):
        require_sheets(tmp_path)


def test_refuses_a_sheet_that_train_has_too(tmp_path: Path) -> None:
    write_sheets(tmp_path, "test", [ROW, ROW], seed=1)
    write_sheets(tmp_path, "train", [ROW], seed=1)
    with pytest.raises(
        UserError, match=r"test/images/test_0.png: expected no copy .* in train, .* found train_0.png\."
    ):
        require_sheets(tmp_path)


def test_refuses_a_group_that_train_has_too(tmp_path: Path) -> None:
    for split, seed in (("test", 1), ("train", 2)):
        write_sheets(tmp_path, split, [ROW], seed=seed)
        file = tmp_path / "data/dataset" / split / MANIFEST
        write_manifest([row._replace(group="school") for row in read_manifest(file)], file)
    with pytest.raises(UserError, match=r"test_0.png: expected .* none of its group, found train_0.png\."):
        require_sheets(tmp_path)


def test_refuses_an_iteration_that_is_not_finished(project: Callable[[], Path]) -> None:
    root = project()
    with pytest.raises(UserError, match=r"iteration 0: expected a finished iteration \(tag iteration-0\), found none"):
        holdout(root)


@pytest.mark.parametrize(
    ("name", "old", "new", "complaint"),
    [
        ("data/dataset/test/labels/x1.txt", "0.2", "0.3", "data/dataset.dvc: expected"),
        ("data/prompts.yaml", "title under", "the title of", "prompts.yaml: expected params and prompts as at"),
        (
            "params.yaml",
            "confidence: 0.25",
            "confidence: 0.35",
            "as at the tag iteration-0, .* git stash && yoloop hol",
        ),
    ],
)
def test_refuses_what_has_changed_since(
    finished: Callable[[], Path], name: str, old: str, new: str, complaint: str
) -> None:
    root = finished()
    file = root / name
    text = file.read_text()
    assert old in text
    file.unlink()
    file.write_text(text.replace(old, new))
    before = contents(root), sh(root, "git", "log", "--format=%H")
    with pytest.raises(UserError, match=complaint):
        holdout(root)
    assert (contents(root), sh(root, "git", "log", "--format=%H")) == before


def test_refuses_results_of_other_params(finished: Callable[[], Path]) -> None:
    root = finished()
    sh(root, "git", "tag", "-f", "iteration-0", "dataset-v0")
    with pytest.raises(UserError, match="expected the results that iteration 0 was finished with"):
        holdout(root)


def test_refuses_a_second_time_without_a_reason(finished: Callable[[], Path]) -> None:
    root = finished()
    commit(root, openings_text([opening(1)]), "holdout-1")
    for again in (None, "", "  "):
        with pytest.raises(UserError, match=r"never opened, found test opened once .*2026-01-02.* holdout --again"):
            holdout(root, again=again)
    assert len(read_openings(root)) == 1


def test_asks_before_the_loop_has_ended(finished: Callable[[], Path]) -> None:
    root, asked = finished(), []
    with pytest.raises(UserError, match="expected the verdict 'stop', or `--yes`, found 'go on'"):
        holdout(root, sure=lambda text: bool(asked.append(text)))
    assert asked[0].startswith("The verdict is to go on")
    assert read_openings(root) == []


def test_refuses_a_reason_for_the_first_time(finished: Callable[[], Path]) -> None:
    with pytest.raises(UserError, match="--again: expected an earlier opening of test, found none"):
        holdout(finished(), again="to see")


@pytest.mark.slow
def test_openings_are_in_status_and_on_the_page_and_outlive_a_new_start(finished: Callable[[], Path]) -> None:
    root = finished()
    assert "opened" not in status_lines(root)[1]
    assert "On test" not in make_report(root).page.read_text()
    commit(root, openings_text([opening(1)]), "holdout-1")
    assert status_lines(root)[1].endswith("3 boxes in train; test opened once")
    commit(root, openings_text([opening(1), opening(2, "new <drawings>")]), "holdout-2")
    said = "test opened 2 times: numbers after the first are no longer a surprise"
    assert status_lines(root)[1].endswith(said)
    page = make_report(root).page.read_text()
    assert f"<p>T{said[1:]}.</p>" in page
    assert "Opening 2: new &lt;drawings&gt;" in page
    start_over(root, 0)
    assert not (root / OPENINGS).exists()  # a result of later than that state
    assert status_lines(root)[1].endswith(said)
