"""How often a 95 % interval holds the truth, and how far a threshold chosen on val flatters it.

TABLES is a folder of real predictions (benchmarks/folds.py). All its sheets are the world, and the numbers over all of
them are the truth. Again and again 10, 20 or 80 of them are drawn, with replacement, each time all intervals are
computed by the code that `validate` and `converge` call, and it is counted how often they hold the truth. The aim is 92
to 98 %.
`±` is twice the Monte Carlo error. A few minutes on one core; equal seeds give equal tables.

    python -m benchmarks.folds ../shared/datasets/bccd --name bccd --imgsz 320 --epochs 12 --fit train --on val,test
    python -m benchmarks.coverage .scratch/benchmarks/bccd
"""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Annotated, NamedTuple

import numpy as np
import pandas as pd
import typer

from benchmarks.other_intervals import OTHERS
from benchmarks.trial import REPO
from stages.ruler.scores.ap_intervals import ap_estimates
from stages.ruler.scores.average_precision import HitTable, ap_of, hit_table
from stages.ruler.scores.intervals import Estimates, gain_interval, rate_estimates
from stages.ruler.scores.threshold import cross_fit

SIZES = (10, 20, 80)
AIM = (0.92, 0.98)
RATES = ("f1", "precision", "recall")
AP = 0.5  # IoU of P, R and F1, and of the threshold


class Row(NamedTuple):
    """The intervals of one number in many trials: `held` and `width` per trial with a defined interval."""

    what: str
    name: str
    sheets: int
    truth: float
    held: np.ndarray
    width: np.ndarray
    trials: int

    def line(self) -> str:
        """Return coverage with its Monte Carlo error, and the mean width."""
        share = self.held.mean()
        error = 2 * np.sqrt(max(share * (1 - share), 1e-4) / len(self.held))
        outside = "" if AIM[0] <= share <= AIM[1] else "low" if share < AIM[0] else "high"
        return (
            f"{self.what:10} {self.name:12} {self.sheets:4} {self.truth:8.4f} {100 * share:7.1f} ±{100 * error:3.1f}"
            f" {self.width.mean():9.4f} {1 - len(self.held) / self.trials:10.3f}  {outside}"
        )


def main(
    tables: Annotated[Path, typer.Argument()] = REPO / ".scratch/benchmarks/bccd",
    trials: int = 2000,
    seed: int = 0,
    confidence: Annotated[float, typer.Option(help="The fixed operating confidence")] = 0.5,
    before: Annotated[float, typer.Option(help="That of the other model, for the gain")] = 0.3,
    floor: float = 0.01,
) -> None:
    """Print coverage for P, R, F1 and AP, for the gain, and for a cross-fitted threshold."""
    images, truth, found = (
        pd.read_parquet(tables / f"{name}.parquet") for name in ("images", "ground_truth", "detections")
    )
    found = found[found["confidence"] >= floor]
    classes = int(truth["class_id"].max()) + 1
    table = hit_table(detections=found, ground_truth=truth, sheets=images, classes=classes)
    print(f"{len(images)} sheets, {len(truth)} boxes, {len(found)} detections, {trials} trials, seed {seed}\n")
    print("number     name       sheets    truth coverage %     width  undefined")
    names = ["all", *(f"class {i}" for i in range(classes))]
    for draw in (rate_rows, ap_rows):
        for row in draw(table, names, confidence, trials, np.random.default_rng(seed)):
            print(row.line(), flush=True)
    for row in gain_rows(table, confidence, before, trials, np.random.default_rng(seed)):
        print(row.line(), flush=True)
    print("\nOther forms, coverage % of F1, P and R over all and classes: lowest, mean, highest")
    for line in compared(table, confidence, trials, np.random.default_rng(seed)):
        print(line, flush=True)
    print("\nF1 at a threshold chosen on val, minus F1 of all sheets at that threshold, and its interval's coverage")
    for line in chosen_lines(table, floor, trials, np.random.default_rng(seed)):
        print(line, flush=True)


def rate_rows(
    table: HitTable, names: list[str], confidence: float, trials: int, rng: np.random.Generator
) -> Iterator[Row]:
    """Yield the coverage of F1, P and R at a fixed confidence."""
    counts = counts_at(table, np.full(len(table.boxes), confidence))
    truth = over_all(counts)
    for sheets in SIZES:
        seen = estimates_of(drawn(counts, trials, sheets, rng))
        for rate in RATES:
            for i, name in enumerate(names):
                part = Estimates(*(one.reshape(trials, -1)[:, i] for one in seen[rate]))
                yield row_of(rate, name, sheets, truth[rate][i], part)


