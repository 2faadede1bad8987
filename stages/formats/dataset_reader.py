"""Reads a dataset in whichever format its files are in."""

from pathlib import Path

from stages.base.errors import UserError, problem
from stages.base.params import is_plain_name
from stages.dataset.defects import finding
from stages.dataset.folder_depth import require_shallow
from stages.formats.coco.coco_file import coco_files
from stages.formats.coco_reader import read_coco
from stages.formats.doubts.links import broken_links, require_no_linked_folder
from stages.formats.doubts.once_each import once_each
from stages.formats.source_sheets import Dataset
from stages.formats.voc_reader import first_voc_file, read_voc, voc_files
from stages.formats.yolo_folder import description
from stages.formats.yolo_reader import read_yolo


def read_dataset(folder: Path) -> Dataset:
    """Return what is in `folder`: a YOLO folder if it has data.yaml, else COCO JSON, else Pascal VOC.

    Raises `UserError` for a folder that is none of these, and for what cannot be read at all.
    """
    dataset = once_each(_read(folder))
    for name in dataset.source.classes:
        if not is_plain_name(name):
            raise problem("dataset_reader.plain_name", folder, found=repr(name))
    return dataset._replace(findings=(*dataset.findings, *broken_links(folder)))


def _read(folder: Path) -> Dataset:
    if folder.is_dir():
        require_shallow(folder)
        require_no_linked_folder(folder)
    if not folder.is_dir() or description(folder).is_file():
        return _yolo_or_beside(folder)
    coco = coco_files(folder)
    if coco:
        return read_coco(folder, coco)
    voc = voc_files(folder)
    return read_voc(folder, voc) if voc else read_yolo(folder)


def _yolo_or_beside(folder: Path) -> Dataset:
    """Return the YOLO folder, with a note about other annotations in it; or those, if it has no images of YOLO's."""
    try:
        dataset = read_yolo(folder)
    except UserError:
        voc = voc_files(folder) if folder.is_dir() else []
        coco = coco_files(folder) if folder.is_dir() else []
        if coco:
            return read_coco(folder, coco)
        if voc:
            return read_voc(folder, voc)
        raise
    others = [*(one.file for one in coco_files(folder)[:1]), first_voc_file(folder)]
    notes = [finding("note", "dataset_reader.other-format", file) for file in others if file]
    return dataset._replace(findings=(*dataset.findings, *notes))
