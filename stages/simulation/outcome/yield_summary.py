"""What packets would yield, over chance: over all seeds, packet by packet, and of one strategy over another."""

from collections.abc import Mapping, Sequence
from math import exp, log
from typing import Any

from stages.simulation.outcome.kept_promises import Promise, kept
from stages.simulation.outcome.paired_arms import mean_of
from stages.simulation.replay_graph import YIELDS

UNITS = ("per_minute", "per_box")
_LEAST = 1e-3  # of chance: a packet without an error has no logarithm


def yield_summary(cells: Sequence[Mapping[str, Any]], name: str) -> dict[str, Any]:
    """Return geometric means over seeds with 95 % intervals, from cells with `seed`, `packet` and YIELDS.

    Strategies over chance for each packet; the strategy `name` over each other one, paired within packets; and what
    was found over what each strategy expected.
    """
    packets = sorted({one["packet"] for one in cells})
    of = {packet: [one[YIELDS] for one in cells if one["packet"] == packet] for packet in packets}
    names = [str(row["strategy"]) for row in of[packets[0]][0]]
    rows = {one: [_row(cell, one) for cell in cells] for one in names}
    return {
        "seeds": len({one["seed"] for one in cells}),
        "packets": [
            {
                "packet": packet,
                **{
                    one: {unit: _ratio([_log(_named(seed, one)[unit]) for seed in of[packet]]) for unit in UNITS}
                    for one in names
                },
            }
            for packet in packets
        ],
        "strategy": name,
        "over": {one: paired(cells, name, one) for one in names if one != name},
        "promises": {
            one: kept([Promise(*(float(row[key]) for key in Promise._fields)) for row in own])._asdict()
            for one, own in rows.items()
        },
    }


def paired(cells: Sequence[Mapping[str, Any]], name: str, other: str) -> dict[str, float | int | None]:
    """Return by how much `name` finds more errors per minute than `other`, means of a seed's packets.

    A seed of another set, told by `set` where cells have it, is another one.
    """
    gains: dict[tuple[str, int], list[float]] = {}
    for one in cells:
        gain = _log(_row(one, name)["per_minute"]) - _log(_row(one, other)["per_minute"])
        gains.setdefault((str(one.get("set", "")), int(one["seed"])), []).append(gain)
    return _ratio([sum(own) / len(own) for own in gains.values()])


def _row(cell: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    return _named(cell[YIELDS], name)


def _named(rows: Sequence[Mapping[str, Any]], name: str) -> Mapping[str, Any]:
    return next(row for row in rows if row["strategy"] == name)


def _log(value: float) -> float:
    return log(max(float(value), _LEAST))


def _ratio(logs: Sequence[float]) -> dict[str, float | int | None]:
    found = mean_of(logs)
    ends = {key: None if value is None else exp(value) for key, value in found._asdict().items() if key != "n"}
    return {**ends, "n": found.n}
