"""`yoloop review export`: the packet, as a tool reads it."""

import hashlib
import shutil
from collections.abc import Sequence
from pathlib import Path

from stages.base.atomic import beside
from stages.base.errors import problem
from stages.dataset.clutter import is_clutter
from stages.project.project_lock import exclusive
from stages.review.formats.format_list import FORMATS
from stages.review.labelling.split_packet import Split, packet_for
from stages.review.servers.server_choice import Say, ServerChoice, send

EXPORTS = Path("exports")  # ignored by Git and DVC


def export_review(
    root: Path,
    *,
    to: str,
    out: Path | None,
    url: str | None,
    project: str | None,
    say: Say,
    split: Split = "pool",
) -> str:
    """Write the packet for the tool `to`, into a folder or to its server; return what to do there.

    Of another `split` than the pool the sheets go out that wait for labels.

    The folder is `out`, or one in exports/ that is named by tool and packet; one that holds the same already stays.
    `url` and `project` name a server of Label Studio, `project` alone one of Roboflow. Raises `UserError` for no
    packet, and for a folder that holds something else.
    """
    with exclusive(root):
        packet = packet_for(root, split)
        if url is not None or project is not None:
            steps = send(packet, to=to, server=ServerChoice(url, project), say=say)
            return "\n".join([f"{FORMATS[to].title} has the packet {packet.packet_id}.", *_numbered(steps)])
        folder = out or root / EXPORTS / f"{to}-{packet.packet_id}"
        building = beside(folder)
        try:
            building.mkdir(parents=True)
            steps = FORMATS[to].write(packet, building)
            fresh = _put(building, folder)
        finally:
            shutil.rmtree(building, ignore_errors=True)
    what = f"{FORMATS[to].title}: {len(packet.sheets)} sheets of packet {packet.packet_id}"
    named = "" if split == "pool" else f" --split {split}"
    back = f"What came back: yoloop review import EXPORT{named} (the archive or folder)"
    return "\n".join([f"{what} {'in' if fresh else 'are already in'} {folder}", *_numbered([*steps, back])])


def _put(building: Path, folder: Path) -> bool:
    """Make `building` the folder; return False when that holds the same already."""
    if folder.is_dir() and not any(folder.iterdir()):
        folder.rmdir()
    if not folder.exists():
        building.replace(folder)
        return True
    if _content(building) != _content(folder):
        raise problem("packet_export.such_folder_holds", folder)
    return False


def _content(folder: Path) -> dict[str, str]:
    files = [file for file in folder.rglob("*") if file.is_file()] if folder.is_dir() else [folder]
    files = [file for file in files if not is_clutter(file.name)]
    return {file.relative_to(folder).as_posix(): hashlib.sha256(file.read_bytes()).hexdigest() for file in files}


def _numbered(steps: Sequence[str]) -> list[str]:
    return [f"  {number}. {step}" for number, step in enumerate(steps, 1)]
