"""The outside judges of AP: pycocotools and faster-coco-eval, fed with our tables."""

import contextlib
import io
import time
from typing import NamedTuple

import numpy as np

ALL = (0.0, float("inf"))


class Verdict(NamedTuple):
    """AP, (areas, classes, IoUs), NaN where a class has no box; processor's seconds to load the boxes and to judge."""

    ap: np.ndarray
    load: float
    judge: float


def pycocotools_ap(**tables):
    """AP by pycocotools; takes what `verdict` takes."""
    return verdict("pycocotools", **tables).ap


def verdict(judge, *, detections, ground_truth, sheets, classes, areas=(ALL,)):
    """AP by `judge`, pycocotools or faster-coco-eval, with all detections, for each range of `areas`.

    A range goes from its first area on and ends below its second; `sheets` are in the order of their numbers.
    """
    coco_class, eval_class = _parts(judge)
    images = {key: i for i, key in enumerate(zip(sheets["split"], sheets["image_id"], strict=True), 1)}
    dataset = {
        "info": {},
        "images": [{"id": i} for i in images.values()],
        "categories": [{"id": i, "name": str(i)} for i in range(classes)],
        "annotations": [
            {"id": n, "area": row["bbox"][2] * row["bbox"][3], "iscrowd": 0, **row}
            for n, row in enumerate(_rows(ground_truth, images), 1)
        ],
    }
    confidence = detections["confidence"].tolist()
    results = [{**row, "score": score} for row, score in zip(_rows(detections, images), confidence, strict=True)]
    with contextlib.redirect_stdout(io.StringIO()):
        started = time.process_time()
        there = coco_class()
        there.dataset = dataset
        there.createIndex()
        seen = there.loadRes(results) if results else coco_class()
        loaded = time.process_time()
        one = eval_class(there, seen, "bbox")
        one.params.imgIds, one.params.catIds = list(images.values()), list(range(classes))
        one.params.maxDets = [int(detections.groupby(["split", "image_id"]).size().max())] if results else [1]
        one.params.areaRng = [[low, float(np.nextafter(high, low))] for low, high in areas]
        one.params.areaRngLbl = [str(i) for i in range(len(areas))]
        one.evaluate()
        one.accumulate()
        done = time.process_time()
    means = one.eval["precision"][..., 0].mean(axis=1).transpose(2, 1, 0)  # from (IoUs, recalls, classes, areas)
    return Verdict(np.where(means < 0, np.nan, means), loaded - started, done - loaded)


def _parts(judge):
    if judge == "pycocotools":
        from pycocotools.coco import COCO
        from pycocotools.cocoeval import COCOeval

        return COCO, COCOeval
    from faster_coco_eval import COCO, COCOeval_faster

    return COCO, COCOeval_faster


def _rows(table, images):
    sides = table[["x1", "y1"]].assign(w=table["x2"] - table["x1"], h=table["y2"] - table["y1"])
    columns = (table["split"], table["image_id"], table["class_id"].tolist(), sides.to_numpy().tolist())
    return [
        {"image_id": images[split, image_id], "category_id": class_id, "bbox": box}
        for split, image_id, class_id, box in zip(*columns, strict=True)
    ]