def ap_rows(table: HitTable, names: list[str], _: float, trials: int, rng: np.random.Generator) -> Iterator[Row]:
    """Yield the coverage of AP50 and AP50-95, where 'all' is the mean over classes."""
    whole = ap_of(table)
    truths = {"ap50": whole[:, 0], "ap50_95": whole.mean(axis=1)}
    rows = rows_of(table)
    for sheets in SIZES:
        draws = rng.integers(0, len(table.boxes), (trials, sheets))
        seen = [ap_estimates(redrawn(table, rows, draw), unit=np.arange(sheets)) for draw in draws]
        for rate, truth in truths.items():
            values = Estimates(*(np.stack([one[rate][end] for one in seen]) for end in range(3)))
            for i, name in enumerate(names):
                part = Estimates(*(one[:, i] for one in values))
                yield row_of(rate, name, sheets, float(np.append(np.nanmean(truth), truth)[i]), part)


def gain_rows(table: HitTable, now: float, before: float, trials: int, rng: np.random.Generator) -> Iterator[Row]:
    """Yield the coverage of the gain from one confidence to another, paired, and as if it were not paired."""
    both = [counts_at(table, np.full(len(table.boxes), one)) for one in (now, before)]
    truth = over_all(both[0])["f1"][0] - over_all(both[1])["f1"][0]
    for sheets in SIZES:
        draws = rng.integers(0, len(table.boxes), (trials, sheets))
        ends = [gain_interval(both[0][draw, :, 0], both[1][draw, :, 0]) for draw in draws]
        low, high = np.array([(np.nan if a is None else a, np.nan if b is None else b) for a, b in ends]).T
        yield row_of("gain", "paired", sheets, truth, Estimates(low, low, high))
        alone = [estimates_of(one[draws.T].transpose(1, 0, 2, 3))["f1"] for one in both]
        half = [(one.high - one.low).reshape(trials, -1)[:, 0] / 2 for one in alone]
        middle = alone[0].value.reshape(trials, -1)[:, 0] - alone[1].value.reshape(trials, -1)[:, 0]
        wide = np.hypot(*half)
        yield row_of("gain", "not paired", sheets, truth, Estimates(middle, middle - wide, middle + wide))


def compared(table: HitTable, confidence: float, trials: int, rng: np.random.Generator) -> Iterator[str]:
    """Yield a line per form of interval and number of sheets."""
    counts = counts_at(table, np.full(len(table.boxes), confidence))
    truth = over_all(counts)
    for sheets in SIZES:
        sample = drawn(counts, trials, sheets, rng)
        for label, form in {"ours": ours, **OTHERS}.items():
            shares, widths = zip(*(covered(form, sample, truth, rate, rng) for rate in RATES), strict=True)
            every = 100 * np.concatenate(shares)
            shown = " ".join(f"{one:6.1f}" for one in (every.min(), every.mean(), every.max()))
            yield f"{label:34} {sheets:4} {shown}  width {np.concatenate(widths).mean():.4f}"


def covered(
    form: Callable[..., tuple[np.ndarray, np.ndarray]],
    sample: np.ndarray,
    truth: dict[str, np.ndarray],
    rate: str,
    rng: np.random.Generator,
) -> tuple[np.ndarray, np.ndarray]:
    """Return coverage and mean width of `rate` per class in `sample`, (trials, sheets, 3, k)."""
    right, false, missed = np.moveaxis(sample.astype(float), 2, 0)
    part = 2 * right if rate == "f1" else right
    whole = part + (false if rate == "precision" else missed if rate == "recall" else false + missed)
    shares, widths = [], []
    for i in range(part.shape[2]):
        some = (whole[:, :, i] > 0).sum(axis=1) > 1
        low, high = form(part[some, :, i], whole[some, :, i], rng)
        shares.append(((low <= truth[rate][i]) & (truth[rate][i] <= high)).mean())
        widths.append(np.nanmean(high - low))
    return np.array(shares), np.array(widths)


