"""`yoloop review status`: which sheets of the packet are reviewed, what was changed on them, and what is next."""

from pathlib import Path

from stages.base.params import PARAMS, read_params
from stages.picking.packet import Packet
from stages.project.location import metrics_at, params_as_run
from stages.project.preconditions import iteration_tag
from stages.review.deletion_gate import many_deletions
from stages.review.kept.kept_review import Review, read_review, review_folder
from stages.review.kept.review_gate import require_of_packet
from stages.review.labelling.split_packet import Split, packet_for
from stages.review.ledger.correction_ledger import count_outcomes
from stages.review.ledger.ledger_files import review_boxes
from stages.review.ledger.ledger_lines import outcome_line, where
from stages.wording.quantities import counted, some


def status_lines(root: Path, split: Split = "pool") -> list[str]:
    """Return what a person reads; raise `UserError` when no packet is under review, or the review is of another one."""
    packet = packet_for(root, split)
    what = f"of iteration {packet.iteration}" if split == "pool" else f"{split}, which waits for labels"
    head = f"packet    {packet.packet_id}, {what}: {counted(len(packet.sheets), 'sheet')}"
    folder = review_folder(root, packet)
    review = read_review(folder) if folder.exists() else None
    if review is not None:
        require_of_packet(root, review, packet)
    return [head, *review_lines(root, packet, review)]


def review_lines(root: Path, packet: Packet, review: Review | None) -> list[str]:
    """Return where the review of `packet` stands: sheets, minutes, what was changed, what is next. No arm is told."""
    done = {} if review is None else {sheet.image_id: sheet for sheet in review.reviewed}
    begun = [] if review is None else [sheet.image_id for sheet in review.sheets if sheet.status == "unreviewed"]
    touched = {*done, *begun}
    untouched = [sheet.image_id for sheet in packet.sheets if sheet.image_id not in touched]
    doubt = None
    lines = [f"reviewed  {len(done)} of {counted(len(packet.sheets), 'sheet')}"]
    if review is not None and done:
        seconds = [sheet.seconds for sheet in done.values() if sheet.seconds is not None]
        spent = f"; {sum(seconds) / 60:.1f} minutes on {counted(len(seconds), 'sheet')}" if seconds else ""
        lines[0] += f", {where(review.tools)}{spent}"
        # As `advance` will count them: of the pool with what its iteration ran with, whatever was edited since.
        params = params_as_run(root, packet.iteration) if packet.split == "pool" else read_params(root / PARAMS)
        boxes = review_boxes(packet, review, iou=params["validate"]["iou"])
        lines.append(f"changes   {outcome_line(count_outcomes(boxes))}")
        doubt = many_deletions(boxes, review)
        if doubt:
            gone = f"{doubt.gone} of {doubt.total} boxes that went out are gone"
            lines.append(f"doubtful  {gone}: is it an export of these sheets in this size?")
    if begun:
        lines.append(f"begun     {counted(len(begun), 'sheet')}: {some(begun)}")
    if untouched:
        lines.append(f"open      {counted(len(untouched), 'sheet')}: {some(untouched)}")
    rest = len(begun) + len(untouched)
    if packet.split != "pool":
        return [*lines, f"next      {_next_of_split(packet.split)}"]
    if done and rest and review is not None and review.partial:
        return [
            *lines,
            "next      yoloop advance: the rest may stay in the pool, as was said; or go on: yoloop review open",
        ]
    tag = iteration_tag(root, packet.iteration)
    stopped = tag if metrics_at(root, tag, "converge").get("verdict") == "stop" else None
    return [*lines, f"next      {_next(done=len(done), rest=rest, stopped=stopped, doubted=doubt is not None)}"]


def _next_of_split(split: str) -> str:
    named = f"--split {split}"
    in_tool = f"yoloop review export {named} --to TOOL and then yoloop review import {named} PATH"
    return f"yoloop review open {named}, or {in_tool}"


def _next(*, done: int, rest: int, stopped: str | None, doubted: bool) -> str:
    """Return what to type next; `stopped` is the tag of the packet's iteration where its verdict is to stop.

    `doubted`: most boxes that went out are gone.
    """
    if not rest and stopped:
        return (
            f"none: the verdict of {stopped} is to stop; to go on in spite of it: yoloop advance --despite-stop REASON"
        )
    if not rest and doubted:
        return (
            "if it is a wrong export: yoloop review reset; if they are rightly gone: yoloop advance --accept-deletions"
        )
    if not rest:
        return "yoloop advance (or yoloop run, which goes on by itself)"
    review = "yoloop review open, or yoloop review import PATH"
    return (
        f"{review}; or leave the rest in the pool: yoloop advance --partial"
        if done
        else ("yoloop review open, or yoloop review export --to TOOL and then yoloop review import PATH")
    )
