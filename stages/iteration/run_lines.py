"""What `yoloop run` says: banners, steps, verdicts, and the block at the pause for review."""

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from stages.convergence.regression_lines import regression_lines
from stages.detector.training.training_params import first_learned, starts_afresh
from stages.wording.quantities import counted

WIDTH = 80
LONG_REVIEW = 60.0  # minutes: of a longer packet it is said how to ask for a shorter one
STEPS = {
    "train": "Training",
    "predict": "Predicting: every box is saved",
    "validate": "Measuring on val",
    "analyze": "Analyzing what was missed",
    "converge": "Checking convergence",
    "sample": "Choosing what to review",
}
# DVC's own bookkeeping, of no use to a person who waits for a model.
_NOISE = re.compile(
    r"(> |Reproducing experiment|Updating lock file|Generating lock file|WARNING: No file hash info"
    r"|Ran experiment|Experiment results have been applied|To track the changes|Use `dvc push`"
    r"|'.*\.dvc' didn't change|\s*git add |To enable auto staging|\s+dvc config core\.autostage)"
)
_STAGE = re.compile(r"(Running stage '(?P<run>\w+)'|Stage '(?P<skip>\w+)' (?P<how>didn't change|is cached))")


def banner(*lines: str) -> str:
    """Return `lines` between two rules."""
    return "\n".join(["=" * WIDTH, *lines, "=" * WIDTH])


def framed(title: str, lines: Sequence[str]) -> str:
    """Return `lines` in a frame under `title`; a long line widens the frame."""
    width = max(WIDTH - 4, len(title), *(len(line) for line in lines))
    rows = [title, "-" * width, *lines]
    edge = "+" + "-" * (width + 2) + "+"
    return "\n".join([edge, *(f"| {row:<{width}} |" for row in rows), edge])


def translated(line: str, stages: Sequence[str]) -> str | None:
    """Return a line of DVC's output in our words, as it is, or None where it says nothing to a person."""
    match = _STAGE.match(line)
    name = str(match["run"] or match["skip"]) if match else ""
    if match and name in stages:
        step = f"[STEP {stages.index(name) + 1}/{len(stages)}] {STEPS.get(name, name)}"
        ends = {
            None: "...",
            "didn't change": ": nothing has changed, skipped",
            "is cached": ": taken from the cache",
        }
        return f"{step}{ends[match['how']]}\n"
    return None if not line.strip() or _NOISE.match(line) else line


def begun_step(line: str) -> str | None:
    """Return the stage that DVC says in `line` to begin now."""
    match = _STAGE.match(line)
    return match["run"] if match else None


def last_step(lines: Sequence[str], stages: Sequence[str]) -> str | None:
    """Return the step that a run was at when its output ended, as `step 3/6, validate`."""
    names = [name for line in lines if (name := begun_step(line)) in stages and name]
    return f"step {stages.index(names[-1]) + 1}/{len(stages)}, {names[-1]}" if names else None


def complaint(lines: Sequence[str]) -> str | None:
    """Return the last error in a failed run's output: a stage's own line, else DVC's, without its label."""
    for label in ("error: ", "ERROR: "):
        found = [line.strip() for line in lines if line.startswith(label)]
        if found:
            return found[-1].removeprefix(label)
    return None


def plan_line(iteration: int, params: Mapping[str, Any]) -> str:
    """Return which model is trained how in `iteration`, from params.yaml's values."""
    train, tile = params["train"], params.get("tile")
    if iteration == 0 and train.get("baseline") == "adopt":
        return "Model: the weights that were brought, unchanged"
    if iteration == 0 and train.get("baseline") == "zero-shot":
        return "Model: models/target.pt told the prompts, untrained (zero-shot)"
    model = "YOLO-26 baseline, no prompts" if iteration == 0 else "YOLOE-26 with text prompts"
    start, baseline = train.get("start", "parent"), train.get("baseline", "train")
    afresh = starts_afresh(start, iteration, baseline)
    model += ", from the base weights" if afresh and iteration else ""
    epochs = train["epochs_baseline"] if afresh else train["epochs"]
    rate = train["base_lr"] * (1 if afresh else train["lr_decay"] ** (iteration - first_learned(baseline)))
    size = f"imgsz {train['imgsz']}, batch {train['batch']}" + (f", windows of {tile} px" if tile else "")
    return f"Model: {model}; {epochs} epochs, learning rate {rate:g}, {size}"


