"""Looks for links in a folder of sheets: neither DVC nor we go through one to a folder: what is behind it is lost."""

import os
from collections.abc import Iterator
from pathlib import Path

from stages.base.errors import problem
from stages.dataset.defects import Defect, finding
from stages.dataset.sheets.split_folder import IMAGE_SUFFIXES


def require_no_linked_folder(folder: Path) -> None:
    """Raise `UserError` for a link to a folder in `folder`, which may be one itself."""
    linked = next((link for link in _links(folder) if link.is_dir()), None)
    if linked:
        raise problem("links.linked_folder", linked, target=linked.readlink())


def broken_links(folder: Path) -> list[Defect]:
    """Return a warning for each picture in `folder` that is a link to nothing."""
    pictures = (link for link in _links(folder) if link.suffix.lower() in IMAGE_SUFFIXES and not link.exists())
    return [finding("warning", "links.broken-link", link, target=link.readlink()) for link in sorted(pictures)]


def _links(folder: Path) -> Iterator[Path]:
    for place, folders, files in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        yield from (path for name in (*folders, *files) if (path := Path(place, name)).is_symlink())
