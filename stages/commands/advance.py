"""`yoloop advance`: crosses the boundary between two iterations, the only thing that does."""

import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from stages.commands.auto_review import WARNING, auto_review
from stages.commands.checks import (
    HISTORY,
    dataset_tag,
    require_as_tagged,
    require_clean,
    require_finished,
    require_repository,
)
from stages.commands.leak_check import require_no_leak
from stages.commands.review_params import read_review
from stages.commands.reviewers import Reviewer
from stages.core.errors import problem
from stages.files import git
from stages.files.atomic import replacing
from stages.files.commits import Commit
from stages.files.dataset import DATASET, IMAGE_SUFFIXES, read_split
from stages.files.edit_yaml import edited
from stages.files.history import CARRIED, read_history, write_history
from stages.files.history_sheets import CARRIED_SHEETS, SHEETS
from stages.files.lock import exclusive
from stages.files.merge import link_or_copy, merge_reviewed
from stages.files.packet import PACKET, packet_sheets
from stages.files.params import PARAMS, read_classes, read_iteration
from stages.files.prompts import PROMPTS, read_prompts
from stages.files.review import FolderReview, Reviewed, read_folder, read_oracle
from stages.files.tables import read_metrics
from stages.files.transaction import stage_dvc, staging, transact

REVIEW = "data/review"  # where a reviewed folder is kept in Git's history, with its content in DVC's cache


class Step(NamedTuple):
    """An iteration that may be left: its number, the class names, and why in spite of a stop, or ""."""

    iteration: int
    classes: tuple[str, ...]
    despite_stop: str


def advance(
    root: Path = Path(), *, reviewer: Reviewer, despite_stop: str | None = None, auto_confidence: float | None = None
) -> str:
    """Start the next iteration with the reviewed sheets in train; return what to print.

    `despite_stop` is the reason to go on although the verdict says stop; it is written into the history.
    `auto_confidence`, in [0, 1], is from where the reviewer `auto` takes detections; default: params.yaml. Raises
    `UserError`, with nothing changed, unless the iteration is finished and clean and its review is there.
    """
    require_repository(root)
    with exclusive(root):
        step = _require_finished(root, despite_stop)
        confidence = read_review(root).auto_confidence if auto_confidence is None else auto_confidence
        review = _review(root, reviewer, step.classes, confidence=confidence)
        if not review.reviewed:
            raise _nothing_to_move(root, reviewer, review, confidence=confidence)
        require_no_leak(root / DATASET, [sheet.image_id for sheet in review.reviewed])
        folder = _folder(root) if reviewer == "folder" else None
        with staging(root) as (data, models):
            files = _start(root, data, models, review.reviewed, step=step, reviewer=reviewer)
            how = f"labels: the model's own detections from {confidence:g} on" if reviewer == "auto" else ""
            commits = [Commit(_start_message(step, review.reviewed, how), files)]
            if folder:
                kept = Path(shutil.copytree(folder, data / "review", copy_function=link_or_copy))
                pointer = stage_dvc(root, kept)
                kept_commit = Commit(f"Keep the review of iteration {step.iteration}", {f"{REVIEW}.dvc": pointer})
                commits = [kept_commit, Commit(commits[0].message, {**files, f"{REVIEW}.dvc": None})]
            transact(
                root,
                name="yoloop advance",
                commits=commits,
                tags={dataset_tag(root, step.iteration + 1): len(commits) - 1},
                removes=[REVIEW] if folder == root / REVIEW else [],
            )
        warning = [WARNING] if reviewer == "auto" else []
        return "\n".join([*warning, *_said(root, step, review, folder)])


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
        raise problem(
            "metrics/converge.json",
            expected="the verdict 'go on'",
            found=f"'stop' ({verdict['reason']})",
            mend="The loop has ended; to go on all the same: yoloop advance --despite-stop REASON",
        )
    return Step(iteration, classes, " ".join(str(despite_stop).split()))


def _require_tag_free(root: Path, tag: str) -> None:
    if git.resolve(root, f"refs/tags/{tag}"):
        raise problem(
            f"tag {tag}",
            expected="an iteration that has not been advanced from",
            found="the start of the next one",
            mend=f"Go there: git switch BRANCH, or keep the tag under another name: git tag old/{tag} {tag} && "
            f"git tag -d {tag}",
        )


