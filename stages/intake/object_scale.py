"""How large objects look to the network in training and at prediction: a network finds the sizes that it has learned.

Ultralytics scales the longer side of a sheet, or of a window of it, to `imgsz`, up as well as down, in training (also
under mosaic) and at prediction, after rounding `imgsz` up to a multiple of the network's stride. Random zoom
(`train.augment.scale`) is as often in as out, so it widens the sizes of training and leaves their median where it is.
"""

import numpy as np
import pandas as pd

from stages.base.boxes import BOX, area
from stages.base.params import LEAST_TILE
from stages.ruler.matching.matching import SHEET

STRIDE = 32  # px; of the coarsest layer of the YOLO and YOLOE detectors that we train
# One layer of the detector serves sizes that differ by a factor of 2, and the usual zoom of 0.5 covers 0.5 to 1.5, its
# denser half 0.75 to 1.25: beyond 1.3 most objects are larger, or smaller, than most that the network learned from.
MOST = 1.3
FEW = 10  # boxes
LEAST = 8  # px: the stride of the network's finest layer, below which an object fills no cell of it
TENTH = 10  # percentile
_COLUMNS = ["class_name", "train_boxes", "val_boxes", "train_px", "val_px", "ratio"]


def scale_table(
    *,
    ground_truth: pd.DataFrame,
    images: pd.DataFrame,
    train_imgsz: int,
    predict_imgsz: int,
    tile: int | None,
    classes: list[str],
) -> pd.DataFrame:
    """Return class_name, train_boxes, val_boxes, train_px, val_px, ratio: a row "all", then one per class.

    `train_px` is the median size (square root of the area) of the boxes of train at `train_imgsz`, `val_px` of those of
    val at `predict_imgsz`, both in px as the network sees them; `ratio` = val_px / train_px; NaN without a box. The
    tables are GROUND_TRUTH and IMAGES; with `tile` a sheet is seen in windows of so many px.
    """
    sized = _sized(ground_truth, images)
    size = sized["size"] / _shown(sized["longer"], tile)  # share of the longer side
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
    """Return a line per class, and for "all", whose ratio is over `MOST` or under 1 / `MOST`; most often none.

    Of a class with fewer than FEW boxes in train or val the median says little.
    """
    enough = table[["train_boxes", "val_boxes"]].min(axis=1) >= FEW
    far = table[enough & ((table["ratio"] > MOST) | (table["ratio"] < 1 / MOST))]
    return [
        f"{'objects' if name == 'all' else name}: {train_px:.0f} px in training and "
        f"{val_px:.0f} px at prediction, {ratio:.2f} times (more than {MOST} apart): "
        f"{'lower' if ratio > 1 else 'raise'} predict.imgsz, or train at another imgsz"
        for name, _, _, train_px, val_px, ratio in far.itertuples(index=False, name=None)
    ]


def tiny_table(
    *, ground_truth: pd.DataFrame, images: pd.DataFrame, imgsz: int, tile: int | None, classes: list[str]
) -> pd.DataFrame:
    """Return class_name, px, sheet_px: the TENTH percentile of the sizes of a class as the network sees them at
    `imgsz`, and in px of the sheet; a row per class that has boxes. The tables are GROUND_TRUTH and IMAGES.
    """
    sized = _sized(ground_truth, images)
    seen = sized["size"] * _rounded(imgsz) / _shown(sized["longer"], tile)
    rows = []
    for i, name in enumerate(classes):
        own = (sized["class_id"] == i).to_numpy()
        if own.any():
            rows.append((name, np.percentile(seen[own], TENTH), np.percentile(sized["size"][own], TENTH)))
    return pd.DataFrame(rows, columns=["class_name", "px", "sheet_px"])


def tiny_sentence(table: pd.DataFrame) -> str:
    """Return one line for people about `tiny_table`; "" without boxes."""
    sizes = ", ".join(f"{name} up to {px:.0f} px" for name, px, _ in table.itertuples(index=False, name=None))
    return f"the smallest tenth of objects, as the network sees them: {sizes}" if sizes else ""


def tiny_warnings(table: pd.DataFrame, *, imgsz: int) -> list[str]:
    """Return a line where a tenth of a class is under LEAST px to the network at `imgsz`, with what mends it."""
    tiny = table[table["px"] < LEAST]
    if not len(tiny):
        return []
    larger = _rounded(int(np.ceil(_rounded(imgsz) * (LEAST / tiny["px"]).max())))
    window = int(_rounded(imgsz) * tiny["sheet_px"].min() / LEAST) // STRIDE * STRIDE
    windows = f", or tile {window}" if window >= LEAST_TILE else ""
    sizes = ", ".join(f"{name} {px:.1f} px" for name, px, _ in tiny.itertuples(index=False, name=None))
    return [
        f"too small for the network (a tenth is under {LEAST} px): {sizes}. "
        f"Set train.imgsz and predict.imgsz to {larger}{windows}"
    ]


def _sized(ground_truth: pd.DataFrame, images: pd.DataFrame) -> pd.DataFrame:
    """Return the boxes with `size`, the square root of the area, and `longer`, the longer side of the sheet, in px."""
    sized = ground_truth.merge(images[[*SHEET, "width", "height"]], on=SHEET, how="left", validate="many_to_one")
    longer = sized[["width", "height"]].max(axis=1)
    return sized.assign(size=np.sqrt(area(sized[BOX].to_numpy(float))), longer=longer)


def _shown(longer: pd.Series, tile: int | None) -> pd.Series:
    """Return how many px of the sheet are scaled to `imgsz`, from the longer sides of sheets."""
    return longer if tile is None else longer.clip(upper=tile)


def _rounded(imgsz: int) -> int:
    return -(-imgsz // STRIDE) * STRIDE
