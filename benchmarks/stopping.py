"""How often the rules that stop the loop are wrong, on made-up projects whose truth is known.

    python -m benchmarks.stopping

A project has a curve of F1 over its iterations: a - b·c^N or a - b·(N + 1)^-k on a grid (`laws`), or one that no such
law describes (`others`: a slow start, a straight rise that ends at once, a first iteration off the curve). The model of
an iteration lies off the curve, as one training repeated does: standard deviation 0.004, 0.007 or 0.01 of F1. It is
measured on the same 10, 25, 60 or 200 sheets of val every time, and on other sheets of train, which grows; there F1 is
0.02 or 0.04 higher, so nothing is overfitted. Sheets have 13 boxes in the mean, differ in difficulty, and keep it from
one iteration to the next, so that intervals come out as wide as they were measured on BCCD (docs/ruler.md, Coverage:
0.16, 0.10 and 0.05 for F1 on 10, 20 and 80 sheets, and 0.10, 0.07 and 0.03 for a gain).

Limits: target 0.98, 10 iterations, 0.005 over 3 iterations, gap 0.05. All code is the product's own. `interval` is a
rule that the product does not have: `evidence`, but for a plateau the high end of the past window's paired interval
must be below 0.005.

wrong stop    A stop by target though the model's F1 on all sheets is below it; by plateau though the curve gains at
              least 0.005 in the next window; by overfitting, always. The share of all stops by these three rules;
              t, p, o: how many by which.
late          A project is ripe at the first iteration from 3 on at which the curve is at the target, or gains less than
              0.005 in the next window. It is late when the verdicts of that iteration and the two after it are all to
              go on: a full window was run for nothing. The share of projects that were not stopped before they were
              ripe, and whose window ends before the tenth iteration.
  said no     Of these, where a rule that was ripe answered no at one of the three: a wrong continue. A rule with two
              answers always says no.
  untold      Where it answered cannot tell.

Wanted: at most 5 % wrong stops, at most 10 % wrong continues (`said no`). `untold` is what val and scatter hide.

Then: how often F1 of the next iteration lay in the forecast's 95 % interval; and of ripe projects in which a plateau
could not be told, how many sheets were said to tell (the middle one), and how often a val of that size did.
"""

from collections.abc import Iterator
from itertools import pairwise, product
from typing import Annotated, NamedTuple

import numpy as np
import pandas as pd
import typer

from stages.convergence.gains import COUNTS, MeasuredIteration, gain_since, val_scatter
from stages.convergence.packet_forecast import forecast
from stages.convergence.stop_evidence import CANNOT_TELL, NO, Answer, Measured, Rate, judge_evidence
from stages.convergence.stop_rules import StopLimits, judge
from stages.ruler.scores.intervals import Floats, Ints, rate_estimates

SIZES = (10, 25, 60, 200)  # sheets in val
SCATTERS = (0.004, 0.007, 0.01)  # of a training repeated, standard deviation of F1
GAPS = (0.02, 0.04)  # between train and val
RULES = ("classic", "interval", "evidence")
LIMITS = StopLimits(target_f1=0.98, max_iterations=10, plateau_gain=0.005, plateau_window=3, overfit_gap=0.05)
WINDOW, LAST = LIMITS.plateau_window, LIMITS.max_iterations - 1
STEPS = np.arange(LIMITS.max_iterations + WINDOW)
BOXES, UNEVEN = 13.0, 3.0  # in the mean per sheet; the lower, the more sheets differ in their number
SHEET, STAYS = 0.1, 0.85  # share of a box's difficulty that its sheet has, and that stays over the iterations
MOST = 400  # sheets: a larger val is not tried


class Project(NamedTuple):
    """What is true: F1 of the curve and of the models (on all sheets, per iteration), and the gap of train."""

    curve: Floats
    models: Floats
    gap: float


class Look(NamedTuple):
    """What the product says after an iteration."""

    seen: Measured
    stops: dict[str, str | None]  # rule of this program -> rule that stopped
    answers: dict[str, Answer]


class Outcome(NamedTuple):
    """What a rule made of a project."""

    stopped: bool  # by target, plateau or overfitting
    wrong: str  # the rule that stopped it wrongly, or ""
    could_be_late: bool
    said_no: bool
    untold: bool
    iterations: int


def curves() -> dict[str, list[Floats]]:
    """Return the curves of both kinds."""
    tops, heights = (0.75, 0.85, 0.95, 0.99), (0.15, 0.4)
    parts = [*(c**STEPS for c in (0.3, 0.5, 0.7, 0.85)), *((STEPS + 1.0) ** -k for k in (0.5, 1.0, 2.0))]
    laws = [a - b * part for a, b in product(tops, heights) for part in parts]
    slow = [a - 0.4 / (1 + np.exp((STEPS - middle) / 1.2)) for a, middle in product(tops, (2, 4))]
    straight = [np.minimum(a - 0.2 + slope * STEPS, a) for a, slope in product(tops, (0.03, 0.06))]
    off = [a - 0.25 * 0.6**STEPS + shift * (STEPS == 0) for a, shift in product(tops, (-0.1, 0.06))]
    return {"laws": laws, "others": [*slow, *straight, *off]}


