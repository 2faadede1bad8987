"""`yoloop advance`: crosses the boundary between two iterations, the only thing that does."""

import shutil
from pathlib import Path
from typing import Any, NamedTuple

from stages.base.atomic import replacing
from stages.base.errors import problem
from stages.base.params import PARAMS, read_classes, read_iteration
from stages.base.tables import read_metrics, read_table, write_csv
from stages.convergence.history.history_file import CARRIED, read_history, write_history
from stages.convergence.outcome_files import OUTCOMES, PARENT_OUTCOMES
from stages.convergence.sheet_history import CARRIED_SHEETS, SHEETS
from stages.dataset.sheets.split_folder import DATASET, read_split, sheets_in
from stages.firewall.leak_check import require_no_leak
from stages.iteration.loss_gate import accepted_loss
from stages.picking.arms_file import ARMS, CANDIDATES, read_arms, read_expected
from stages.picking.packet import PACKET, Packet, read_packet
from stages.project.later_settings import edits_line
from stages.project.location import edited_since, params_as_run
from stages.project.preconditions import (
    HISTORY,
    dataset_tag,
    iteration_tag,
    require_as_tagged,
    require_clean,
    require_finished,
    require_repository,
)
from stages.project.project_lock import exclusive
from stages.project.repository import git
from stages.project.repository.commits import Commit
from stages.project.repository.transaction import stage_dvc, staging, transact
from stages.project.second_decision import decide_again
from stages.project.yaml_edits import edited
from stages.prompts.texts.prompt_file import PROMPTS, read_prompts
from stages.review.deletion_gate import require_few_deletions
from stages.review.kept.auto_reviewer import WARNING
from stages.review.kept.dataset_merge import TakenIn, link_or_copy, merge_reviewed, taken_in
from stages.review.kept.earlier_labels import labels_before
from stages.review.kept.kept_review import REVIEW, Review, write_review
from stages.review.kept.review_gate import is_by_hand, pool_size, still_open, take_review
from stages.review.kept.review_lock import reviewing
from stages.review.kept.review_params import read_review as read_review_params
from stages.review.kept.reviewers import Reviewer
from stages.review.ledger.ledger_files import (
    LEDGER,
    METRICS,
    REPEATS,
    REVIEW_SHEETS,
    Ledger,
    forecast_of_part,
    ledger_of,
    metrics_text,
    read_review_sheets,
    review_sheets_text,
)
from stages.review.ledger.ledger_lines import review_lines
from stages.review.ledger.ledger_summary import Past
from stages.ruler.pairing.box_tables import DETECTIONS, PREDICTED
from stages.wording.quantities import counted, some

SAMPLED = Path("metrics/sample.json")


class Step(NamedTuple):
    """An iteration that may be left: its number, the class names, and why in spite of a stop or of a loss, or ""."""

    iteration: int
    classes: tuple[str, ...]
    despite_stop: str
    accepted_regression: str


def advance(
    root: Path = Path(),
    *,
    reviewer: Reviewer,
    despite_stop: str | None = None,
    accept_regression: str | None = None,
    auto_confidence: float | None = None,
    partial: bool = False,
    accept_deletions: bool = False,
) -> str:
    """Start the next iteration with the reviewed sheets in train; return what to print.

    `despite_stop` is the reason to go on although the verdict says stop; it is written into the history,
    as is `accept_regression`, the reason to go on with a model that lost what the one before had found.
    `auto_confidence`, in [0, 1], is from where the reviewer `auto` takes detections; default: params.yaml. `partial`:
    sheets that are not reviewed stay in the pool. `accept_deletions`: most boxes may be gone. Raises `UserError`, with
    nothing changed, unless the iteration is finished and clean and its review is there.
    """
    require_repository(root)
    with exclusive(root), reviewing(root):
        step = _require_finished(root, despite_stop, accept_regression)
        confidence = read_review_params(root).auto_confidence if auto_confidence is None else auto_confidence
        packet = read_packet(root / PACKET)
        review = take_review(root, packet, reviewer, confidence=confidence, partial=partial)
        if is_by_hand(reviewer) and not accept_deletions:
            require_few_deletions(root, packet, review)
        taken = taken_in(root / DATASET, review.reviewed, read_arms(root / ARMS))
        require_no_leak(root / DATASET, [sheet.image_id for sheet in taken.moved])
        _require_boxes(root, taken, step.iteration)
        read = {str(path): (root / path).read_bytes() for path in (PARAMS, PROMPTS)}
        with staging(root) as (data, models):
            ledger = _keep(root, data, packet, review, reviewer=reviewer)
            pointer = stage_dvc(root, data / "review")
            files = {**_start(root, data, models, packet, taken, step=step, reviewer=reviewer), **ledger}
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
        return "\n".join([*warning, *_said(root, step, packet, review, taken)])


