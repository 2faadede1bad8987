import cv2
import numpy as np
import pytest

from stages.dataset.crops import cut, safe_name, save_image, to_grey

SHEET = np.full((100, 200, 3), 255, dtype=np.uint8)


@pytest.mark.parametrize(
    ("box", "padding", "shape"),
    [
        ([80, 40, 100, 60], 10, (40, 40)),
        ([0, 0, 20, 20], 50, (70, 70)),  # as far as the sheet reaches
        ([80.4, 40.4, 99.6, 59.6], 10, (40, 40)),  # whole pixels around
        ([150, 80, 260, 160], 0, (20, 50)),
        ([300, 300, 320, 320], 10, (1, 1)),  # outside
    ],
)
def test_cut(box, padding, shape):
    before = SHEET.copy()
    crop = cut(SHEET, np.array(box, dtype=float), padding=padding)
    assert crop.shape == (*shape, 3)
    assert (before == SHEET).all(), "drawing must not touch the sheet"


def test_the_outline_hides_nothing_of_the_object():
    crop = cut(SHEET, np.array([80.0, 40, 100, 60]), padding=10)
    assert (crop[10:30, 10:30] == 255).all()
    assert (crop[9, 9:31] != 255).any(axis=1).all()
    assert (crop[30, 9:31] != 255).any(axis=1).all()


@pytest.mark.parametrize("suffix", [".jpg", ".png"])
def test_save_image(tmp_path, suffix):
    file = tmp_path / "deep" / f"crop{suffix}"
    for _ in range(2):
        save_image(SHEET, file)
    assert cv2.imread(str(file)).shape == SHEET.shape
    assert [child.name for child in file.parent.iterdir()] == [file.name]


def test_to_grey():
    assert to_grey(SHEET).shape == (100, 200)
    assert (to_grey(SHEET) == 255).all()


@pytest.mark.parametrize("name", ["plan_01-a.b", "Grundriß"])
def test_a_safe_name_stays(name):
    assert safe_name(name) == name


@pytest.mark.parametrize("name", ["a/b", "..", "../../etc", "a b", "ä:ö", "x" * 300, ""])
def test_an_unsafe_name_changes_and_stays_unique(name, tmp_path):
    got = safe_name(name) if name else safe_name("/")
    assert "/" not in got
    assert not got.startswith(".")
    assert len(got) < 80
    (tmp_path / f"{got}.jpg").write_text("")


def test_two_long_names_and_a_temporary_one_fit_a_file_system(tmp_path):
    file = tmp_path / f"{safe_name('图' * 90)}__medium__{safe_name('类' * 90)}__12345.jpg"
    save_image(SHEET, file)
    assert file.is_file()


def test_names_that_clean_to_the_same_stay_apart():
    assert len({safe_name(name) for name in ["a b", "a_b", "a/b", "a  b"]}) == 4
