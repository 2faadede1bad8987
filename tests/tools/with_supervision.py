"""Runs in the environment of supervision, as a program: says what it reads in a dataset of ours, or writes it again.

python with_supervision.py read FOLDER FORMAT                     a line of JSON: boxes by the name of the picture
python with_supervision.py convert FOLDER FORMAT TARGET FORMAT    with the pictures; formats: yolo, coco, voc
"""

import json
import sys
from pathlib import Path

import supervision


def opened(folder: str, form: str) -> supervision.DetectionDataset:
    """Return what supervision reads in our folder."""
    dataset = supervision.DetectionDataset
    if form == "yolo":
        return dataset.from_yolo(f"{folder}/images", f"{folder}/labels", f"{folder}/data.yaml")
    if form == "coco":
        return dataset.from_coco(f"{folder}/images", f"{folder}/annotations/instances_train.json")
    return dataset.from_pascal_voc(f"{folder}/JPEGImages", f"{folder}/Annotations")


def main(task: str, folder: str, form: str, *target: str) -> None:
    """Do `task`."""
    dataset = opened(folder, form)
    if task == "convert":
        place, written = target
        if written == "yolo":
            dataset.as_yolo(f"{place}/images", f"{place}/labels", f"{place}/data.yaml")
        elif written == "coco":
            dataset.as_coco(f"{place}/train", f"{place}/train/_annotations.coco.json")
        else:
            dataset.as_pascal_voc(f"{place}/images", f"{place}/annotations")
        return
    found = {
        Path(path).name: [
            [dataset.classes[class_id], *map(float, box)]
            for box, class_id in zip(boxes.xyxy, boxes.class_id, strict=True)
        ]
        for path, _, boxes in dataset
    }
    print(json.dumps(found))


if __name__ == "__main__":
    main(*sys.argv[1:])
