"""Chooses what a person looks at next, and puts it into a packet."""

from collections.abc import Callable, Mapping, Sequence
from functools import cache
from math import ceil
from pathlib import Path
from typing import Annotated, Literal, NamedTuple, Self

import numpy as np
import pandas as pd
from pydantic import Field, model_validator

from stages.analysis.analysis_tables import FINDINGS, SUSPECTS
from stages.analysis.finding_params import FindingParams
from stages.base.boxes import BOX
from stages.base.command import stage_command
from stages.base.params import Strict, read_classes, read_iteration, read_section
from stages.base.tables import read_metrics, read_table, write_csv, write_metrics
from stages.dataset.sheets.split_folder import Sheet, read_split
from stages.firewall.signatures import copies, fingerprint_file
from stages.picking.arms_file import ARMS
from stages.picking.candidates import labels_to_check, pool_candidates, prelabels, without_wrong_labels
from stages.picking.greedy_choice import FACTORS, Weights
from stages.picking.packet import draw_packet, read_packet, write_packet
from stages.picking.packet_choice import Chooser, PickPlan, hard_chooser, pick, rarities_of
from stages.picking.pool_tables import PoolTables, pool_view
from stages.picking.random_arm import PICKED
from stages.picking.reasons import with_check
from stages.picking.second_looks.added_sheets import SecondPlan, added_rows, outgoing, sheet_files
from stages.picking.second_looks.recheck_arm import RECHECK
from stages.picking.second_looks.repeat_arm import REPEAT, with_new
from stages.picking.second_looks.seen_tables import SeenTables
from stages.picking.sheet_choice import (
    Forecast,
    SheetPlan,
    Unit,
    forecast,
    forecast_metrics,
    forecast_text,
    instead_text,
    sheet_chooser,
)
from stages.picking.strategies.earlier_reviews import judged_detections
from stages.picking.strategies.earned_order import expected
from stages.picking.strategies.review_cost import ReviewCost
from stages.picking.strategies.strategy_list import SheetStrategy, order_sheets
from stages.ruler.pairing.box_tables import DETECTIONS, PREDICTED
from stages.ruler.schemas import GROUND_TRUTH, IMAGES
from stages.ruler.size_bounds import SizeBounds
from stages.ruler.validate_params import ValidateParams

VALIDATE = Path("data/validate")
FINDINGS_FILE = Path("data/analyze/findings.parquet")
SUSPECTS_FILE = Path("data/analyze/suspects.parquet")
FEATURES = PREDICTED / "features.npy"
CANDIDATES = Path("data/sample/candidates.csv")
METRICS = Path("metrics/sample.json")
MEASURED = Path("metrics/validate.json")
REVIEWED = Path("metrics/review.json")  # of the reviews before
FIGURE = Path("plots/sample/packet.png")
_SHOWN = ("chosen_objects", "packet_sheets", "labels_to_check")  # in DVC's tables; the file has all
KINDS = (
    "missed",  # boxes of the pool that were not found
    "uncertain",  # detections on sheets without labels
    "nothing_seen",  # sheets without a plausible detection
)
COLUMNS = [
    "rank",  # from 1, the best first; empty for what was not chosen
    "arm",
    "image_id",
    "kind",  # missed, uncertain, nothing_seen
    "class_name",
    *BOX,
    "confidence",
    "size",
    "position",
    # of `hard`: sum of the four factors by their weights, 0 to 1; else the sheet's, and what it means is the strategy's
    "score",
    *FACTORS,  # of `hard`
    "chance",  # that the detection is right, 0 to 1, as labels on other sheets tell; not of `hard`
    "expected_errors",  # that a reviewer mends on the sheet; not of `hard`
    "expected_minutes",  # that the sheet takes; not of `hard`
    "reason",  # why an object is shown; of `hard` also of those that are not
    "sheet_reason",  # of what is shown: why the sheet was picked, which no reviewer sees; not of `hard`
]

Weight = Annotated[float, Field(ge=0)]


