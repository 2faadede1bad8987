"""What every command of the review begins with: the packet that waits for it."""

from pathlib import Path

from stages.base.errors import problem
from stages.base.params import PARAMS, read_iteration
from stages.picking.packet import PACKET, Packet, read_packet
from stages.picking.written_sample import SAMPLE, is_as_written
from stages.project.preconditions import iteration_tag, require_finished, require_repository
from stages.project.repository import git


def packet_under_review(root: Path) -> Packet:
    """Return the packet that the iteration was finished with, which lies in the workspace as it was then.

    Raises `UserError` when the iteration is not finished, for another packet, and for one without sheets.
    """
    require_repository(root)
    iteration = read_iteration(root / PARAMS)
    require_finished(root, iteration)
    packet = read_packet(root / PACKET)
    tag = iteration_tag(root, iteration)
    if not is_as_written(root, git.content(root, tag, "dvc.lock") or b""):
        raise problem(
            "open_packet.packet_iteration_was",
            root / SAMPLE,
            iteration=iteration,
            tag=tag,
            found="another one" if packet.iteration == iteration else f"that of iteration {packet.iteration}",
            sample=SAMPLE,
        )
    if not packet.sheets:
        raise problem("open_packet.sheets_review", root / PACKET)
    return packet
