"""Finds out which tool exported what lies at a path."""

import json
from collections.abc import Sequence
from pathlib import Path

from stages.base.errors import problem
from stages.dataset.clutter import is_clutter
from stages.picking.packet import HEAD
from stages.review.archives.archive import is_archive
from stages.review.formats.format_list import FORMATS, Format

_LOOKED_FOR = {
    "label-studio": "a JSON list of tasks",
    "cvat": "annotations.xml",
    "roboflow": "README.roboflow.txt",
    "coco": "JSON with images, annotations, categories",
    "voc": "XML files of annotations",
    "yolo": "data.yaml or classes.txt, with label files",
}
_PLAIN = ("coco", "voc", "yolo")  # formats that tools with one of their own export as well
_FEW = 4  # names of files that a line holds


def top_of(folder: Path) -> Path:
    """Return the folder that the content of an archive lies in: many are packed with a folder around it."""
    inside = [path for path in folder.iterdir() if not is_clutter(path.name)]
    return top_of(inside[0]) if len(inside) == 1 and inside[0].is_dir() else folder


def detect(path: Path, word: str | None) -> Format:
    """Return the format of the unpacked folder or the file `path`, `word` if the person gave it.

    Raises `UserError` when nothing is recognised, when two formats are, and when `path` is not what `word` says.
    """
    if (path / HEAD).is_file():
        raise problem("format_detection.tool_exported", path)
    found = [one for one in FORMATS.values() if one.is_one(path)]
    if word is not None:
        # CVAT and Roboflow export the plain formats, too, and nothing in those says where they come from.
        if FORMATS[word] in found or (found and word in ("cvat", "roboflow")):
            return FORMATS[word]
        raise _none(path, [FORMATS[word]])
    found = [one for one in found if one.name not in _PLAIN] or found
    if len(found) == 1:
        return found[0]
    raise _several(path, found) if found else _none(path, list(FORMATS.values()))


def _several(path: Path, found: Sequence[Format]) -> Exception:
    names = " and ".join(one.name for one in found)
    return problem("format_detection.export", path, number_of_found=len(found), names=names, name=found[0].name)


def _none(path: Path, wanted: Sequence[Format]) -> Exception:
    looked_for = "; ".join(f"{one.title}: {_LOOKED_FOR[one.name]}" for one in wanted)
    return problem("format_detection.none", path, looked_for=looked_for, found=_what(path), mend=_mend(path))


def _what(path: Path) -> str:
    if path.is_file():
        return _broken(path) or _kind(path)
    names = sorted(file.name for file in path.iterdir())
    if not names:
        return "an empty folder"
    broken = next((found for file in sorted(path.glob("*.json")) if (found := _broken(file))), "")
    return broken or f"{', '.join(names[:_FEW])}{', ...' * (len(names) > _FEW)}"


def _broken(file: Path) -> str:
    """Return what is wrong with a file that is called JSON and is none."""
    if file.suffix.lower() != ".json":
        return ""
    try:
        json.loads(file.read_bytes())
    except (ValueError, RecursionError) as error:
        return f"damaged JSON in {file.name} ({' '.join(str(error).split())[:100]})"
    return ""


def _kind(file: Path) -> str:
    """Return what a file is that no tool exports."""
    if file.suffix.lower() != ".json":
        return f"the file {file.name}"
    content = json.loads(file.read_bytes())
    first = content[0] if isinstance(content, list) and content else content
    keys = list(first)[:_FEW] if isinstance(first, dict) else []
    return f"JSON with {', '.join(map(str, keys)) or 'nothing that is known'}"


def _mend(path: Path) -> str:
    packed = [file.name for file in sorted(path.iterdir()) if is_archive(file)] if path.is_dir() else []
    if packed:
        return f"Give the archive itself: {path / packed[0]}"
    return (
        "Give what the tool exported: the archive, its folder or its file; `yoloop review export --to TOOL` says how."
    )
