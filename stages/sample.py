"""Chooses what a person looks at next, and puts it into a packet."""

from pathlib import Path

import numpy as np
import pandas as pd

from stages.analysis.analysis_tables import FINDINGS
from stages.base.boxes import BOX
from stages.base.command import stage_command
from stages.base.tables import read_metrics, read_table, write_csv, write_metrics
from stages.picking.arms_file import ARMS, CANDIDATES
from stages.picking.candidates import labels_to_check
from stages.picking.greedy_choice import FACTORS
from stages.picking.packet import draw_packet, read_packet, write_packet
from stages.picking.packet_pictures import Picture
from stages.picking.random_arm import PICKED, RANDOM
from stages.picking.sampling.pool_picker import picker_of, scored_pool
from stages.picking.sampling.sample_inputs import SampleInputs, read_inputs
from stages.picking.sampling.sample_params import SampleParams
from stages.picking.second_looks.added_sheets import added_rows, outgoing, packet_prelabels
from stages.picking.second_looks.recheck_arm import RECHECK
from stages.picking.second_looks.repeat_arm import REPEAT
from stages.picking.sheet_choice import forecast_metrics, forecast_text, instead_text
from stages.picking.strategies.review_cost import ReviewCost, known_cost
from stages.wording.quantities import counted

FINDINGS_FILE = Path("data/analyze/findings.parquet")
METRICS = Path("metrics/sample.json")
MEASURED = Path("metrics/validate.json")
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

Params = SampleParams  # as every stage calls them


def run() -> None:
    """Choose the sheets of the pool that are most worth a look.

    Some sheets are drawn at random besides, and one may have been reviewed before: nothing in the packet tells which.
    Sheets of train whose labels look wrong may go along, and say so.
    """
    known = read_inputs()
    rng = np.random.default_rng([known.params.seed, known.iteration])
    picker = picker_of(known, rng)
    scored = scored_pool(known, read_table(FINDINGS_FILE, FINDINGS), picker.chooser, rng)
    again = added_rows(scored, known, picker.chooser)
    rows = pd.concat([scored, again], ignore_index=True) if len(again) else scored
    pictures = _write_packet(rows, known, rng)
    arms = rows.loc[rows["arm"] != "", ["image_id", "arm"]].drop_duplicates().sort_values("image_id")
    write_csv(rows.reindex(columns=COLUMNS), CANDIDATES)
    write_csv(arms, ARMS)
    metrics = counts(rows, pool_sheets=len(known.seen.pool), to_check=labels_to_check(known.seen.suspects))
    said = _summary(metrics)
    packet = read_packet()
    draw_packet(packet, pictures, heading=said, file=FIGURE)
    promise = picker.expects(arms.loc[arms["arm"] == PICKED, "image_id"].tolist()) if picker.expects else None
    rest = {key: value for key, value in metrics.items() if key not in _SHOWN}
    errors = promise.errors if promise else metrics["chosen_objects"]
    cost = known_cost(known.reviewed)
    work = packet_work(sheets=len(packet.sheets), boxes=len(packet.prelabels), errors=errors, cost=cost)
    details = {**rest, **forecast_metrics(picker.strategy, promise, picker.because), **work}
    write_metrics({key: metrics[key] for key in _SHOWN}, details, METRICS)
    instead = instead_text(known.params.strategy, picker.strategy, picker.because)
    print(f"[SAMPLING] {said}{forecast_text(promise)}{instead}")


def packet_work(*, sheets: int, boxes: int, errors: float, cost: ReviewCost) -> dict[str, float]:
    """Return what a packet is to its reviewer, who is expected to mend `errors`."""
    minutes = cost.minutes(sheets=np.array(sheets), boxes=np.array(boxes), errors=np.array(errors))
    return {
        "packet_boxes": boxes,  # drawn on its sheets before the reviewer starts
        # that all its sheets take, about: `seconds` of metrics/review.json for each sheet, box, and expected error
        # (with `hard` each chosen object)
        "packet_minutes": float(minutes),
    }


def _write_packet(rows: pd.DataFrame, known: SampleInputs, rng: np.random.Generator) -> list[Picture]:
    return write_packet(
        outgoing(rows, known, rng=rng),
        focus=rows[rows["arm"] != ""],
        detections=packet_prelabels(rows, known),
        classes=known.classes,
        iteration=known.iteration,
        seed=known.params.seed,
        ruler=str(read_metrics(MEASURED)["ruler"]),
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
        "random_sheets": int(scored.loc[scored["arm"] == RANDOM, "image_id"].nunique()),
        # sheets that go out besides, since their labels look wrong: `sample.recheck_share`
        "recheck_sheets": int(rows.loc[rows["arm"] == RECHECK, "image_id"].nunique()),
        # sheets of an earlier review that go out again as if they were new: `sample.repeat_every`
        "repeat_sheets": int(rows.loc[rows["arm"] == REPEAT, "image_id"].nunique()),
        "pool_sheets": pool_sheets,  # sheets in the pool
        "labels_to_check": int(to_check.sum()),  # labels of the pool that look wrong; they are no candidates
    }


def _summary(metrics: dict[str, int]) -> str:
    kinds = ", ".join(f"{metrics[kind]} {kind.replace('_', ' ')}" for kind in KINDS)
    picked = f"{metrics['chosen_objects']} of {metrics['candidates']} candidates ({kinds})"
    random, doubtful = metrics["random_sheets"], metrics["labels_to_check"]
    by_chance = f", {random} of them drawn at random" if random else ""
    looks = f"{counted(doubtful, 'label')} of the pool look{'s' * (doubtful == 1)} wrong"
    check = f"; {looks} (yoloop suspects)" if doubtful else ""
    checked = metrics["recheck_sheets"]
    beside = f", and {counted(checked, 'sheet')} beside, to check the labels" if checked else ""
    of_pool = metrics["packet_sheets"] - checked - metrics["repeat_sheets"]
    sheets = f"{of_pool} of {counted(metrics['pool_sheets'], 'pool sheet')}{by_chance}{beside}"
    return f"{picked} go to review, on {sheets}{check}"


main = stage_command("sample", run)

if __name__ == "__main__":
    main()