def _require_finished(root: Path, despite_stop: str | None, accept_regression: str | None) -> Step:
    """Raise `UserError` unless the iteration is tagged, unchanged since, and its verdict lets us go on."""
    iteration, classes = read_iteration(root / PARAMS), read_classes(root / PARAMS)
    require_finished(root, iteration)
    require_clean(root, iteration=iteration, finished=True)
    require_as_tagged(root, iteration)
    _require_tag_free(root, dataset_tag(root, iteration + 1))
    read_prompts(classes, root / PROMPTS)
    verdict = read_metrics(root / "metrics/converge.json")
    despite = " ".join((despite_stop or "").split())
    if verdict["verdict"] == "stop" and not despite:
        again = decide_again(root, iteration)
        if again is None or again.verdict == "stop":
            reason = f"{again.edits}: {again.reason}" if again else verdict["reason"]
            raise problem("advance.verdict_go", "metrics/converge.json", reason=reason)
        despite = again.edits
    return Step(
        iteration, classes, despite if verdict["verdict"] == "stop" else "", accepted_loss(root, accept_regression)
    )


def _require_boxes(root: Path, taken: TakenIn, iteration: int) -> None:
    """Raise `UserError` when train would hold no box: after a start without labels the next training needs one."""
    labels = (sheet.label for sheet in sheets_in(root / DATASET / "train") if sheet.labelled)
    if not any(sheet.boxes for sheet in (*taken.moved, *taken.corrected)) and not any(
        label.read_bytes().strip() for label in labels
    ):
        raise problem("advance.box_to_learn", root / PACKET, tag=iteration_tag(root, iteration))


def _require_tag_free(root: Path, tag: str) -> None:
    if git.resolve(root, f"refs/tags/{tag}"):
        raise problem("advance.iteration_has_not", f"tag {tag}", tag=tag)


def _keep(root: Path, data: Path, packet: Packet, review: Review, *, reviewer: Reviewer) -> dict[str, bytes | None]:
    """Put the review with its ledger into the staging folder; return the ledger's files in Git."""
    kept = data / "review"
    if is_by_hand(reviewer):
        shutil.copytree(root / REVIEW, kept, copy_function=link_or_copy)
    else:
        write_review(review, kept, packet)
    ledger = ledger_at(root, packet, review, reviewer=reviewer)
    write_csv(ledger.boxes, kept / LEDGER)
    if len(ledger.repeats):
        write_csv(ledger.repeats, kept / REPEATS)
    return {
        str(METRICS): metrics_text(ledger.metrics).encode(),
        str(REVIEW_SHEETS): review_sheets_text(ledger.sheets).encode(),
    }


def _forecast(root: Path, review: Review) -> dict[str, Any]:
    """Return what was expected of the picked sheets that somebody reviewed."""
    promised = read_metrics(root / SAMPLED)
    if promised.get("expected_errors") is None:
        return promised
    returned = [sheet.image_id for sheet in review.reviewed]
    return forecast_of_part(promised, read_expected(root / CANDIDATES), returned=returned)


def ledger_at(root: Path, packet: Packet, review: Review, *, reviewer: Reviewer) -> Ledger:
    """Return the ledger of a review of the packet that lies in the project at `root`, after those before it."""
    arms = read_arms(root / ARMS)
    earlier = read_metrics(root / METRICS) if (root / METRICS).is_file() else {}
    return ledger_of(
        packet,
        review,
        arms=arms,
        before=read_review_sheets(root / REVIEW_SHEETS),
        past=Past(*(earlier.get(name, []) for name in Past._fields)),
        labels_before=labels_before(root, packet, arms, oracle=reviewer == "oracle"),
        detections=read_table(root / PREDICTED / "detections.parquet", DETECTIONS),
        forecast=_forecast(root, review),
        iou=params_as_run(root, packet.iteration)["validate"]["iou"],
    )


