"""Runs in the environment of datumaro, as a program: says what it reads in a dataset, or writes it in another format.

python with_datumaro.py read PATH FORMAT                    a line of JSON: boxes by the name of the picture
python with_datumaro.py convert PATH FORMAT TARGET FORMAT   with the pictures
"""

import json
import sys
from pathlib import Path

import datumaro


def main(task: str, path: str, form: str, *target: str) -> None:
    """Do `task`."""
    dataset = datumaro.Dataset.import_from(path, form)
    if task == "convert":
        if target[1] == "yolo_ultralytics":  # it writes nothing without two splits
            dataset.transform("random_split", splits=[("train", 0.5), ("val", 0.5)], seed=1)
        dataset.export(target[0], target[1], save_media=True)
        return
    labels = dataset.categories()[datumaro.AnnotationType.label]
    found = {
        Path(item.media.path).name: [
            [labels[one.label].name, *one.points, {name: str(value) for name, value in one.attributes.items()}]
            for one in item.annotations
            if one.type == datumaro.AnnotationType.bbox
        ]
        for item in dataset
    }
    print(json.dumps(found))


if __name__ == "__main__":
    main(*sys.argv[1:])
