"""Everything that can be checked before DVC starts, so that a mistake costs a second and not an hour."""

from importlib import import_module
from pathlib import Path

from stages.base.errors import problem
from stages.base.params import PARAMS, read_classes, read_iteration, read_section, read_tile
from stages.base.tables import read_metrics
from stages.convergence.history.history_file import CARRIED, read_carried
from stages.convergence.outcome_files import PARENT_OUTCOMES, read_parent_outcomes
from stages.convergence.sheet_history import CARRIED_SHEETS, read_carried_sheets
from stages.dataset.sheets.split_folder import DATASET, check_names
from stages.detector.prediction.prediction_params import PredictParams
from stages.project.location import unlabelled_of_val
from stages.project.position import LABEL_VAL
from stages.project.repository import git
from stages.prompts.texts.prompt_file import PROMPTS, read_prompts
from stages.review.kept.review_params import read_review
from stages.review.ledger.ledger_files import METRICS as REVIEWS
from stages.ruler.validate_params import ValidateParams, point_of

STAGES = ("train", "predict", "validate", "analyze", "converge", "sample")


def preflight(root: Path, stages: tuple[str, ...]) -> None:
    """Raise `UserError` for the first thing that would stop the iteration; `stages` are those of dvc.yaml."""
    git.require_repository(root)
    git.require_committer(root)
    git.branch(root)
    missing = [name for name in STAGES if name not in stages]
    if missing:
        raise problem("preflight.stages", root / "dvc.yaml", stages=", ".join(STAGES), missing=missing[0])
    for name in STAGES:
        read_section(import_module(f"stages.{name}").Params, name, root / PARAMS)
    _require_floor(root)
    read_tile(root / PARAMS)
    read_review(root)
    classes = read_classes(root / PARAMS)
    check_names(classes, root / DATASET)
    read_prompts(classes, root / PROMPTS)
    _require_ruler(root)
    iteration = read_iteration(root / PARAMS)
    carried = read_carried(iteration, classes, root / CARRIED)
    read_parent_outcomes(iteration, root / PARENT_OUTCOMES)
    read_carried_sheets(carried["ruler"].tolist(), root / CARRIED_SHEETS)
    read_metrics(root / REVIEWS)


def _require_ruler(root: Path) -> None:
    """Raise `UserError` while all sheets of val wait for labels; some that nobody labelled are left out of the ruler.

    Without a ruler the iteration would have no F1, no verdict and no place in the history; and labels that came after
    it would make another ruler, with which none of its numbers compares.
    """
    left, count = unlabelled_of_val(root)
    if 0 < left == count:
        raise problem("preflight.val_labelled", root / DATASET / "val", left=left, count=count, label_val=LABEL_VAL)


def _require_floor(root: Path) -> None:
    predict = read_section(PredictParams, "predict", root / PARAMS)
    point_of(read_section(ValidateParams, "validate", root / PARAMS), predict.confidence_floor, root / PARAMS)
