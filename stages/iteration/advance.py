"""`yoloop advance`: crosses the boundary between two iterations, the only thing that does."""

import shutil
from pathlib import Path
from typing import NamedTuple

from stages.base.atomic import replacing
from stages.base.errors import problem
from stages.base.params import PARAMS, read_classes, read_iteration, read_params
from stages.base.tables import read_metrics, read_table, write_csv
from stages.convergence.history.history_file import CARRIED, read_history, write_history
from stages.convergence.sheet_history import CARRIED_SHEETS, SHEETS
from stages.dataset.sheets.split_folder import DATASET, read_split
from stages.firewall.leak_check import require_no_leak
from stages.picking.arms_file import ARMS, read_arms
from stages.picking.packet import PACKET, Packet, read_packet
from stages.project.preconditions import (
    HISTORY,
    dataset_tag,
    require_as_tagged,
    require_clean,
    require_finished,
    require_repository,
)
from stages.project.project_lock import exclusive
from stages.project.repository import git
from stages.project.repository.commits import Commit
from stages.project.repository.transaction import stage_dvc, staging, transact
from stages.project.yaml_edits import edited
from stages.prompts.texts.prompt_file import PROMPTS, read_prompts
from stages.review.kept.auto_reviewer import WARNING
from stages.review.kept.dataset_merge import link_or_copy, merge_reviewed
from stages.review.kept.kept_review import REVIEW, Review, write_review
from stages.review.kept.review_gate import is_by_hand, pool_size, still_open, take_review
from stages.review.kept.review_lock import reviewing
from stages.review.kept.review_params import read_review as read_review_params
from stages.review.kept.reviewers import Reviewer
from stages.review.ledger.ledger_files import (
    LEDGER,
    METRICS,
    REVIEW_SHEETS,
    Ledger,
    ledger_of,
    metrics_text,
    read_review_sheets,
    review_sheets_text,
)
from stages.review.ledger.ledger_lines import review_lines
from stages.ruler.pairing.box_tables import DETECTIONS, PREDICTED
from stages.wording.quantities import counted

SAMPLED = Path("metrics/sample.json")


class Step(NamedTuple):
    """An iteration that may be left: its number, the class names, and why in spite of a stop, or ""."""

    iteration: int
    classes: tuple[str, ...]
    despite_stop: str


def advance(
    root: Path = Path(),
    *,
    reviewer: Reviewer,
    despite_stop: str | None = None,
    auto_confidence: float | None = None,
    partial: bool = False,
) -> str:
    """Start the next iteration with the reviewed sheets in train; return what to print.

    `despite_stop` is the reason to go on although the verdict says stop; it is written into the history.
    `auto_confidence`, in [0, 1], is from where the reviewer `auto` takes detections; default: params.yaml. `partial`:
    sheets that are not reviewed stay in the pool. Raises `UserError`, with nothing changed, unless the iteration is
    finished and clean and its review is there.
    """
    require_repository(root)
    with exclusive(root), reviewing(root):
        step = _require_finished(root, despite_stop)
        confidence = read_review_params(root).auto_confidence if auto_confidence is None else auto_confidence
        packet = read_packet(root / PACKET)
        review = take_review(root, packet, reviewer, confidence=confidence, partial=partial)
        require_no_leak(root / DATASET, [sheet.image_id for sheet in review.reviewed])
        read = {str(path): (root / path).read_bytes() for path in (PARAMS, PROMPTS)}
        with staging(root) as (data, models):
            ledger = _keep(root, data, packet, review, by_hand=is_by_hand(reviewer))
            pointer = stage_dvc(root, data / "review")
            files = {**_start(root, data, models, packet, review, step=step, reviewer=reviewer), **ledger}
            how = f"labels: the model's own detections from {confidence:g} on" if reviewer == "auto" else ""
            commits = [
                Commit(f"Keep the review of iteration {step.iteration}", {f"{REVIEW}.dvc": pointer}),
                Commit(_start_message(step, len(review.reviewed), how), {**files, f"{REVIEW}.dvc": None}),
            ]
            transact(
                root,
                name="yoloop advance",
                commits=commits,
                tags={dataset_tag(root, step.iteration + 1): len(commits) - 1},
                removes=[str(REVIEW)] if is_by_hand(reviewer) else [],
                read=read,
            )
        warning = [WARNING] if reviewer == "auto" else []
        return "\n".join([*warning, *_said(root, step, packet, review)])


def _require_finished(root: Path, despite_stop: str | None) -> Step:
    """Raise `UserError` unless the iteration is tagged, unchanged since, and its verdict lets us go on."""
    iteration, classes = read_iteration(root / PARAMS), read_classes(root / PARAMS)
    require_finished(root, iteration)
    require_clean(root, iteration=iteration, prompts_may_differ=True)
    require_as_tagged(root, iteration)
    _require_tag_free(root, dataset_tag(root, iteration + 1))
    read_prompts(classes, root / PROMPTS)
    verdict = read_metrics(root / "metrics/converge.json")
    if verdict["verdict"] != "stop":
        return Step(iteration, classes, "")
    if not (despite_stop or "").strip():
        raise problem("advance.verdict_go", "metrics/converge.json", reason=verdict["reason"])
    return Step(iteration, classes, " ".join(str(despite_stop).split()))


