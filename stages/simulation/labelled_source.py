"""Reads a dataset that is labelled throughout, checks it as an import does, and deals it on disk, seed by seed.

Checking and comparing images takes long, so that is done once: `source` then holds images, labels and who is kin.
"""

import json
import shutil
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from stages.base.atomic import replacing_folder
from stages.base.errors import problem
from stages.base.tables import read_json
from stages.dataset.defects import refuse
from stages.dataset.new_dataset import NewSheet, write_dataset, write_description, write_oracle
from stages.firewall.grouping import read_groups
from stages.firewall.kinship import copies_among
from stages.firewall.roles import Kinship
from stages.formats.dataset_reader import read_dataset
from stages.formats.source_sheets import Dataset
from stages.formats.yolo_folder import read_names
from stages.formats.yolo_reader import sheet_labels
from stages.intake.contract.contract import check_sheets, dataset_findings
from stages.intake.contract.lost_boxes import lost_findings
from stages.simulation.sheet_deal import deal

_KIN = "kin.json"


def read_labelled(folder: Path) -> Dataset:
    """Return what is in `folder`, images not opened; raise `UserError` for a sheet of any split without labels."""
    dataset = read_dataset(folder)
    bare = [one.item.label for one in dataset.sheets if not one.rows and not one.item.label.is_file()]
    if bare and dataset.kind == "YOLO folder":
        raise problem("labelled_source.label_file_every", bare[0], count=len(bare))
    return dataset


def write_source(dataset: Path, target: Path, *, group_pattern: str | None) -> None:
    """Write the sheets of all splits of `dataset` to `target`; raise `UserError` for what an import would refuse."""
    found = read_labelled(dataset)
    then = f"All of them: yoloop data check {dataset}"
    refuse(dataset_findings(found), then=then)
    checked = check_sheets(found.sheets)
    refuse([finding for one in checked for finding in one.findings], then=then)
    refuse(lost_findings(found, checked), then=then)
    images = {one.sheet.item.image.name: one.sheet.item.image for one in checked}
    kin = {"copies": copies_among(images), "groups": read_groups(list(images), pattern=group_pattern, file=None)}
    with replacing_folder(target) as building:
        for kind in ("images", "labels"):
            (building / kind).mkdir()
        for one in checked:
            image = one.sheet.item.image
            shutil.copyfile(image, building / "images" / image.name)
            text = sheet_labels(one.sheet, one.placed).text
            (building / "labels" / f"{image.stem}.txt").write_text(text, encoding="utf-8")
        write_description(building, found.source.classes)
        (building / _KIN).write_text(json.dumps(kin, ensure_ascii=False, indent=1), encoding="utf-8")


def write_deal(source: Path, sizes: Mapping[str, int], seed: int, folder: Path) -> None:
    """Write the dataset of `seed` and the held-back labels of its pool to `folder`."""
    kin = read_json(source / _KIN)
    kinship = Kinship([tuple(names) for names in kin["copies"]], kin["groups"])
    images = sorted((source / "images").iterdir())
    try:
        roles = deal(kinship.units([image.name for image in images]), sizes, np.random.default_rng(seed))
    except ValueError as error:
        raise problem("labelled_source.sheets_every_role", folder, role=error, sheets=len(images)) from error
    sheets = {
        role: [
            NewSheet(image, _rows(source, image), role == "pool", kinship.groups.get(image.name, ""))
            for image in images
            if image.name in names
        ]
        for role, names in roles.items()
    }
    with replacing_folder(folder) as building:
        write_dataset(building / "dataset", sheets, read_names(source))
        write_oracle(building / "oracle", sheets["pool"])


def _rows(source: Path, image: Path) -> str:
    return (source / "labels" / f"{image.stem}.txt").read_text(encoding="utf-8")
