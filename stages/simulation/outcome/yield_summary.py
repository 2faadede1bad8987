"""What `--yields` came to: yields over chance, over all seeds."""

from collections.abc import Mapping, Sequence
from math import exp, log
from typing import Any

from stages.simulation.outcome.kept_promises import Promise, kept
from stages.simulation.outcome.paired_arms import mean_of

_LEAST = 1e-3  # of chance: a packet without an error has no logarithm


def yield_summary(seeds: Sequence[Sequence[Mapping[str, Any]]]) -> dict[str, Any]:
    """Return metrics/simulation.json from the rows of each seed: geometric means over chance, with 95 % intervals."""
    names = [str(row["strategy"]) for row in seeds[0]]
    rows = {name: [next(row for row in seed if row["strategy"] == name) for seed in seeds] for name in names}
    return {
        "seeds": len(seeds),
        "yields": {
            name: {unit: _ratio([float(row[unit]) for row in own]) for unit in ("per_minute", "per_box")}
            for name, own in rows.items()
        },
        "promises": {
            name: kept([Promise(*(float(row[key]) for key in Promise._fields)) for row in own])._asdict()
            for name, own in rows.items()
        },
    }


def _ratio(values: Sequence[float]) -> dict[str, float | int | None]:
    found = mean_of([log(max(value, _LEAST)) for value in values])
    ends = {key: None if value is None else exp(value) for key, value in found._asdict().items() if key != "n"}
    return {**ends, "n": found.n}
