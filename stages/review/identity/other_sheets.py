"""What is known of the sheets that are not in a packet: a review must not bring those of val and test back."""

from pathlib import Path
from typing import NamedTuple

from stages.dataset.sheets.manifest import MANIFEST, read_manifest
from stages.firewall.roles import ROLES
from stages.picking.packet import Packet


class Known(NamedTuple):
    """A sheet of the dataset that is not in the packet."""

    image_id: str
    sha256: str  # of the image's bytes
    split: str  # train, val, test, pool
    image: Path
    added_iteration: int  # the iteration that it came to its split with


def read_others(dataset: Path, packet: Packet) -> tuple[Known, ...]:
    """Return the sheets of `dataset` that are not in `packet`; raise `UserError` for a missing or damaged manifest."""
    out = {sheet.image_id for sheet in packet.sheets}
    return tuple(
        Known(row.image_id, row.image_sha256, split, dataset / split / "images" / row.image_id, row.added_iteration)
        for split in ROLES
        for row in read_manifest(dataset / split / MANIFEST)
        if row.image_id not in out
    )
