"""Reads a folder of pictures that nobody has labelled: a start without labels."""

from collections.abc import Iterator, Sequence
from itertools import chain
from pathlib import Path

from stages.base.errors import problem
from stages.dataset.folder_depth import require_shallow
from stages.dataset.sheets.split_folder import IMAGE_SUFFIXES
from stages.formats.coco.coco_file import coco_files
from stages.formats.doubts.links import broken_links, require_no_linked_folder
from stages.formats.doubts.stored_accents import as_stored
from stages.formats.image_lookup import every_image
from stages.formats.source_sheets import Dataset, SourceSheet
from stages.formats.voc_reader import first_voc_file
from stages.formats.yolo_folder import Item, Source, description, labels_of
from stages.formats.yolo_reader import read_yolo

BARE = "folder of pictures without labels"
_SPLIT = "pool"  # where no label file means that nobody has looked


def read_bare(folder: Path, classes: Sequence[str]) -> Dataset:
    """Return the pictures under `folder`, at any depth, or those of a YOLO folder in its splits; none has labels.

    Raises `UserError` for no folder or no picture, for labels of whatever format, and for a YOLO folder whose data.yaml
    names other classes.
    """
    if not folder.is_dir():
        raise problem("bare_folder.folder", folder)
    require_shallow(folder)
    require_no_linked_folder(folder)
    dataset = _yolo(folder, classes) if description(folder).is_file() else _pictures(folder, classes)
    labels = chain((sheet.item.label for sheet in dataset.sheets), _annotations(folder))
    found = next((file for file in labels if file.is_file()), None)
    if found:
        raise problem("bare_folder.labels", found)
    return dataset._replace(kind=BARE, findings=(*dataset.findings, *broken_links(folder)))


def is_bare(dataset: Dataset) -> bool:
    """Say whether nobody has labelled `dataset`: it was read as such, or holds a pool alone, without a label file."""
    only_pool = {sheet.split for sheet in dataset.sheets} == {_SPLIT}
    return dataset.kind == BARE or (only_pool and not any(sheet.item.label.is_file() for sheet in dataset.sheets))


def _yolo(folder: Path, classes: Sequence[str]) -> Dataset:
    dataset = read_yolo(folder)
    names = dataset.source.classes
    if names != tuple(classes):
        raise problem("bare_folder.classes", description(folder), classes=", ".join(classes), names=", ".join(names))
    return dataset


def _pictures(folder: Path, classes: Sequence[str]) -> Dataset:
    images = every_image(folder)
    items = [Item(image, _label_of(image, folder)) for image in images.without(())]
    if not items:
        raise problem("bare_folder.pictures", folder, image_suffixes=", ".join(IMAGE_SUFFIXES))
    splits = {_SPLIT: {item.image.name: item for item in items}}
    return Dataset(BARE, Source(folder, tuple(classes), splits, ()), tuple(SourceSheet(_SPLIT, one) for one in items))


def _label_of(image: Path, folder: Path) -> Path:
    """Return where a label file of `image` lies if there is one: beside it, or by YOLO's rule."""
    beside = as_stored(image.with_suffix(".txt"))
    return beside if beside.is_file() else as_stored(folder / labels_of(image.relative_to(folder)))


def _annotations(folder: Path) -> Iterator[Path]:
    """Yield the first file of another format under `folder`."""
    yield from (one.file for one in coco_files(folder)[:1])
    voc = first_voc_file(folder)
    if voc:
        yield voc
