"""Windows overlap by what labels say, in steps."""

import cv2
import numpy as np
import pytest

from stages.base.errors import UserError
from stages.detector.prediction.tiles.label_overlap import overlap, read_tiling
from stages.detector.prediction.tiles.windows import Tiling


@pytest.mark.parametrize(
    ("sides", "found"),
    [
        ([], 128),
        ([20.0] * 50, 128),
        ([124.0] * 50, 128),
        ([124.1] * 50, 256),
        ([300.0] * 50, 384),
        ([900.0] * 50, 512),  # no more than half of a window
        ([20.0] * 199 + [900.0], 128),  # one in 200 is left to the view of the whole sheet
    ],
)
def test_the_overlap_of_windows_of_1024_px(sides, found):
    assert overlap(np.array(sides), 1024) == found


@pytest.fixture
def project(tmp_path):
    images, labels = (tmp_path / "data/dataset/train" / part for part in ("images", "labels"))
    for folder in (images, labels):
        folder.mkdir(parents=True)
    cv2.imwrite(str(images / "a.png"), np.zeros((400, 1000, 3), np.uint8))
    cv2.imwrite(str(images / "b.png"), np.zeros((50, 50, 3), np.uint8))
    (labels / "a.txt").write_text("0 0.5 0.5 0.15 0.1\n")  # 150 x 40 px
    return tmp_path


def test_a_project_says_how_its_sheets_are_cut(project):
    (project / "params.yaml").write_text("tile: null\n")
    assert read_tiling(["door"], project) is None
    (project / "params.yaml").write_text("classes: [door]\n")  # from before there were windows
    assert read_tiling(["door"], project) is None
    (project / "params.yaml").write_text("tile: 640\n")
    assert read_tiling(["door"], project) == Tiling(640, 160)


def test_where_train_has_no_sheet_val_says_how_large_objects_are(project):
    (project / "params.yaml").write_text("tile: 640\n")
    (project / "data/dataset/train").rename(project / "data/dataset/val")
    assert read_tiling(["door"], project) == Tiling(640, 160)
    (project / "data/dataset/val").rename(project / "data/dataset/pool")
    assert read_tiling(["door"], project) == Tiling(640, 80)


@pytest.mark.parametrize("value", ["0", "63", "1024.0", "true", "wide"])
def test_a_tile_that_is_none_is_refused_with_its_line(project, value):
    (project / "params.yaml").write_text(f"iteration: 0\ntile: {value}\n")
    with pytest.raises(UserError, match=r"params.yaml:2: expected tile: null, or the side of a window in px"):
        read_tiling(["door"], project)