def not_said(lines: Iterable[str], seen: Iterable[str]) -> list[str]:
    """Return the `lines` whose mark, such as `[SAMPLING]`, starts no line of `seen`."""
    begun = tuple(seen)
    return [line for line in lines if not any(text.startswith(line.split("]")[0]) for text in begun)]


def result_lines(converge: Mapping[str, Any], sample: Mapping[str, Any]) -> list[str]:
    """Return the verdict with its numbers, what was lost and won, and how many of how many candidates were picked."""
    return [
        f"[CONVERGENCE] {converge.get('verdict')}: {converge.get('reason')}",
        *(f"[CONVERGENCE] {line}" for line in regression_lines(converge)),
        f"[SAMPLING] {sample.get('chosen_objects')} of {sample.get('candidates')} candidates picked, "
        f"on {sample.get('packet_sheets')} of {sample.get('pool_sheets')} pool sheets",
    ]


def pause_block(iteration: int, sample: Mapping[str, Any], *, page: bool, notes: Sequence[str] = ()) -> str:
    """Return the framed block at the pause: what was picked, where it is, and the numbered next steps.

    `notes` are lines to read before: what the model lost, though somebody accepted that.
    `page`: our own page is opened at once, and the loop goes on when the review is finished there.
    """
    if page:
        steps = [
            "  1. Review the sheets on the page: correct every box, add what is missing, mark each sheet as done.",
            "  2. Press `Finish review` there: the next iteration starts.",
        ]
        ending = "Ctrl+C leaves; all that was saved stays (go on later with: yoloop run)."
    else:
        steps = [
            "  1. Review the sheets: correct every box, add what is missing. Either on our page:",
            "       o and ENTER (or in another terminal: yoloop review open)",
            "     or in the tool that you like (label-studio, cvat, roboflow, coco, yolo, voc):",
            "       yoloop review export --to roboflow",
            "       yoloop review import EXPORT",
            "  2. See what came back: yoloop review status",
        ]
        ending = "ENTER goes on with the next iteration, Ctrl+C leaves (go on later with: yoloop run)."
    number = len([step for step in steps if step[2].isdigit()]) + 1
    return framed(
        f"MANUAL REVIEW - iteration {iteration}",
        [
            *notes,
            *work_lines(sample),
            "Packet: data/sample/packet",
            "Crops:  data/sample/packet/crops",
            "",
            "Next steps:",
            *steps,
            f"  {number}. Read the prompt suggestions: metrics/prompt_suggestions.json",
            f"  {number + 1}. Update the prompts if you want to: data/prompts.yaml",
            "",
            ending,
        ],
    )


def work_lines(sample: Mapping[str, Any]) -> list[str]:
    """Return what the packet is to a reviewer: sheets, boxes, minutes; an older packet knows of sheets alone."""
    sheets, minutes = counted(int(sample.get("packet_sheets") or 0), "sheet"), sample.get("packet_minutes")
    if minutes is None:
        return [f"{sheets} to review."]
    lines = [
        f"{sheets} to review, with {counted(sample['packet_boxes'], 'box')} drawn on them: about "
        f"{counted(max(round(minutes), 1), 'minute')}.",
        f"{counted(int(sample.get('chosen_objects') or 0), 'place')} on them, most likely wrong, to look at first.",
    ]
    if minutes > LONG_REVIEW:
        lines.append("Too much at once? sample.unit: minutes with sample.budget: 30 picks half an hour (params.yaml).")
    return lines


def end_banner(iteration: int, *, f1: str, reason: str) -> str:
    """Return the block at the end of the loop: the reason, the final F1, the number of iterations."""
    return banner(
        "THE LOOP HAS COME TO ITS END",
        f"Reason: {reason}",
        f"Final F1: {f1}",
        f"Iterations: {iteration + 1} (0 to {iteration})",
    )
