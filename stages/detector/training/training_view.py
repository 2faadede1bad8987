"""A scratch view of the train split for Ultralytics, so that it never writes beside a person's sheets."""

import hashlib
import shutil
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
import yaml

from stages.base.file_facts import digests
from stages.dataset.sheets.split_folder import Sheet

_JPEG_END = b"\xff\xd9"


def split_slice(sheets: Sequence[Sheet], share: float, rng: np.random.Generator) -> tuple[list[Sheet], list[Sheet]]:
    """Return the sheets to fit on and the slice (at least one sheet, at most all but one), both sorted."""
    count = min(max(1, round(share * len(sheets))), len(sheets) - 1)
    chosen = set(rng.permutation(len(sheets))[:count].tolist())
    fit = [sheet for i, sheet in enumerate(sheets) if i not in chosen]
    return fit, [sheet for i, sheet in enumerate(sheets) if i in chosen]


def write_view(folder: Path, parts: dict[str, Sequence[Sheet]], classes: Sequence[str]) -> Path:
    """Make `folder` show each part as images and labels, and return its data.yaml, which has absolute paths.

    Images are links and labels copies: Ultralytics puts its label cache beside the labels.
    """
    shutil.rmtree(folder, ignore_errors=True)
    for name, sheets in parts.items():
        (folder / name / "images").mkdir(parents=True)
        (folder / name / "labels").mkdir()
        for sheet in sheets:
            _show(sheet.image, folder / name / "images" / sheet.image.name)
            if sheet.labelled:
                shutil.copyfile(sheet.label, folder / name / "labels" / sheet.label.name)
    root = folder.resolve()
    names = list(parts)
    data = {
        "path": str(root),
        "train": str(root / names[0] / "images"),
        "val": str(root / names[-1] / "images"),
        "names": dict(enumerate(classes)),
    }
    file = folder / "data.yaml"
    file.write_text(yaml.safe_dump(data, allow_unicode=True), encoding="utf-8")
    return file.resolve()


def fingerprint(files: Iterable[Path], *values: object) -> str:
    """Return a short digest of the contents of `files` and of `values`: equal inputs, equal name."""
    sha = hashlib.sha256(repr(values).encode())
    some = list(files)
    known = digests(some)
    for file in some:
        sha.update(file.name.encode() + b"\0" + bytes.fromhex(known[file]))
    return sha.hexdigest()[:16]


def _show(image: Path, place: Path) -> None:
    """Link an image; copy a JPEG with bytes after its end, since Ultralytics would rewrite it in place."""
    tail = image.read_bytes()[-2:] if image.suffix.lower() in (".jpg", ".jpeg") else _JPEG_END
    if tail == _JPEG_END:
        place.symlink_to(image.resolve())
    else:
        shutil.copyfile(image, place)
