import cv2
import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest

from stages.analysis.figures import Crop, draw_bars, draw_class_bars, draw_crops, draw_heatmap

KINDS = ("tiny", "small")
COUNTS = pd.DataFrame(
    [("val", "tiny", 3, 9), ("val", "small", 0, 0), ("pool", "tiny", 1, 4), ("pool", "small", 2, 2)],
    columns=["split", "category", "misses", "boxes"],
)
NONE = COUNTS.assign(misses=0)
CROP = Crop("door · tiny", "a_very_long_name_of_a_sheet_that_has_no_end", np.full((40, 90, 3), 128, dtype=np.uint8))
CENTRES = np.array([[0.5, 0.5], [0.5, 0.5], [1.2, -0.1]])
DRAWINGS = {
    "bars": lambda file: draw_bars(COUNTS, file, title="T", categories=KINDS),
    "bars of nothing": lambda file: draw_bars(NONE, file, title="T", categories=KINDS),
    "classes": lambda file: draw_class_bars(COUNTS, file, title="T"),
    "classes of nothing": lambda file: draw_class_bars(NONE, file, title="T"),
    "heatmap": lambda file: draw_heatmap(CENTRES, file, bins=50, aspect=1.5, title="T"),
    "heatmap of nothing": lambda file: draw_heatmap(np.zeros((0, 2)), file, bins=50, aspect=1.5, title="T"),
    "crops": lambda file: draw_crops([CROP] * 9, file, title="T", total=12),
    "crops of nothing": lambda file: draw_crops([], file, title="T", total=0),
}


@pytest.mark.parametrize("name", DRAWINGS)
def test_equal_input_gives_equal_bytes_on_any_settings(name, tmp_path):
    DRAWINGS[name](tmp_path / "a.png")
    with mpl.rc_context({"font.size": 30, "axes.grid": True, "savefig.dpi": 30, "savefig.bbox": "tight"}):
        DRAWINGS[name](tmp_path / "b.png")
        assert mpl.rcParams["font.size"] == 30, "the settings of others stay theirs"
    assert (tmp_path / "a.png").read_bytes() == (tmp_path / "b.png").read_bytes()
    assert b"matplotlib" not in (tmp_path / "a.png").read_bytes().lower()
    image = cv2.imread(str(tmp_path / "a.png"))
    assert min(image.shape[:2]) > 150
    assert (image < 200).any(), "something must be on it"


def test_other_counts_make_another_figure(tmp_path):
    DRAWINGS["bars"](tmp_path / "a.png")
    draw_bars(COUNTS.assign(boxes=[9, 0, 4, 3]), tmp_path / "b.png", title="T", categories=KINDS)
    assert (tmp_path / "a.png").read_bytes() != (tmp_path / "b.png").read_bytes()


def test_class_names_are_no_formulas(tmp_path):
    draw_class_bars(COUNTS.replace({"category": {"tiny": "$x_{"}}), tmp_path / "a.png", title="cost $1 and $2")
    assert (tmp_path / "a.png").is_file()
