"""`yoloop review import`: what came back from a tool, checked against the packet, and kept in data/review."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from stages.base.errors import UserError, problem
from stages.dataset.folder_depth import require_shallow
from stages.dataset.sheets.split_folder import DATASET
from stages.formats.doubts.links import require_no_linked_folder
from stages.picking.packet import Packet
from stages.project.project_lock import exclusive
from stages.review.archives.archive import is_archive, remove_tree, unpack
from stages.review.archives.format_detection import detect, top_of
from stages.review.formats.returned_boxes import Returned
from stages.review.identity.other_sheets import read_others
from stages.review.identity.reconciliation import EMPTYING, Reconciled, reconcile
from stages.review.kept.joined_review import Kept, done_before, keep_review
from stages.review.kept.kept_review import read_review, review_folder
from stages.review.kept.review_gate import still_open
from stages.review.kept.review_lock import reviewing
from stages.review.labelling.split_labels import take_labels
from stages.review.labelling.split_packet import Split, packet_for
from stages.review.review_status import review_lines
from stages.review.servers.server_choice import Say, ServerChoice, fetch
from stages.wording.quantities import counted, some

SCRATCH = Path(".scratch/review-import")
_UNPACKED = "unpacked"
_OTHERS = " (the export has others: --replace takes those, yoloop review reset drops the review of before)"


def import_review(
    root: Path,
    path: Path | None,
    *,
    format: str | None = None,
    partial: bool = False,
    all_reviewed: bool = False,
    replace: bool = False,
    url: str | None = None,
    project: str | None = None,
    version: int | None = None,
    split: Split = "pool",
    say: Say,
) -> str:
    """Take the export at `path` (folder, archive or file), or on a server, into data/review; return what to print.

    Labels of another `split` than the pool become part of the dataset once all its sheets have some. `format` is what
    it is, if the person says so. `partial`: sheets that did not come back stay queued.
    `all_reviewed`: sheets that are as they went out, or empty, were looked at. `replace`: sheets that are reviewed
    already get the boxes of this export. Raises `UserError`, with nothing changed, for all that `reconcile` refuses.
    """
    with exclusive(root):
        packet = packet_for(root, split)
        server = ServerChoice(url, project, version)
        where = str(path or server.url or server.project)
        with _scratch(root, where) as scratch:
            returned = _returned(path, format, server, scratch, packet, say)
            done = done_before(root, packet)
            found = reconcile(
                packet,
                returned,
                others=read_others(root / DATASET, packet),
                all_reviewed=all_reviewed,
                partial=partial,
                done=done,
                where=where,
            )
        with reviewing(root):
            kept = keep_review(root, packet, found.sheets, source=returned.tool, partial=partial, replace=replace)
            folder = review_folder(root, packet)
            review = read_review(folder)
            lines = review_lines(root, packet, review)
        if split != "pool" and not still_open(review, packet):
            lines = take_labels(root, packet).splitlines()
        empty = {sheet.image_id for sheet in review.reviewed if not sheet.boxes}
        found = found._replace(
            unopened=tuple(name for name in found.unopened if name not in done),
            emptied=tuple(name for name in found.emptied if name not in empty),
        )
        tool_says = any(sheet.status != "unknown" for sheet in returned.sheets)
        said = _said(found, kept, folder.relative_to(root), tool_says=tool_says)
        return "\n".join([*said, *lines])


@contextmanager
def _scratch(root: Path, where: str) -> Iterator[Path]:
    """Yield a folder that goes with the block; messages name `where` in place of what was unpacked there."""
    scratch = root / SCRATCH
    remove_tree(scratch)  # left behind by a kill: we hold the lock
    scratch.mkdir(parents=True)
    try:
        yield scratch
    except UserError as error:
        raise UserError(str(error).replace(str(scratch / _UNPACKED), where)) from error
    except PermissionError as error:
        raise problem("review_import.export_can_read", where, found=str(error.strerror)) from error
    finally:
        remove_tree(scratch)


def _returned(
    path: Path | None, word: str | None, server: ServerChoice, scratch: Path, packet: Packet, say: Say
) -> Returned:
    if path is None:
        fetched = fetch(packet, word=word, server=server, folder=scratch, say=say)
        return fetched if isinstance(fetched, Returned) else _read(fetched, "roboflow", scratch, say)
    if server != ServerChoice():
        raise problem("review_import.path_server", path, named=server.named)
    if not path.exists():
        raise problem("review_import.export", path)
    return _read(path, word, scratch, say)


def _read(path: Path, word: str | None, scratch: Path, say: Say) -> Returned:
    place = path
    if is_archive(path):
        place = scratch / _UNPACKED
        unpack(path, place)
    if place.is_dir():
        require_shallow(place)
        require_no_linked_folder(place)
        place = top_of(place)
    found = detect(place, word)
    say(f"Read as: {found.title}{'' if word else ' (if that is wrong: --format)'}")
    return found.read(place)


def _said(found: Reconciled, kept: Kept, place: Path, *, tool_says: bool) -> list[str]:
    """Return what became of the export; `tool_says`: its format tells which sheets are done."""
    unopened = "Not done in the tool" if tool_says else "As they went out"
    looked = " (if you looked at all of them: --all-reviewed)"
    done = sum(sheet.status == "reviewed" for sheet in found.sheets)
    changed = len(kept.added) + len(kept.replaced)
    head = f"{counted(done, 'reviewed sheet')} in the export; {counted(changed, 'sheet')} of it taken into {place}"
    if not changed:
        head = (
            f"Nothing new: {place} holds all of this export already"
            if not kept.stood
            else f"Nothing taken into {place}"
        )
    names = {
        f"Left with the boxes that they have there{_OTHERS}": kept.stood,
        "Replaced": kept.replaced,
        "Begun, not done": tuple(sheet.image_id for sheet in found.sheets if sheet.status == "unreviewed"),
        f"{unopened}, so not taken{'' if tool_says else looked}": found.unopened,
        f"Came back without a box, so not taken{looked}": found.emptied,
        "Not in the export": found.missing,
        "Reviewed before, and passed over": found.passed_over,
    }
    lines = [f"{what}: {counted(len(which), 'sheet')}: {some(which)}" for what, which in names.items() if which]
    lines += [EMPTYING] if found.emptied else []
    moved = [f"The review of before is kept in {kept.moved}"] if kept.moved else []
    return [head, *lines, *moved, *found.notes]