def _start(
    root: Path, data: Path, models: Path, packet: Packet, taken: TakenIn, *, step: Step, reviewer: Reviewer
) -> dict[str, bytes | None]:
    """Prepare all that crosses the boundary in the staging folders; return the files of the commit."""
    following = step.iteration + 1
    source = "person" if is_by_hand(reviewer) else reviewer
    merge_reviewed(root / DATASET, data / "dataset", taken, packet, iteration=following, label_source=source)
    with replacing(models / "parent.pt") as temporary:
        shutil.copyfile(root / "models/best.pt", temporary)
    params = (root / PARAMS).read_text(encoding="utf-8")
    return {
        "data/dataset.dvc": stage_dvc(root, data / "dataset"),
        "models/parent.pt.dvc": stage_dvc(root, models / "parent.pt"),
        str(CARRIED): _history(root, data, step),
        str(CARRIED_SHEETS): (root / SHEETS).read_bytes(),
        str(PARENT_OUTCOMES): (root / OUTCOMES).read_bytes(),
        str(PARAMS): edited(params, {"iteration": following}).encode(),
        str(PROMPTS): (root / PROMPTS).read_bytes(),
    }


def _history(root: Path, data: Path, step: Step) -> bytes:
    """Return rows 0..N as they cross the boundary, the reasons to go on in the last one."""
    reasons = {name: getattr(step, name) for name in ("despite_stop", "accepted_regression")}
    if not any(reasons.values()):
        return (root / HISTORY).read_bytes()
    history = read_history(root / HISTORY, step.classes)
    history.loc[history.index[-1], list(reasons)] = list(reasons.values())
    write_history(history, data / "history.csv")
    return (data / "history.csv").read_bytes()


def _start_message(step: Step, count: int, how: str) -> str:
    reason = f"\n\nDespite the verdict 'stop': {step.despite_stop}" if step.despite_stop else ""
    reason += f"\n\nAlthough something was lost: {step.accepted_regression}" if step.accepted_regression else ""
    sheets = f"{counted(count, 'sheet')} ({how})" if how else counted(count, "reviewed sheet")
    return f"Start iteration {step.iteration + 1} with {sheets}{reason}"


def _said(root: Path, step: Step, packet: Packet, review: Review, taken: TakenIn) -> list[str]:
    absent = "Nothing was seen there, which proves nothing" if review.source == "auto" else "Not reviewed"
    boxes = sum(len(sheet.boxes) for sheet in taken.moved)
    empty = sum(not sheet.boxes for sheet in taken.moved)
    tag = dataset_tag(root, step.iteration + 1)
    lines = [
        f"Iteration {step.iteration + 1} starts: {counted(len(taken.moved), 'sheet')} with "
        f"{counted(boxes, 'box')} moved from pool to train"
        + (f" ({empty} with nothing on it)" if empty else "")
        + f"; train has {len(read_split('train', root / DATASET))}, the pool {pool_size(root)}. Tag {tag}."
    ]
    if taken.corrected:
        names = some([sheet.image_id for sheet in taken.corrected])
        lines.append(
            f"In train the labels of {counted(len(taken.corrected), 'sheet')} are those of the review now: {names}"
        )
    pool = {sheet.image_id for sheet in sheets_in(root / DATASET / "pool")}
    rest = [name for name in still_open(review, packet) if name in pool]
    if rest:
        lines.append(f"{absent}, so still in the pool: {', '.join(rest)}")
    edited = edited_since(root, step.iteration)
    if edited:
        lines.append(f"{edits_line(edited, step.iteration)}.")
    lines += review_lines(read_metrics(root / METRICS))
    kept = "The labels that were taken are kept" if review.source == "auto" else "The review is kept"
    lines.append(f"{kept}; to get it back: dvc get . {REVIEW} --rev {tag}~1")
    return [*lines, "Next: `yoloop run`, or `dvc repro` and then `yoloop finish`."]