def _review(root: Path, reviewer: Reviewer, classes: Sequence[str], *, confidence: float) -> FolderReview:
    packet = packet_sheets(root / PACKET)["image_id"].tolist()
    if not packet:
        return FolderReview([], [], 0, [])
    if reviewer == "oracle":
        return FolderReview(read_oracle(sorted(packet), classes, root), [], 0, [])
    if reviewer == "auto":
        return auto_review(root, sorted(packet), classes, confidence=confidence)
    train = [sheet.image_id for sheet in read_split("train", root / DATASET)]
    return read_folder(_folder(root), packet, classes, train=train)


def _folder(root: Path) -> Path:
    return root / read_review(root).folder


def _nothing_to_move(root: Path, reviewer: Reviewer, review: FolderReview, *, confidence: float) -> Exception:
    if review.missing and reviewer == "auto":
        return problem(
            root / PACKET,
            expected=f"a sheet with a detection of confidence {confidence:g} or more",
            found=f"none among {len(review.missing)}",
            mend="Lower review.auto_confidence in params.yaml, or review it yourself: yoloop run --review folder",
        )
    if review.missing:
        return problem(
            _folder(root),
            expected="at least one sheet of the packet",
            found=f"none of its {len(review.missing)}",
            mend="Export the reviewed sheets with their images.",
        )
    return problem(
        root / PACKET,
        expected="sheets to review",
        found=f"none ({_count(root, 'pool')} left in the pool)",
        mend="The pool is used up when it is empty; else raise sample.budget in params.yaml and run again.",
    )


def _start(
    root: Path, data: Path, models: Path, reviewed: list[Reviewed], *, step: Step, reviewer: Reviewer
) -> dict[str, bytes | None]:
    """Prepare all that crosses the boundary in the staging folders; return the files of the commit."""
    following = step.iteration + 1
    merge_reviewed(root / DATASET, data / "dataset", reviewed, iteration=following, label_source=reviewer)
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


def _start_message(step: Step, reviewed: list[Reviewed], how: str) -> str:
    reason = f"\n\nDespite the verdict 'stop': {step.despite_stop}" if step.despite_stop else ""
    sheets = f"{_plural(len(reviewed), 'sheet')} ({how})" if how else _plural(len(reviewed), "reviewed sheet")
    return f"Start iteration {step.iteration + 1} with {sheets}{reason}"


def _said(root: Path, step: Step, review: FolderReview, folder: Path | None) -> list[str]:
    absent = "Not in the review" if folder else "Nothing was seen there, which proves nothing"
    boxes = sum(len(sheet.class_id) for sheet in review.reviewed)
    empty = sum(len(sheet.class_id) == 0 for sheet in review.reviewed)
    lines = [
        f"Iteration {step.iteration + 1} starts: {_plural(len(review.reviewed), 'sheet')} with "
        f"{_plural(boxes, 'box', 'boxes')} moved from pool to train"
        + (f" ({empty} with nothing on it)" if empty else "")
        + f"; train has {_count(root, 'train')}, the pool {_count(root, 'pool')}. "
        f"Tag {dataset_tag(root, step.iteration + 1)}."
    ]
    if review.missing:
        lines.append(f"{absent}, so still in the pool: {', '.join(review.missing)}")
    if review.passed_over:
        lines.append(f"In train already, so passed over: {_plural(len(review.passed_over), 'sheet')}")
    if review.polygons:
        lines.append(f"{_plural(review.polygons, 'polygon')} became the box around it.")
    if folder:
        lines.append(
            f"The review is kept; to get it back: dvc get . {REVIEW} --rev {dataset_tag(root, step.iteration + 1)}~1"
        )
    return [*lines, "Next: `yoloop run`, or `dvc repro` and then `yoloop finish`."]


def _count(root: Path, split: str) -> int:
    images = (root / DATASET / split / "images").glob("*")
    return sum(file.suffix.lower() in IMAGE_SUFFIXES for file in images)


def _plural(count: int, one: str, many: str | None = None) -> str:
    return f"{count} {one if count == 1 else many or one + 's'}"