class SampleParams(Strict):
    """Section `sample`: how much goes to review, and what is preferred."""

    strategy: Literal["hard"] | SheetStrategy = "hard"  # as it was before there were others
    budget: float = Field(ge=1)
    unit: Unit = "objects"
    class_balance: Weight
    size_diversity: Weight
    spatial_diversity: Weight
    uncertainty: Weight
    most_per_sheet: float = Field(gt=0, le=1)
    plausible: float = Field(ge=0, le=1)
    prelabel_confidence: float = Field(ge=0, le=1)
    random_share: float = Field(default=0.1, ge=0, lt=1)
    recheck_share: float = Field(default=0.0, ge=0, lt=1)
    repeat_every: int = Field(default=0, ge=0)
    seed: int = Field(ge=0)

    @model_validator(mode="after")
    def _one_weight_counts(self) -> Self:
        if sum(self.weights()) == 0:
            raise ValueError("at least one of the four weights above 0")
        return self

    def weights(self) -> Weights:
        """Return the weights of the four factors."""
        return Weights(self.class_balance, self.size_diversity, self.spatial_diversity, self.uncertainty)

    def hard_plan(self) -> PickPlan:
        """Return what the strategy `hard` needs of it, which counts objects, whatever the unit."""
        return PickPlan(ceil(self.budget), self.weights(), self.most_per_sheet)

    def sheet_plan(self) -> SheetPlan:
        """Return what the other strategies need of it."""
        return SheetPlan(self.budget, self.unit, self.most_per_sheet)


Params = SampleParams  # as every stage calls them


def run() -> None:
    """Choose the sheets of the pool that are most worth a look.

    Some sheets are drawn at random besides, and one may have been reviewed before: nothing in the packet tells which.
    Sheets of train whose labels look wrong may go along, and say so.
    """
    params, classes, iteration = read_section(SampleParams, "sample"), read_classes(), read_iteration()
    tables, rng = _tables(), np.random.default_rng([params.seed, iteration])
    picker = _picker(tables, params, classes=classes, rng=rng)
    scored = _scored(tables, picker, params, classes=classes, rng=rng)
    plan = _second_plan(params, iteration)
    files = sheet_files(plan.splits)
    again = _looked_at_again(scored, tables, files, plan, picker, classes=classes)
    rows = pd.concat([scored, again], ignore_index=True) if len(again) else scored
    as_new = again.loc[again["arm"] == REPEAT, "image_id"].unique().tolist()
    pictures = write_packet(
        outgoing(rows, tables.images, files, rng=rng),
        focus=rows[rows["arm"] != ""],
        detections=prelabels(
            with_new(tables.detections, as_new), with_new(tables.images, as_new), confidence=params.prelabel_confidence
        ),
        classes=classes,
        iteration=iteration,
        seed=params.seed,
        ruler=str(read_metrics(MEASURED)["ruler"]),
    )
    arms = rows.loc[rows["arm"] != "", ["image_id", "arm"]].drop_duplicates().sort_values("image_id")
    write_csv(rows.reindex(columns=COLUMNS), CANDIDATES)
    write_csv(arms, ARMS)
    metrics = counts(rows, pool_sheets=len(tables.pool), to_check=labels_to_check(tables.suspects))
    expectation = picker.expects(arms.loc[arms["arm"] == PICKED, "image_id"].tolist()) if picker.expects else None
    draw_packet(read_packet(), pictures, heading=_summary(metrics), file=FIGURE)
    rest = {key: value for key, value in metrics.items() if key not in _SHOWN}
    details = {**rest, **forecast_metrics(picker.strategy, expectation)}
    write_metrics({key: metrics[key] for key in _SHOWN}, details, METRICS)
    instead = instead_text(params.strategy, picker.strategy)
    print(f"[SAMPLING] {_summary(metrics)}{forecast_text(expectation)}{instead}")