def counts_on(rng: np.random.Generator, sheets: int, truth: Floats) -> Ints:
    """Return tp, fp, fn of sheets of which models have F1 `truth`: (models, sheets, 3).

    As many false alarms are possible as there are boxes, and come as often as a box is missed, so F1 is the recall.
    """
    from scipy.special import ndtri  # type: ignore[import-untyped]

    boxes = np.maximum(rng.negative_binomial(UNEVEN, UNEVEN / (UNEVEN + BOXES), sheets), 1)
    sheet = np.repeat(np.arange(sheets), boxes)
    stays = [
        np.sqrt(SHEET) * rng.normal(size=sheets)[sheet] + np.sqrt(STAYS - SHEET) * rng.normal(size=len(sheet))
        for _ in range(2)
    ]
    found = []
    for f1 in np.clip(truth, 0.01, 0.999):
        hard = [one + np.sqrt(1 - STAYS) * rng.normal(size=len(sheet)) for one in stays]
        right, false = hard[0] < ndtri(f1), hard[1] < ndtri(1 - f1)
        tp, fp = (np.bincount(sheet[rows], minlength=sheets) for rows in (right, false))
        found.append(np.stack([tp, fp, boxes - tp], axis=1))
    return np.array(found, dtype=np.int64)


def looks(rng: np.random.Generator, project: Project, sheets: int) -> list[Look]:
    """Return what is said after each iteration of a project."""
    group = np.full(sheets, "", dtype=object)  # no strings of Arrow, which are slow to make
    measured, found = [], []
    for number, counts in enumerate(counts_on(rng, sheets, project.models)):
        frame = pd.DataFrame(counts, columns=COUNTS).assign(image_id=range(sheets), group=group)
        rate = _rate(counts)
        measured.append(MeasuredIteration(number, rate.value, "ruler", "{}", frame))
        train = np.minimum(project.models[number : number + 1] + project.gap, 0.998)
        found.append(_look(measured, rate, _rate(counts_on(rng, 40 + 20 * number, train)[0])))
    return found


def _look(measured: list[MeasuredIteration], val: Rate, train: Rate) -> Look:
    done, f1 = len(measured), [one.f1 for one in measured if one.f1 is not None]
    gain = gain_since(measured[-1], measured[-1 - WINDOW]) if done > WINDOW else None
    scatter = val_scatter(measured, window=WINDOW)
    seen = Measured(val, train, gain, f1, scatter, len(measured[-1].sheets), done, None)
    verdict, answers = judge_evidence(seen, LIMITS)
    said = {one.rule: one for one in answers}
    old = next((one.rule for one in answers if one.rule != "plateau" and one.answer == "yes"), None)
    flat = gain is not None and gain.high is not None and gain.high < LIMITS.plateau_gain
    stops = {
        "classic": judge(val.value, train.value, gain, LIMITS, done=done).rule,
        "interval": "max_iterations" if done > LAST else old or ("plateau" if flat else None),
        "evidence": verdict.rule,
    }
    return Look(seen, stops, said)


def _rate(counts: Ints) -> Rate:
    tp, fp, fn = (counts[:, place : place + 1] for place in range(3))
    found = rate_estimates(tp=tp, fp=fp, fn=fn, unit=np.arange(len(counts)))["f1"]
    return Rate(*(None if np.isnan(one[0]) else float(one[0]) for one in found))


def ripe_at(project: Project) -> tuple[int, set[str]] | None:
    """Return the first iteration at which stopping is right, and the rules that hold there; None for never."""
    for number in range(WINDOW, LAST + 1):
        held = {"target_f1"} if project.curve[number] >= LIMITS.target_f1 else set()
        if ahead(project, number) < LIMITS.plateau_gain:
            held.add("plateau")
        if held:
            return number, held
    return None


def ahead(project: Project, number: int) -> float:
    """Return what the curve gains in the window after an iteration."""
    return round(float(project.curve[number + WINDOW] - project.curve[number]), 9)


def outcome(project: Project, found: list[Look], rule: str) -> Outcome:
    """Return what a rule made of a project."""
    number, why = next((i, look.stops[rule]) for i, look in enumerate(found) if look.stops[rule])
    wrong = {
        "target_f1": project.models[number] < LIMITS.target_f1,
        "plateau": ahead(project, number) >= LIMITS.plateau_gain,
        "overfitting": True,
    }.get(str(why), False)
    ripe = ripe_at(project)
    could = ripe is not None and ripe[0] + WINDOW <= LAST and number >= ripe[0]
    late = ripe is not None and could and number >= ripe[0] + WINDOW
    said_no = late and ripe is not None and (rule != "evidence" or _said_no(found, *ripe))
    return Outcome(why != "max_iterations", str(why) if wrong else "", could, said_no, late and not said_no, number + 1)


