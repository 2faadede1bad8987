"""The loop's own steps in a scratch project: what `dvc repro` runs between two reviews, and what `advance` does there.

The stages run as DVC runs them, each as a process of its own: no room imports a stage, and what one of them leaves in
memory never reaches the next.
"""

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import yaml

from stages.base.errors import UserError
from stages.base.params import PARAMS
from stages.convergence.history.history_columns import empty_history
from stages.convergence.history.history_file import CARRIED, write_history
from stages.convergence.outcome_files import OUTCOMES, PARENT_OUTCOMES, supply_outcomes
from stages.convergence.sheet_history import CARRIED_SHEETS, SHEETS, write_sheets
from stages.dataset.sheets.split_folder import DATASET
from stages.firewall.leak_check import require_no_leak
from stages.iteration.advance import ledger_at
from stages.iteration.run_lines import complaint
from stages.picking.arms_file import ARMS, read_arms
from stages.picking.packet import PACKET, read_packet
from stages.project.preconditions import HISTORY
from stages.project.repository.dvc import environment
from stages.prompts.texts.prompt_file import PROMPTS
from stages.review.kept.dataset_merge import link_or_copy, merge_reviewed, taken_in
from stages.review.kept.review_gate import take_review
from stages.review.ledger.ledger_files import METRICS, REVIEW_SHEETS, metrics_text, no_review_text, review_sheets_text

MEASURED = ("train", "predict", "validate", "analyze", "converge")
PICKS = "sample"
SCRATCH = Path(".scratch/cells")
CARRIED_OVER = {
    HISTORY: CARRIED,
    SHEETS: CARRIED_SHEETS,
    OUTCOMES: PARENT_OUTCOMES,
    Path("models/best.pt"): Path("models/parent.pt"),
}


@contextmanager
def scratch() -> Iterator[Path]:
    """Yield a new folder below `SCRATCH`; it goes when the block ends well, else it can be looked at."""
    SCRATCH.mkdir(parents=True, exist_ok=True)
    folder = Path(tempfile.mkdtemp(dir=SCRATCH)).resolve()
    yield folder
    shutil.rmtree(folder)


def link(source: Path, target: Path) -> None:
    """Give a file, or all files of a folder, a second name below `target`."""
    target.parent.mkdir(parents=True, exist_ok=True)
    if source.is_dir():
        shutil.copytree(source, target, copy_function=link_or_copy, dirs_exist_ok=True)
    else:
        link_or_copy(str(source), str(target))


def write_settings(root: Path, params: Mapping[str, Any], prompts: Mapping[str, str | list[str]]) -> None:
    """Write the project's params.yaml and prompts."""
    for file, values in ((PARAMS, params), (PROMPTS, {"prompts": dict(prompts), "notes": {}})):
        (root / file).parent.mkdir(parents=True, exist_ok=True)
        text = yaml.safe_dump(dict(values), sort_keys=False, allow_unicode=True)
        (root / file).write_text(text, encoding="utf-8")


def write_beginning(root: Path, classes: Sequence[str]) -> None:
    """Write what an import leaves besides the dataset: a history without a row, and no review."""
    write_history(empty_history(classes), root / CARRIED)
    write_sheets([], root / CARRIED_SHEETS)
    supply_outcomes(root)
    (root / METRICS).write_text(no_review_text(), encoding="utf-8")


def run_stages(root: Path, names: Sequence[str]) -> None:
    """Run stages in the project at `root`; raise `UserError` with the line of the first that fails."""
    code = {**environment(), "PYTHONPATH": str(Path.cwd())}
    for name in names:
        log = root / f"logs/{name}.log"
        log.parent.mkdir(exist_ok=True)
        with log.open("wb") as out:
            done = subprocess.run(
                [sys.executable, "-m", f"stages.{name}"],
                cwd=root,
                env=code,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=subprocess.STDOUT,
                check=False,
            )
        if done.returncode:
            lines = log.read_text(encoding="utf-8", errors="replace").splitlines()
            said = complaint(lines) or f"{name} ended with exit code {done.returncode}"
            raise UserError(f"{said} (all that it said: {os.path.relpath(log)})")


def cross(root: Path, target: Path, *, iteration: int) -> None:
    """Begin `iteration` in `target` with the packet of the project at `root`, reviewed by the labels held back.

    That is what `yoloop advance` does, with its functions and without Git; a verdict to stop stops nothing.
    """
    packet = read_packet(root / PACKET)
    review = take_review(root, packet, "oracle", confidence=0.0, partial=False)
    taken = taken_in(root / DATASET, review.reviewed, read_arms(root / ARMS))
    require_no_leak(root / DATASET, [sheet.image_id for sheet in taken.moved])
    ledger = ledger_at(root, packet, review, reviewer="oracle")
    (target / DATASET).parent.mkdir(parents=True, exist_ok=True)
    merge_reviewed(root / DATASET, target / DATASET, taken, packet, iteration=iteration, label_source="oracle")
    for before, now in CARRIED_OVER.items():
        link(root / before, target / now)
    (target / METRICS).write_text(metrics_text(ledger.metrics), encoding="utf-8")
    (target / REVIEW_SHEETS).write_text(review_sheets_text(ledger.sheets), encoding="utf-8")