def _second_plan(params: SampleParams, iteration: int) -> SecondPlan:
    iou = read_section(ValidateParams, "validate").iou
    return SecondPlan(params.recheck_share, params.repeat_every, params.plausible, params.seed, iteration, iou)


def _looked_at_again(
    scored: pd.DataFrame,
    tables: "_Tables",
    files: Mapping[str, Sheet],
    plan: SecondPlan,
    picker: "Picker",
    *,
    classes: Sequence[str],
) -> pd.DataFrame:
    """Return what to look at on the sheets that go out beside the choice `scored`."""
    return added_rows(
        scored,
        SeenTables(tables.images, tables.suspects, tables.truth, tables.detections),
        files,
        plan,
        reviewed=read_metrics(REVIEWED),
        limits=read_section(FindingParams, "analyze").limits(),
        chooser=picker.chooser,
        class_name=lambda class_id: _name(class_id, classes),
    )


class _Tables(NamedTuple):
    """What the stages before left."""

    images: pd.DataFrame
    pool: pd.DataFrame  # its rows of `images`
    suspects: pd.DataFrame
    truth: pd.DataFrame
    detections: pd.DataFrame  # of all splits


def _tables() -> _Tables:
    images = read_table(VALIDATE / "images.parquet", IMAGES)
    return _Tables(
        images,
        images[images["split"] == "pool"],
        read_table(SUSPECTS_FILE, SUSPECTS),
        read_table(VALIDATE / "ground_truth.parquet", GROUND_TRUTH),
        read_table(PREDICTED / "detections.parquet", DETECTIONS),
    )


def _picker(tables: _Tables, params: SampleParams, *, classes: Sequence[str], rng: np.random.Generator) -> "Picker":
    """Return the picker that `sample.strategy` names; in a pool with labels it is `hard`."""
    if params.strategy == "hard" or tables.pool.empty or bool(tables.pool["labelled"].any()):
        bounds, train = read_section(SizeBounds, "analyze").areas, tables.truth[tables.truth["split"] == "train"]
        chooser = hard_chooser(rarities_of(train, classes=classes, bounds=bounds), params.hard_plan())
        return Picker(params.strategy if tables.pool.empty else "hard", chooser, None)
    known = PoolTables(tables.detections, np.load(FEATURES), tables.truth)
    return _by_sheets(tables.pool, known, params, classes=classes, rng=rng)


def _scored(
    tables: _Tables, picker: "Picker", params: SampleParams, *, classes: Sequence[str], rng: np.random.Generator
) -> pd.DataFrame:
    """Return all candidates of the pool, with what `picker` and chance made of them."""
    findings = without_wrong_labels(read_table(FINDINGS_FILE, FINDINGS), tables.suspects)
    names = pd.array([*classes, ""], dtype="str")
    found = pool_candidates(images=tables.images, findings=findings, plausible=params.plausible)
    scored = pick(
        found.assign(class_name=names.take(found["class_id"].to_numpy(np.int64, na_value=-1))),
        pool=tables.pool,
        detections=tables.detections[tables.detections["split"] == "pool"],
        classes=classes,
        bounds=read_section(SizeBounds, "analyze").areas,
        chooser=picker.chooser,
        plausible=params.plausible,
        random_share=params.random_share,
        rng=rng,
    )
    checks = scored["image_id"].map(labels_to_check(tables.suspects)).fillna(0).astype(int)
    scored["reason"] = [said and with_check(said, n) for said, n in zip(scored["reason"], checks, strict=True)]
    return scored


class Picker(NamedTuple):
    """How sheets are chosen, and what is expected of some (None: the strategy expects nothing)."""

    strategy: str  # that chooses
    chooser: Chooser
    expects: Callable[[Sequence[str]], Forecast] | None


