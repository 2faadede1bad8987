"""How large objects look to the network in training and at prediction: a network finds the sizes that it has learned.

Ultralytics scales the longer side of a sheet to `imgsz`, up as well as down, in training (also under mosaic) and at
prediction, after rounding `imgsz` up to a multiple of the network's stride. Random zoom (`train.augment.scale`) is as
often in as out, so it widens the sizes of training and leaves their median where it is.
"""

import numpy as np
import pandas as pd

from stages.base.boxes import BOX, area
from stages.ruler.matching.matching import SHEET

STRIDE = 32  # px; of the coarsest layer of the YOLO and YOLOE detectors that we train
# One layer of the detector serves sizes that differ by a factor of 2, and the usual zoom of 0.5 covers 0.5 to 1.5, its
# denser half 0.75 to 1.25: beyond 1.3 most objects are larger, or smaller, than most that the network learned from.
MOST = 1.3
_COLUMNS = ["class_name", "train_boxes", "val_boxes", "train_px", "val_px", "ratio"]


def scale_table(
    *, ground_truth: pd.DataFrame, images: pd.DataFrame, train_imgsz: int, predict_imgsz: int, classes: list[str]
) -> pd.DataFrame:
    """Return class_name, train_boxes, val_boxes, train_px, val_px, ratio: a row "all", then one per class.

    `train_px` is the median size (square root of the area) of the boxes of train at `train_imgsz`, `val_px` of those of
    val at `predict_imgsz`, both in px as the network sees them; `ratio` = val_px / train_px; NaN without a box. The
    tables are GROUND_TRUTH and IMAGES.
    """
    sized = ground_truth.merge(images[[*SHEET, "width", "height"]], on=SHEET, how="left", validate="many_to_one")
    size = np.sqrt(area(sized[BOX].to_numpy(float))) / sized[["width", "height"]].max(axis=1)  # share of longer side
    rows = []
    for name, chosen in [("all", size.notna()), *((c, sized["class_id"] == i) for i, c in enumerate(classes))]:
        train, val = (size[chosen & (sized["split"] == split)] for split in ("train", "val"))
        train_px, val_px = train.median() * _rounded(train_imgsz), val.median() * _rounded(predict_imgsz)
        rows.append((name, len(train), len(val), train_px, val_px, val_px / train_px if train_px else np.nan))
    return pd.DataFrame(rows, columns=_COLUMNS)


def scale_sentence(table: pd.DataFrame) -> str:
    """Return one line for people about the row "all" of `scale_table`; "" where train or val has no box."""
    row = table[table["class_name"] == "all"].iloc[0]
    if np.isnan(row["ratio"]):
        return ""
    return (
        f"object size: {row['train_px']:.0f} px in training, {row['val_px']:.0f} px at prediction "
        f"({row['ratio']:.2f} times; medians as the network sees them)"
    )


def scale_warnings(table: pd.DataFrame) -> list[str]:
    """Return a line per class, and for "all", whose ratio is over `MOST` or under 1 / `MOST`; most often none."""
    far = table[(table["ratio"] > MOST) | (table["ratio"] < 1 / MOST)]
    return [
        f"{'objects' if name == 'all' else name}: {train_px:.0f} px in training and "
        f"{val_px:.0f} px at prediction, {ratio:.2f} times (more than {MOST} apart): "
        f"{'lower' if ratio > 1 else 'raise'} predict.imgsz, or train at another imgsz"
        for name, _, _, train_px, val_px, ratio in far.itertuples(index=False, name=None)
    ]


def _rounded(imgsz: int) -> int:
    return -(-imgsz // STRIDE) * STRIDE
