"""A dataset on disk is read with one line for what is wrong with it, never a traceback."""

from pathlib import Path

import pytest

from stages.base.decoding import read_bgr
from stages.base.errors import UserError
from stages.dataset.sheets.split_folder import check_names, read_labels

CLASSES = ("detail", "title")


@pytest.mark.parametrize("text", ["names: [detail, title]", "names: {1: title, 0: detail}"])
def test_names_as_a_list_or_by_id(tmp_path: Path, text: str) -> None:
    (tmp_path / "data.yaml").write_text(text)
    check_names(CLASSES, tmp_path)


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("names: [title, detail]", "found title, detail. Correct `classes`"),
        ("names: {0: detail, x: title}", "found detail, None"),
        ("names: 3", "found 3."),
        ("names:", "found none"),
        ("nc: 2", "found none"),
        ("[detail, title]", "expected keys and values, found list"),
        ("", "expected keys and values, found NoneType"),
        ("names: [", "expected valid YAML"),
        (None, "expected the dataset's class names, found no file"),
    ],
)
def test_names_that_do_not_fit(tmp_path: Path, text: str | None, complaint: str) -> None:
    if text is not None:
        (tmp_path / "data.yaml").write_text(text)
    with pytest.raises(UserError) as caught:
        check_names(CLASSES, tmp_path)
    assert complaint in str(caught.value)
    assert "\n" not in str(caught.value)


def test_labels_that_are_no_text(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_bytes(b"0 0.5 0.5 0.1 0.1\xff")
    with pytest.raises(UserError, match=r"a\.txt: expected text in UTF-8"):
        read_labels(tmp_path / "a.txt", CLASSES)


def test_a_sheet_that_is_not_there(tmp_path: Path) -> None:
    (tmp_path / "folder.png").mkdir()
    (tmp_path / "dangling.png").symlink_to(tmp_path / "nowhere")
    for name, found in (("folder.png", "Is a directory"), ("dangling.png", "No such file")):
        with pytest.raises(UserError, match=f"{name}: expected an image, found {found}"):
            read_bgr(tmp_path / name)
