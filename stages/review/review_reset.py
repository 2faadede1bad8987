"""`yoloop review reset`: puts the review of the packet aside, for instance after the import of a wrong export."""

from pathlib import Path

from stages.base.errors import problem
from stages.project.project_lock import exclusive
from stages.review.kept.kept_review import read_review, review_folder
from stages.review.kept.review_lock import reviewing
from stages.review.labelling.split_packet import Split, packet_for
from stages.wording.quantities import counted

_ASIDE = Path("exports")  # in neither Git nor DVC, and nothing deletes there


def reset_review(root: Path, split: Split) -> str:
    """Move the review of the packet of `split` away, in one step, and return what went where.

    Nothing of it is deleted. Raises `UserError` where there is none.
    """
    with exclusive(root), reviewing(root):
        packet = packet_for(root, split)
        folder = review_folder(root, packet)
        if not folder.is_dir():
            raise problem("review_reset.review_to_reset", folder.relative_to(root))
        review = read_review(folder)
        aside = _free(root / _ASIDE, f"{folder.name}-{packet.packet_id}")
        aside.parent.mkdir(exist_ok=True)
        folder.rename(aside)
    boxes = sum(len(sheet.boxes) for sheet in review.reviewed)
    was, now = folder.relative_to(root), aside.relative_to(root)
    what = f"{counted(len(review.reviewed), 'reviewed sheet')} with {counted(boxes, 'box')} ({review.tools})"
    return (
        f"{what}: {was} is now {now}\n"
        f"No sheet of the packet is reviewed any more. To bring it back, before you review again: mv {now} {was}"
    )


def _free(folder: Path, name: str) -> Path:
    """Return the first place in `folder` that is free: NAME, NAME-2, NAME-3."""
    place, number = folder / name, 2
    while place.exists():
        place, number = folder / f"{name}-{number}", number + 1
    return place
