"""Reads what came back from a review: a folder that a person exported, or labels that were held back."""

import re
import unicodedata
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from stages.contract.findings import refuse
from stages.contract.yolo import read_item_labels
from stages.core.boxes import Boxes
from stages.core.errors import problem
from stages.files.dataset import IMAGE_SUFFIXES, read_labels
from stages.files.yolo_folder import Source, read_source

ORACLE = Path("data/oracle/labels")
POOL = Path("data/dataset/pool/labels")


class Reviewed(NamedTuple):
    """One sheet after its review: class_id (n,) and xywhn (n, 4) in fractions; n = 0 if it holds nothing."""

    image_id: str
    class_id: NDArray[np.int32]
    xywhn: Boxes


class FolderReview(NamedTuple):
    """What a reviewed folder holds of a packet: the sheets, those that are not in it, polygons made boxes.

    `passed_over` are sheets of earlier reviews, which an export of a growing project holds again.
    """

    reviewed: list[Reviewed]
    missing: list[str]
    polygons: int
    passed_over: list[str]


def read_oracle(packet: Sequence[str], classes: Sequence[str], root: Path = Path()) -> list[Reviewed]:
    """Return the held-back labels of the sheets `packet`, or the pool's own where none were held back.

    Raises `UserError` for a sheet that has neither.
    """
    return [_oracle_sheet(image_id, classes, root) for image_id in packet]


def _oracle_sheet(image_id: str, classes: Sequence[str], root: Path) -> Reviewed:
    name = f"{Path(image_id).stem}.txt"
    file = next((root / folder / name for folder in (ORACLE, POOL) if (root / folder / name).is_file()), None)
    if file is None:
        raise problem(
            root / ORACLE / name,
            expected=f"the labels that were held back for {image_id}",
            found="no file",
            mend="Restore them with `dvc checkout`, or review it yourself.",
        )
    labels = read_labels(file, classes)
    return Reviewed(image_id, labels.class_id, labels.xywhn)


def read_folder(
    folder: Path, packet: Sequence[str], classes: Sequence[str], *, train: Sequence[str] = ()
) -> FolderReview:
    """Return the labels that `folder`, a YOLO export with its own `data.yaml`, has for sheets of `packet`.

    Its classes may be in another order; an image without labels was reviewed and holds nothing. Only labels
    are taken, never images. Sheets of `train` are passed over. Raises `UserError` for a box of an unknown class, a
    row that is no box (with file and line), and any other sheet that is not in the packet or comes twice.
    """
    _require_unpacked(folder)
    source = read_source(folder)
    # An export names splits that it has no sheet for.
    refuse(one for one in source.findings if one.code != "split-missing")
    ids = _class_ids(source, classes)
    found: dict[str, tuple[Reviewed, int]] = {}
    passed_over: list[str] = []
    for name, item in sorted((name, item) for items in source.splits.values() for name, item in items.items()):
        image_id = _sheet_of(name, packet)
        if image_id is None and _sheet_of(name, train) is not None:
            passed_over.append(name)
            continue
        if image_id is None:
            raise _stranger(item.image)
        if image_id in found:
            raise _twice(item.image, image_id)
        labels = read_item_labels(item, source.classes)
        _require_known(source, ids[labels.boxes.class_id], labels.boxes.class_id, item.label, classes)
        found[image_id] = (
            Reviewed(image_id, ids[labels.boxes.class_id], labels.boxes.xywhn),
            labels.polygons,
        )
    return FolderReview(
        [found[image_id][0] for image_id in sorted(found)],
        sorted(set(packet) - set(found)),
        sum(polygons for _, polygons in found.values()),
        passed_over,
    )


def _require_unpacked(folder: Path) -> None:
    if not folder.is_dir() or not any(folder.iterdir()):
        raise problem(
            folder,
            expected="the reviewed sheets as a YOLO folder (data.yaml, images, labels)",
            found="an empty folder" if folder.is_dir() else "no folder",
            mend="Review data/sample/packet in your annotation tool and unpack its YOLO export there.",
        )


_UNKNOWN = -1


def _class_ids(source: Source, classes: Sequence[str]) -> NDArray[np.int32]:
    """Return our class_id for each of the export's, (n,); `_UNKNOWN` for a class that is not ours."""
    ours = {name: class_id for class_id, name in enumerate(classes)}
    return np.array([ours.get(name, _UNKNOWN) for name in source.classes], dtype=np.int32)


def _require_known(
    source: Source, ids: NDArray[np.int32], theirs: NDArray[np.int32], label: Path, classes: Sequence[str]
) -> None:
    """Raise `UserError` when a box has a class that is not ours; a class that nobody used does no harm."""
    strange = theirs[ids == _UNKNOWN]
    if len(strange):
        raise problem(
            label,
            expected=f"the classes of params.yaml, in any order ({', '.join(classes)})",
            found=f"a box of '{source.classes[int(strange[0])]}'",
            mend="Rename the class or remove its boxes in the annotation tool, and export again.",
        )


def _sheet_of(name: str, packet: Sequence[str]) -> str | None:
    """Return the sheet of the packet that the exported image `name` is: by name, by stem, by Roboflow's name.

    Roboflow exports `a b.png` as `a-b_png.rf.<hash>.jpg`, other tools change the ending only. The closest reading
    that fits one sheet wins; one that fits several names none.
    """
    if name in packet:
        return name
    match = _ROBOFLOW.fullmatch(Path(name).stem)
    exported = match.group("stem") if match else Path(name).stem
    for reading in (_composed, _plain, _original):
        hits = [image_id for image_id in packet if reading(Path(image_id).stem) == reading(exported)]
        if hits:
            return hits[0] if len(hits) == 1 else None
    return None


_ROBOFLOW = re.compile(
    rf"(?P<stem>.+)_({'|'.join(suffix[1:] for suffix in IMAGE_SUFFIXES)})\.rf\.[0-9A-Za-z]+", re.IGNORECASE
)


def _composed(stem: str) -> str:
    """Return `stem` with each accent on its letter: a Mac writes the two apart."""
    return unicodedata.normalize("NFC", stem)


def _plain(stem: str) -> str:
    """Return `stem` with a dash for everything but letters and digits of any language."""
    return re.sub(r"[\W_]+", "-", _composed(stem))


def _original(stem: str) -> str:
    """Return `stem` plain, and without what an earlier export of Roboflow had added to it."""
    match = _ROBOFLOW.fullmatch(stem)
    return _plain(match.group("stem") if match else stem)


def _stranger(image: Path) -> Exception:
    return problem(
        image,
        expected="a sheet of the packet that went to review (data/sample/packet)",
        found=f"{image.name}, which is not in it",
        mend="Remove it from the folder, or export the reviewed sheets only.",
    )


def _twice(image: Path, image_id: str) -> Exception:
    return problem(
        image,
        expected="every sheet once",
        found=f"{image_id} a second time",
        mend="Export again without augmentation.",
    )