def ours(part: np.ndarray, whole: np.ndarray, _: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Return the ends that the product computes, for part / whole, (trials, sheets) each."""
    rest = (whole - part).astype(np.int64)
    seen = rate_estimates(
        tp=part.astype(np.int64).T, fp=rest.T, fn=np.zeros_like(rest).T, unit=np.arange(part.shape[1])
    )["precision"]
    return seen.low, seen.high


def chosen_lines(table: HitTable, floor: float, trials: int, rng: np.random.Generator) -> Iterator[str]:
    """Yield the bias of F1 when val chooses its own threshold, and when it is cross-fitted."""
    iou = table._replace(hit=table.hit[:, :1], ignored=table.ignored[:, :1])  # IoU 0.50
    rows = rows_of(iou)
    steps = np.round(np.arange(1, 100) / 100, 2)
    worlds = {step: float(over_all(counts_at(iou, np.full(len(iou.boxes), step)))["f1"][0]) for step in steps}
    yield f"sheets     plain choice    cross-fitted  its coverage   (best over all sheets: {max(worlds.values()):.4f})"
    for sheets in SIZES:
        plain, fitted, held = np.zeros(trials), np.zeros(trials), np.zeros(trials)
        for i, draw in enumerate(rng.integers(0, len(iou.boxes), (trials, sheets))):
            part = redrawn(iou, rows, draw)
            # A sheet that was drawn twice is one unit, or its copy would choose the threshold that it is judged with.
            chosen = cross_fit(part, unit=np.unique(draw, return_inverse=True)[1], floor=floor)
            every = {step: counts_at(part, np.full(sheets, step))[:, :, :1].sum(axis=0) for step in steps}
            best = max(steps, key=lambda step: f1_of(every[step]))
            counts = counts_at(part, chosen.sheets)[:, :, :1]
            seen = rate_estimates(tp=counts[:, 0], fp=counts[:, 1], fn=counts[:, 2], unit=np.arange(sheets))["f1"]
            goal = worlds[chosen.overall]
            plain[i], fitted[i] = f1_of(every[best]) - worlds[best], float(seen.value[0]) - goal
            held[i] = seen.low[0] <= goal <= seen.high[0]
        errors = [2 * one.std() / np.sqrt(trials) for one in (plain, fitted)]
        yield (
            f"{sheets:6}  {plain.mean():+.4f} ±{errors[0]:.4f} {fitted.mean():+.4f} ±{errors[1]:.4f}"
            f"   {100 * held.mean():5.1f} %"
        )


def f1_of(counts: np.ndarray) -> float:
    """Return F1 of (3, 1) counts."""
    right, false, missed = counts[:, 0]
    return float(2 * right / max(2 * right + false + missed, 1))


def counts_at(table: HitTable, confidence: np.ndarray) -> np.ndarray:
    """Return tp, fp, fn of every sheet at its confidence, over all boxes and per class: (sheets, 3, 1 + classes)."""
    sheets, classes = table.boxes.shape
    used = table.confidence >= confidence[table.sheet]
    at = table.sheet * classes + table.class_id
    right, shown = (
        np.bincount(at[rows], minlength=sheets * classes).reshape(sheets, classes)
        for rows in (used & table.hit[:, 0], used)
    )
    counts = np.stack([right, shown - right, table.boxes - right], axis=1)
    return np.concatenate([counts.sum(axis=2, keepdims=True), counts], axis=2)


def drawn(counts: np.ndarray, trials: int, sheets: int, rng: np.random.Generator) -> np.ndarray:
    """Return samples of sheets with replacement: (trials, sheets, 3, k)."""
    return counts[rng.integers(0, len(counts), (trials, sheets))]


def estimates_of(sample: np.ndarray) -> dict[str, Estimates]:
    """Return the rates of all trials at once, each (trials * k,)."""
    trials, sheets, _, k = sample.shape
    flat = sample.transpose(2, 1, 0, 3).reshape(3, sheets, trials * k)
    return rate_estimates(tp=flat[0], fp=flat[1], fn=flat[2], unit=np.arange(sheets))


def over_all(counts: np.ndarray) -> dict[str, np.ndarray]:
    """Return F1, P and R over all sheets, each (k,)."""
    right, false, missed = counts.sum(axis=0)
    with np.errstate(invalid="ignore"):  # a class without detections at a high threshold
        return {
            "f1": 2 * right / (2 * right + false + missed),
            "precision": right / (right + false),
            "recall": right / (right + missed),
        }


def rows_of(table: HitTable) -> list[np.ndarray]:
    """Return the rows of every sheet."""
    order = np.argsort(table.sheet, kind="stable")
    return np.split(order, np.cumsum(np.bincount(table.sheet, minlength=len(table.boxes)))[:-1])


def redrawn(table: HitTable, rows: list[np.ndarray], draw: np.ndarray) -> HitTable:
    """Return the table of the sheets of `draw`; one that was drawn twice is there twice."""
    places = np.concatenate([rows[one] for one in draw])
    sheet = np.repeat(np.arange(len(draw)), [len(rows[one]) for one in draw])
    order = np.argsort(places, kind="stable")
    kept = places[order]
    return HitTable(
        sheet[order],
        table.class_id[kept],
        table.confidence[kept],
        table.hit[kept],
        table.ignored[kept],
        table.boxes[draw],
    )


def row_of(what: str, name: str, sheets: int, truth: float, seen: Estimates) -> Row:
    """Return whether each defined interval holds `truth`."""
    defined = ~np.isnan(seen.low) & ~np.isnan(seen.high)
    held = (seen.low[defined] <= truth) & (truth <= seen.high[defined])
    return Row(what, name, sheets, float(truth), held, (seen.high - seen.low)[defined], len(defined))


if __name__ == "__main__":
    typer.run(main)
