"""What every command of the review begins with: the packet that waits for it."""

import hashlib
import json
from pathlib import Path

import yaml

from stages.base.errors import problem
from stages.base.params import PARAMS, read_iteration
from stages.picking.packet import PACKET, Packet, read_packet
from stages.project.preconditions import iteration_tag, require_finished, require_repository
from stages.project.repository import git

SAMPLE = Path("data/sample")


def packet_under_review(root: Path) -> Packet:
    """Return the packet that the iteration was finished with, which lies in the workspace as it was then.

    Raises `UserError` when the iteration is not finished, for another packet, and for one without sheets.
    """
    require_repository(root)
    iteration = read_iteration(root / PARAMS)
    require_finished(root, iteration)
    packet = read_packet(root / PACKET)
    tag = iteration_tag(root, iteration)
    if _digest(root / SAMPLE) != _digest_at(root, tag):
        raise problem(
            "open_packet.packet_iteration_was",
            root / SAMPLE,
            iteration=iteration,
            tag=tag,
            found="another one" if packet.iteration == iteration else f"that of iteration {packet.iteration}",
            sample=SAMPLE,
        )
    if not packet.sheets:
        mend = "See `yoloop status` for what is next."
        raise problem("open_packet.sheets_review", root / PACKET, mend=mend)
    return packet


def _digest_at(root: Path, tag: str) -> str:
    """Return the digest of `data/sample` that dvc.lock has at `tag`."""
    lock = yaml.safe_load(git.content(root, tag, "dvc.lock") or b"") or {}
    outs = [out for stage in lock.get("stages", {}).values() for out in stage.get("outs", [])]
    return next((str(out["md5"]) for out in outs if out["path"] == str(SAMPLE)), "")


def _digest(folder: Path) -> str:
    """Return the digest of a folder as DVC forms it; to ask DVC itself takes a second, and looks at everything."""
    files = {file.relative_to(folder).as_posix(): file for file in folder.rglob("*") if file.is_file()}
    listed = [{"md5": hashlib.md5(files[name].read_bytes()).hexdigest(), "relpath": name} for name in sorted(files)]
    return f"{hashlib.md5(json.dumps(listed, sort_keys=True).encode()).hexdigest()}.dir"