def _by_sheets(
    pool: pd.DataFrame, tables: PoolTables, params: SampleParams, *, classes: Sequence[str], rng: np.random.Generator
) -> Picker:
    """Return the picker of a strategy that orders sheets; no sheet of `pool` has labels."""
    reviewed = read_metrics(REVIEWED)
    cost = ReviewCost(**reviewed["seconds"]) if "seconds" in reviewed else ReviewCost()
    view = pool_view(
        pool,
        tables,
        reviews=[judged_detections(reviewed.get("judged", []), classes)],
        classes=len(classes),
        prelabel=params.prelabel_confidence,
        wanted=params.sheet_plan().wanted(),
        iou=read_section(ValidateParams, "validate").iou,
    )
    assert params.strategy != "hard"
    order, guess = order_sheets(params.strategy, view, cost=cost, rng=rng), expected(view, cost)
    files = {sheet.image_id: sheet.image for sheet in read_split("pool")}
    look = cache(lambda name: fingerprint_file(files[name]))

    def is_copy(name: str, taken: list[str]) -> bool:
        return bool(taken) and bool(copies({name: look(name)}, {one: look(one) for one in taken}))

    places = pd.Index(view.sheets)
    return Picker(
        params.strategy,
        sheet_chooser(view, order, guess, params.sheet_plan(), is_copy),
        lambda names: forecast(guess, places.get_indexer(pd.Index(names)).astype(np.int64)),
    )


def counts(rows: pd.DataFrame, *, pool_sheets: int, to_check: pd.Series) -> dict[str, int]:
    """Return the metrics: candidates by kind, objects chosen, the sheets that hold them, and labels that look wrong.

    `to_check` is how many of those a sheet has, by image_id; they are no candidates.
    """
    scored = rows[~rows["arm"].isin([RECHECK, REPEAT])]
    chosen = scored[scored["rank"].notna()]
    return {
        "candidates": len(scored),  # all that might have gone to review: the sum of the three kinds
        **{kind: int((scored["kind"] == kind).sum()) for kind in KINDS},
        # candidates that the packet points at on picked sheets: at most `sample.budget` where that counts objects, and
        # then at most `sample.most_per_sheet` of it on one sheet while there is anything else; at most five a sheet
        # otherwise
        "chosen_objects": len(chosen),
        "packet_sheets": int(rows.loc[rows["arm"] != "", "image_id"].nunique()),  # sheets that go to review
        # sheets of these that were drawn at random from the whole pool, on top of the budget: `sample.random_share`
        "random_sheets": int(scored.loc[scored["arm"] == "random", "image_id"].nunique()),
        # sheets that go out besides, since their labels look wrong: `sample.recheck_share`
        "recheck_sheets": int(rows.loc[rows["arm"] == RECHECK, "image_id"].nunique()),
        # sheets of an earlier review that go out again as if they were new: `sample.repeat_every`
        "repeat_sheets": int(rows.loc[rows["arm"] == REPEAT, "image_id"].nunique()),
        "pool_sheets": pool_sheets,  # sheets in the pool
        "labels_to_check": int(to_check.sum()),  # labels of the pool that look wrong; they are no candidates
    }


def _name(class_id: object, classes: Sequence[str]) -> str:
    return classes[int(class_id)] if isinstance(class_id, int | np.integer) else ""


def _summary(metrics: dict[str, int]) -> str:
    kinds = ", ".join(f"{metrics[kind]} {kind.replace('_', ' ')}" for kind in KINDS)
    picked = f"{metrics['chosen_objects']} of {metrics['candidates']} candidates ({kinds})"
    random, doubtful = metrics["random_sheets"], metrics["labels_to_check"]
    by_chance = f", {random} of them drawn at random" if random else ""
    check = f"; {doubtful} labels of the pool look wrong (yoloop suspects)" if doubtful else ""
    checked = metrics["recheck_sheets"]
    beside = f", and {checked} sheet{'s' * (checked > 1)} beside, to check the labels" if checked else ""
    of_pool = metrics["packet_sheets"] - checked - metrics["repeat_sheets"]
    sheets = f"{of_pool} of {metrics['pool_sheets']} pool sheets{by_chance}{beside}"
    return f"{picked} go to review, on {sheets}{check}"


main = stage_command("sample", run)

if __name__ == "__main__":
    main()