def _said_no(found: list[Look], first: int, rules: set[str]) -> bool:
    return any(look.answers[rule].answer == NO for look in found[first : first + WINDOW] for rule in rules)


def projects(rng: np.random.Generator, shapes: list[Floats], repeat: int) -> Iterator[Project]:
    """Yield the projects of one kind of curve."""
    for number, (curve, scatter, _) in enumerate(product(shapes, SCATTERS, range(repeat))):
        yield Project(curve, (curve + rng.normal(0, scatter, len(curve)))[: LAST + 1], GAPS[number % len(GAPS)])


def table(kind: str, sheets: int, ran: list[tuple[Project, list[Look]]]) -> None:
    """Print a line per rule."""
    for rule in RULES:
        made = [outcome(project, found, rule) for project, found in ran]
        stops, could = [one for one in made if one.stopped], [one for one in made if one.could_be_late]
        by = "".join(f"{sum(one.wrong == name for one in made):>4}" for name in ("target_f1", "plateau", "overfitting"))
        shares = [[one.said_no for one in could], [one.untold for one in could]]
        print(
            f"{kind:<8}{sheets:>6}  {rule:<10}{len(made):>6}{len(stops):>7}"
            f"{_share([bool(one.wrong) for one in stops])}{by}"
            f"{len(could):>8}{''.join(_share(one) for one in shares)}"
            f"{np.mean([one.iterations for one in made]):>12.1f}"
        )


def _share(holds: list[bool]) -> str:
    return f"{np.mean(holds):>12.1%}" if holds else f"{'-':>12}"


def forecast_line(sheets: int, ran: list[tuple[Project, list[Look]]]) -> None:
    """Print how often the next F1 lay in the interval that was forecast."""
    held, width = [], []
    for _, found in ran:
        for now, then in pairwise(found):
            said = forecast(now.seen.f1, now.seen.val_sd, None)
            if said.low is not None and said.high is not None:
                held.append(said.low <= then.seen.f1[-1] - now.seen.f1[-1] <= said.high)
                width.append(said.high - said.low)
    print(f"{sheets:>6}{len(held):>12}{_share(held)}{np.mean(width):>12.3f}")


def needed_line(rng: np.random.Generator, sheets: int, ran: list[tuple[Project, list[Look]]]) -> None:
    """Print how many sheets were said to tell, and how often they do."""
    untold, asked, told = 0, [], []
    for project, found in ran:
        ripe = ripe_at(project)
        if ripe is None or "plateau" not in ripe[1] or found[ripe[0]].answers["plateau"].answer != CANNOT_TELL:
            continue
        untold += 1
        number = found[ripe[0]].answers["plateau"].sheets_needed
        if number is not None and number <= MOST:
            asked.append(number)
            again = looks(rng, project, number)
            told.append(again[ripe[0]].answers["plateau"].answer != CANNOT_TELL)
    print(f"{sheets:>6}{untold:>12}{len(asked):>12}{np.median(asked) if asked else np.nan:>12.0f}{_share(told)}")


def main(
    repeat: Annotated[int, typer.Option(min=1, help="Times every curve is run, per scatter.")] = 1,
    sizes: Annotated[str, typer.Option(help="Sheets in val.")] = ",".join(map(str, SIZES)),
    every: Annotated[int, typer.Option(min=1, help="Takes every so manieth curve.")] = 1,
    seed: Annotated[int, typer.Option(min=0, help="Of sheets and scatter; the rule was made on seed 0.")] = 1,
) -> None:
    """Print the three tables; every size of val is drawn from the same seed."""
    chosen = [int(one) for one in sizes.split(",")]
    ran: dict[tuple[str, int], list[tuple[Project, list[Look]]]] = {}
    print(
        "curves    val  rule      projects  stops  wrong stop   t   p   o    ripe     said no      untold  iterations"
    )
    for kind, shapes in curves().items():
        for sheets in chosen:
            rng = np.random.default_rng(seed)
            made = [(one, looks(rng, one, sheets)) for one in projects(rng, shapes[::every], repeat)]
            ran[kind, sheets] = made
            table(kind, sheets, made)
    print("\nlaws  forecasts       of F1 of the next iteration in the interval, its mean width\n   val")
    for sheets in chosen:
        forecast_line(sheets, ran["laws", sheets])
    print("\nlaws  ripe and untold, said how many sheets (at most 400), the middle, told by so many\n   val")
    for sheets in chosen:
        needed_line(np.random.default_rng([seed, 1]), sheets, ran["laws", sheets])


if __name__ == "__main__":
    typer.run(main)
