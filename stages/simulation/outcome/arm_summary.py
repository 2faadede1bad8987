"""What a simulation came to: each arm over all seeds, arms against each other, and the promises of the picker."""

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from stages.simulation.outcome.kept_promises import Promise, kept
from stages.simulation.outcome.learning_curves import SHARE, Reach, area, common_end, reach
from stages.simulation.outcome.paired_arms import floor_of, judged, log_gain, mean_of, says_nothing
from stages.simulation.outcome.result_rows import AXES, curve_of
from stages.simulation.replay_arms import FULL, REPLAYS, arms_of

RIVALS = ("random", "crowd")  # what the other strategies are compared with


def seed_rows(rows: pd.DataFrame, strategies: Sequence[str]) -> pd.DataFrame:
    """Return a row per arm and seed: F1 at the start and at the end, areas, and minutes to `SHARE` of the full F1.

    `rows` are those of `rows_of`. `minutes_to_share` is null where it was not reached.
    """
    arms = [arm.name for arm in arms_of(strategies)]
    found = []
    for seed in sorted(set(rows["seed"])):
        curves = {axis: {arm: curve_of(rows, arm, seed, axis) for arm in arms} for axis in AXES}
        full = rows[(rows["arm"] == FULL) & (rows["seed"] == seed)].iloc[0]
        for arm in arms:
            own = curves["minutes"][arm]
            areas = {f"area_{axis}": area(curves[axis][arm], common_end(list(curves[axis].values()))) for axis in AXES}
            found.append(
                {
                    "arm": arm,
                    "seed": seed,
                    "f1_start": own.f1[0],
                    "f1_end": own.f1[-1],
                    **areas,
                    "minutes_to_share": reach(own, SHARE * full["f1"]).spent,
                    "minutes_end": own.spent[-1],
                    "full_f1": full["f1"],
                    "full_minutes": full["minutes"],
                }
            )
    return pd.DataFrame(found)


def summary_of(
    rows: pd.DataFrame, promises: Mapping[str, Sequence[Promise]], strategies: Sequence[str]
) -> dict[str, Any]:
    """Return metrics/simulation.json, from the rows of all cells and what was expected of packets, by arm."""
    by_seed = seed_rows(rows, strategies)
    arms = list(dict.fromkeys(by_seed["arm"]))
    once = by_seed.drop_duplicates("seed")
    return {
        "seeds": len(once),
        # F1 on test with the whole pool labelled, and the minutes of its review: means over seeds
        "full_f1": float(once["full_f1"].mean()),
        "full_minutes": float(once["full_minutes"].mean()),
        "arms": {arm: _arm(by_seed[by_seed["arm"] == arm]) for arm in arms},
        "replays": _replays(by_seed) if "random" in strategies else None,
        "comparisons": _comparisons(by_seed, strategies),
        "promises": {name: kept(some)._asdict() for name, some in _by_strategy(promises, strategies).items()},
        "by_seed": by_seed.astype(object).where(by_seed.notna(), None).to_dict("records"),
    }


def _arm(rows: pd.DataFrame) -> dict[str, Any]:
    means = {key: float(rows[key].mean()) for key in ("f1_start", "f1_end", *(f"area_{axis}" for axis in AXES))}
    there = rows["minutes_to_share"].dropna()
    return {
        **means,
        "minutes_end": float(rows["minutes_end"].mean()),
        "reached": len(there),  # seeds in which it got to the share of the full F1
        "minutes_to_share": float(there.mean()) if len(there) == len(rows) else None,  # null unless in all
    }


def _replays(by_seed: pd.DataFrame) -> dict[str, Any]:
    """Return how far the two replays of `random` lie apart, mean absolute differences: below it no gain is stated."""
    a, b = (by_seed[by_seed["arm"] == name].set_index("seed") for name in REPLAYS)
    apart = {key: float((a[key] - b[key]).abs().mean()) for key in ("f1_end", *(f"area_{axis}" for axis in AXES))}
    pairs = [(_reach(a.loc[seed]), _reach(b.loc[seed])) for seed in a.index]
    return {**apart, "log_minutes": floor_of(pairs)}


def _comparisons(by_seed: pd.DataFrame, strategies: Sequence[str]) -> list[dict[str, Any]]:
    floor = _replays(by_seed) if "random" in strategies else {}
    known = [rival for rival in RIVALS if rival in strategies]
    pairs = [(name, rival) for rival in known for name in strategies if name not in known[: known.index(rival) + 1]]
    return [_compared(by_seed, name, rival, floor) for name, rival in pairs]


def _compared(by_seed: pd.DataFrame, name: str, rival: str, floor: Mapping[str, Any]) -> dict[str, Any]:
    mine, other = (_sides(by_seed, one) for one in (name, rival))
    told = [seed for seed in mine if not says_nothing([*mine[seed], *other[seed]])]
    gains = [log_gain(mine[seed], other[seed]) for seed in told]
    losses = [log_gain(other[seed], mine[seed]) for seed in told]
    found: dict[str, Any] = {"strategy": name, "rival": rival}
    for key in ("f1_end", "area_minutes", "area_sheets"):
        gaps = _means(by_seed, name, key) - _means(by_seed, rival, key)
        found[key] = mean_of(gaps.tolist())._asdict()
    return {
        **found,
        # log of the rival's minutes to the share over ours: above 0, we are faster
        "log_minutes": mean_of([gain for gain in gains if gain is not None])._asdict(),
        "seeds_told": len(told),  # seeds whose shared start was not there already
        "seeds_not_reached": sum(gain is None for gain in gains),  # by us: then nothing is said
        "verdict": judged(gains, losses, floor.get("log_minutes")),
    }


def _sides(by_seed: pd.DataFrame, strategy: str) -> dict[int, list[Reach]]:
    names = [arm.name for arm in arms_of([strategy])]
    own = by_seed[by_seed["arm"].isin(names)]
    return {int(str(seed)): [_reach(row) for _, row in part.iterrows()] for seed, part in own.groupby("seed")}


def _reach(row: "pd.Series[Any]") -> Reach:
    spent = row["minutes_to_share"]
    return Reach(None if pd.isna(spent) else float(spent), float(row["minutes_end"]))


def _means(by_seed: pd.DataFrame, strategy: str, key: str) -> "pd.Series[float]":
    """Return `key` per seed, the mean of a strategy's replays."""
    names = [arm.name for arm in arms_of([strategy])]
    return by_seed[by_seed["arm"].isin(names)].groupby("seed")[key].mean()


def _by_strategy(promises: Mapping[str, Sequence[Promise]], strategies: Sequence[str]) -> dict[str, list[Promise]]:
    found = {name: [one for arm in arms_of([name]) for one in promises.get(arm.name, [])] for name in strategies}
    return {"all": [one for some in found.values() for one in some], **found}
