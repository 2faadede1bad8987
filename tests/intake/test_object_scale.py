import numpy as np
import pandas as pd
import pytest

from stages.detector.model.runtime import start_ultralytics
from stages.intake.object_scale import (
    FEW,
    scale_sentence,
    scale_table,
    scale_warnings,
    tiny_sentence,
    tiny_table,
    tiny_warnings,
)

CLASSES = ["door", "sink"]
IMAGES = pd.DataFrame(
    [("train", "t", 1000, 500), ("val", "v", 400, 2000)], columns=["split", "image_id", "width", "height"]
)


def truth(*rows):
    """Return boxes of (split, class_id, width, height)."""
    sheet = {"train": "t", "val": "v"}
    table = [(split, sheet[split], class_id, 0.0, 0.0, w, h) for split, class_id, w, h in rows]
    return pd.DataFrame(table, columns=["split", "image_id", "class_id", "x1", "y1", "x2", "y2"])


def table(*rows, train_imgsz=640, predict_imgsz=640, tile=None):
    sizes = {"train_imgsz": train_imgsz, "predict_imgsz": predict_imgsz, "tile": tile}
    return scale_table(ground_truth=truth(*rows), images=IMAGES, classes=CLASSES, **sizes)


def test_medians_by_hand():
    # train: 10 x 40 and 20 x 20 are both 20 px of 1000, 50 x 50 is 50; val: 100 x 100 of 2000.
    rows = table(("train", 0, 10, 40), ("train", 0, 20, 20), ("train", 1, 50, 50), ("val", 0, 100, 100))
    assert rows["train_px"].tolist() == pytest.approx([12.8, 12.8, 32])
    assert rows["val_px"].tolist() == pytest.approx([32, 32, np.nan], nan_ok=True)
    assert rows["ratio"].tolist() == pytest.approx([2.5, 2.5, np.nan], nan_ok=True)
    assert rows[["train_boxes", "val_boxes"]].to_numpy().tolist() == [[3, 1], [2, 1], [1, 0]]


def test_other_splits_do_not_count():
    pool = truth(("train", 0, 20, 20), ("val", 0, 40, 40)).assign(split=["train", "pool"], image_id=["t", "v"])
    images = IMAGES.assign(split=["train", "pool"])
    got = scale_table(ground_truth=pool, images=images, train_imgsz=640, predict_imgsz=640, tile=None, classes=CLASSES)
    assert got["val_boxes"].tolist() == [0, 0, 0]
    assert scale_sentence(got) == ""
    assert scale_warnings(got) == []


def test_imgsz_is_rounded_up_to_the_stride():
    rows = table(("train", 0, 20, 20), ("val", 0, 40, 40), train_imgsz=330, predict_imgsz=352)
    assert rows["ratio"][0] == pytest.approx(1.0)


@pytest.mark.parametrize(
    ("side", "word"), [(51.9, None), (52.1, "lower"), (30.9, None), (30.7, "raise")]
)  # px of 2000 in val, against 20 of 1000 in train: 1.3 times is 52, 1 / 1.3 is 30.77
def test_a_mismatch_over_the_limit_is_a_warning(side, word):
    rows = table(*[("train", 0, 20, 20), ("val", 0, side, side)] * FEW)
    assert scale_warnings(table(("train", 0, 20, 20), ("val", 0, side, side))) == []  # one box of each says little
    warnings = scale_warnings(rows)
    assert len(warnings) == (2 if word else 0)  # over all, and the class
    assert all(f"{word} predict.imgsz" in line for line in warnings)


def test_the_sentence():
    rows = table(("train", 0, 50, 50), ("val", 0, 130, 130))
    assert scale_sentence(rows) == (
        "object size: 32 px in training, 42 px at prediction (1.30 times; medians as the network sees them)"
    )


def tiny(*rows, imgsz=640, tile=None):
    return tiny_table(ground_truth=truth(*rows), images=IMAGES, imgsz=imgsz, tile=tile, classes=CLASSES)


def test_windows_are_scaled_instead_of_sheets():
    rows = [("train", 0, 20, 20), ("val", 0, 40, 40)]
    assert table(*rows)["val_px"][0] == pytest.approx(12.8)
    cut = table(*rows, tile=800)  # px of 800, though the sheets are of 1000 and 2000 px
    assert cut.loc[0, ["train_px", "val_px"]].tolist() == pytest.approx([16, 32])
    assert table(*rows, tile=4000)["val_px"][0] == pytest.approx(12.8)


def test_a_tenth_of_a_class_by_hand():
    rows = tiny(*(("val", 0, side, side) for side in range(100, 120, 2)), ("train", 0, 20, 80))  # 40 of 1000 px
    assert rows["class_name"].tolist() == ["door"]  # no sink, no row
    assert rows.loc[0, ["px", "sheet_px"]].tolist() == pytest.approx([32, 100])  # the second of eleven


def test_a_class_that_is_too_small_gets_the_size_and_the_window_that_mend_it():
    rows = tiny(("val", 0, 40, 40), ("val", 1, 20, 20))
    assert tiny_sentence(rows) == (
        "the smallest tenth of objects, as the network sees them: door up to 13 px, sink up to 6 px"
    )
    assert tiny_warnings(rows, imgsz=640) == [
        "too small for the network (a tenth is under 8 px): sink 6.4 px. "
        "Set train.imgsz and predict.imgsz to 800, or tile 1600"
    ]
    for mended in (tiny(("val", 1, 20, 20), imgsz=800), tiny(("val", 1, 20, 20), tile=1600)):
        assert tiny_warnings(mended, imgsz=640) == []
    assert tiny_warnings(tiny(("val", 1, 20, 20), imgsz=768), imgsz=768)
    assert tiny_sentence(tiny()) == ""


def test_ultralytics_scales_up_and_down_in_training_and_at_prediction(tmp_path, monkeypatch):
    """The assumption of the module, on the two pieces of Ultralytics that resize."""
    monkeypatch.chdir(tmp_path)
    start_ultralytics()
    import cv2
    from ultralytics.data.augment import LetterBox
    from ultralytics.data.base import BaseDataset

    for side, expected in ((100, 2.0), (400, 0.5)):
        image = np.zeros((side, side // 2, 3), np.uint8)
        cv2.imwrite(str(tmp_path / "a.png"), image)
        loader = BaseDataset.__new__(BaseDataset)
        loader.__dict__ |= {"imgsz": 200, "augment": False, "cache": False, "cv2_flag": cv2.IMREAD_COLOR, "ims": [None]}
        loader.__dict__ |= {"im_files": [str(tmp_path / "a.png")], "npy_files": [tmp_path / "a.npy"]}
        assert loader.load_image(0)[2][0] == side * expected
        assert LetterBox((200, 200), auto=True, stride=32)(image=image).shape[0] == side * expected