def _require_tag_free(root: Path, tag: str) -> None:
    if git.resolve(root, f"refs/tags/{tag}"):
        raise problem("advance.iteration_has_not", f"tag {tag}", tag=tag)


def _keep(root: Path, data: Path, packet: Packet, review: Review, *, by_hand: bool) -> dict[str, bytes | None]:
    """Put the review with its ledger into the staging folder; return the ledger's files in Git."""
    kept = data / "review"
    if by_hand:
        shutil.copytree(root / REVIEW, kept, copy_function=link_or_copy)
    else:
        write_review(review, kept, packet)
    ledger = ledger_at(root, packet, review)
    write_csv(ledger.boxes, kept / LEDGER)
    return {
        str(METRICS): metrics_text(ledger.metrics).encode(),
        str(REVIEW_SHEETS): review_sheets_text(ledger.sheets).encode(),
    }


def ledger_at(root: Path, packet: Packet, review: Review) -> Ledger:
    """Return the ledger of a review of the packet that lies in the project at `root`, after those before it."""
    return ledger_of(
        packet,
        review,
        arms=read_arms(root / ARMS),
        before=read_review_sheets(root / REVIEW_SHEETS),
        earlier_judged=read_metrics(root / METRICS).get("judged", []) if (root / METRICS).is_file() else [],
        detections=read_table(root / PREDICTED / "detections.parquet", DETECTIONS),
        forecast=read_metrics(root / SAMPLED),
        iou=read_params(root / PARAMS)["validate"]["iou"],
    )


def _start(
    root: Path, data: Path, models: Path, packet: Packet, review: Review, *, step: Step, reviewer: Reviewer
) -> dict[str, bytes | None]:
    """Prepare all that crosses the boundary in the staging folders; return the files of the commit."""
    following = step.iteration + 1
    source = "person" if is_by_hand(reviewer) else reviewer
    target = data / "dataset"
    merge_reviewed(root / DATASET, target, review.reviewed, packet, iteration=following, label_source=source)
    with replacing(models / "parent.pt") as temporary:
        shutil.copyfile(root / "models/best.pt", temporary)
    params = (root / PARAMS).read_text(encoding="utf-8")
    return {
        "data/dataset.dvc": stage_dvc(root, data / "dataset"),
        "models/parent.pt.dvc": stage_dvc(root, models / "parent.pt"),
        str(CARRIED): _history(root, data, step),
        str(CARRIED_SHEETS): (root / SHEETS).read_bytes(),
        str(PARAMS): edited(params, {"iteration": following}).encode(),
        str(PROMPTS): (root / PROMPTS).read_bytes(),
    }


def _history(root: Path, data: Path, step: Step) -> bytes:
    """Return rows 0..N as they cross the boundary, the reason to go on in the last one."""
    if not step.despite_stop:
        return (root / HISTORY).read_bytes()
    history = read_history(root / HISTORY, step.classes)
    history.loc[history.index[-1], "despite_stop"] = step.despite_stop
    write_history(history, data / "history.csv")
    return (data / "history.csv").read_bytes()


def _start_message(step: Step, count: int, how: str) -> str:
    reason = f"\n\nDespite the verdict 'stop': {step.despite_stop}" if step.despite_stop else ""
    sheets = f"{counted(count, 'sheet')} ({how})" if how else counted(count, "reviewed sheet")
    return f"Start iteration {step.iteration + 1} with {sheets}{reason}"


def _said(root: Path, step: Step, packet: Packet, review: Review) -> list[str]:
    absent = "Nothing was seen there, which proves nothing" if review.source == "auto" else "Not reviewed"
    boxes = sum(len(sheet.boxes) for sheet in review.reviewed)
    empty = sum(not sheet.boxes for sheet in review.reviewed)
    tag = dataset_tag(root, step.iteration + 1)
    lines = [
        f"Iteration {step.iteration + 1} starts: {counted(len(review.reviewed), 'sheet')} with "
        f"{counted(boxes, 'box')} moved from pool to train"
        + (f" ({empty} with nothing on it)" if empty else "")
        + f"; train has {len(read_split('train', root / DATASET))}, the pool {pool_size(root)}. Tag {tag}."
    ]
    rest = still_open(review, packet)
    if rest:
        lines.append(f"{absent}, so still in the pool: {', '.join(rest)}")
    lines += review_lines(read_metrics(root / METRICS))
    kept = "The labels that were taken are kept" if review.source == "auto" else "The review is kept"
    lines.append(f"{kept}; to get it back: dvc get . {REVIEW} --rev {tag}~1")
    return [*lines, "Next: `yoloop run`, or `dvc repro` and then `yoloop finish`."]
