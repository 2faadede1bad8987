"""What filters of detections would cost a perfect detector, said before anything is trained."""

import pandas as pd

from stages.base.boxes import BOX
from stages.detector.prediction.filters import Filters, keep
from stages.ruler.matching.matching import SHEET
from stages.ruler.scores.metrics import ratios


def cost(
    *, ground_truth: pd.DataFrame, images: pd.DataFrame, filters: Filters, classes: list[str], names: list[str]
) -> pd.DataFrame:
    """Return what `filters` take from a detector that finds every box exactly: split, class_name, boxes, deleted,
    recall, f1.

    A row per split of `names` and class, before them one with class_name "all". Recall and F1, in [0, 1], are those
    that such a detector keeps (its precision is 1); NaN without a box. The tables are GROUND_TRUTH and IMAGES.
    """
    sized = ground_truth.merge(images[[*SHEET, "width", "height"]], on=SHEET, how="left", validate="many_to_one")
    passed = keep(sized[BOX].to_numpy(float), width=sized["width"], height=sized["height"], filters=filters)
    rows = []
    for split in names:
        here = (sized["split"] == split).to_numpy()
        for name, chosen in [("all", here), *((c, here & (sized["class_id"] == i)) for i, c in enumerate(classes))]:
            boxes, kept = int(chosen.sum()), int((chosen & passed).sum())
            reached = ratios(tp=kept, fp=0, fn=boxes - kept)
            rows.append((split, name, boxes, boxes - kept, reached["recall"], reached["f1"]))
    table = pd.DataFrame(rows, columns=["split", "class_name", "boxes", "deleted", "recall", "f1"])
    return table.astype({"recall": "float64", "f1": "float64"})


def sentence(costs: pd.DataFrame, filters: Filters, *, split: str) -> str:
    """Return one line for people: what `filters` cost a perfect detector on `split`; "filters: none" when all are off.

    `costs` is what `cost` returned.
    """
    if not filters.active:
        return "filters: none"
    row = costs[(costs["split"] == split) & (costs["class_name"] == "all")].iloc[0]
    limits = " and ".join(f"{name} {value:g}" for name, value in filters.active.items())
    deletes = "deletes" if len(filters.active) == 1 else "delete"
    if not row["deleted"]:
        return f"filters: {limits} {deletes} none of {row['boxes']} true boxes of {split}"
    return (
        f"filters: {limits} {deletes} {row['deleted']} of {row['boxes']} true boxes of {split}: "
        f"a perfect detector would reach recall {row['recall']:.3f}"
    )
