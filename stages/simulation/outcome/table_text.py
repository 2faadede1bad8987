"""table.md: what a simulation came to, for a person."""

from collections.abc import Mapping, Sequence
from math import exp
from typing import Any

from stages.wording.quantities import counted
from stages.wording.rates import DASH, gain_in, interval, rate

_PERCENT = "95 %"


def replay_text(found: Mapping[str, Any]) -> str:
    """Return the tables of a simulation with trainings, from its metrics."""
    seeds = found["seeds"]
    head = ["arm", "F1 first", "F1 last", "area, minutes", "area, sheets", f"minutes to {_PERCENT}", "minutes in all"]
    rows = [
        [
            name,
            rate(one["f1_start"]),
            rate(one["f1_end"]),
            rate(one["area_minutes"]),
            rate(one["area_sheets"]),
            _minutes(one, seeds),
            f"{one['minutes_end']:.0f}",
        ]
        for name, one in found["arms"].items()
    ]
    full = [["full", DASH, rate(found["full_f1"]), DASH, DASH, DASH, f"{found['full_minutes']:.0f}"]]
    return "\n".join(
        [
            "# What picking is worth",
            "",
            f"F1 on test, means over {counted(seeds, 'seed')}. Area: mean F1 over the minutes (sheets) of review that "
            f"all arms of a seed have spent. Minutes to {_PERCENT}: of the F1 with the whole pool labelled.",
            "",
            *table_lines(head, [*rows, *full]),
            "",
            *_replays(found["replays"]),
            *_comparisons(found["comparisons"]),
            *_promises(found["promises"]),
        ]
    )


def yield_text(found: Mapping[str, Any]) -> str:
    """Return the tables of `yield_summary`."""
    packets, strategy = found["packets"], found["strategy"]
    head = [f"packet {one['packet']}, {unit}" for one in packets for unit in ("per minute", "per box")]
    rows = [
        [
            name,
            *(ratio_text(one[name][unit]) for one in packets for unit in ("per_minute", "per_box")),
            ratio_text(found["over"][name]) if name in found["over"] else DASH,
        ]
        for name in found["promises"]
    ]
    return "\n".join(
        [
            "# What packets yield",
            "",
            "Errors that a reviewer mends in a packet, over those of the whole pool (1: chance), where chance picked "
            f"the packets before: geometric means over {counted(found['seeds'], 'seed')}, with 95 % intervals. Last "
            f"column: errors per minute of `{strategy}` over those of the others, paired.",
            "",
            *table_lines(["strategy", *head, f"`{strategy}` over it"], rows),
            "",
            *_promises(found["promises"]),
        ]
    )


def _minutes(arm: Mapping[str, Any], seeds: int) -> str:
    if arm["minutes_to_share"] is not None:
        return f"{arm['minutes_to_share']:.0f}"
    return f"reached in {arm['reached']} of {seeds}" if arm["reached"] else "not reached"


def _replays(found: Mapping[str, Any] | None) -> list[str]:
    if found is None:
        return ["`random` was not replayed, so nothing says how far chance alone puts two arms apart.", ""]
    minutes = DASH if found["log_minutes"] is None else f"{exp(found['log_minutes']):.2f} times"
    return [
        f"The two replays of `random` differ by {rate(found['f1_end'])} in the last F1, {rate(found['area_minutes'])} "
        f"in the area over minutes, and {minutes} in minutes to {_PERCENT}: no smaller gain counts.",
        "",
    ]


def _comparisons(found: Sequence[Mapping[str, Any]]) -> list[str]:
    if not found:
        return []
    head = ["strategy", "over", "F1 last", "area, minutes", f"times as fast to {_PERCENT}", "in minutes"]
    rows = [
        [
            one["strategy"],
            one["rival"],
            gain_in(*(one["f1_end"][key] for key in ("mean", "low", "high"))),
            gain_in(*(one["area_minutes"][key] for key in ("mean", "low", "high"))),
            ratio_text({key: None if v is None else exp(v) for key, v in one["log_minutes"].items() if key != "n"})
            + (f", {one['log_minutes']['n']} of {one['seeds_told']} seeds" if one["seeds_not_reached"] else ""),
            one["verdict"],
        ]
        for one in found
    ]
    return [*table_lines(head, rows), ""]


def _promises(found: Mapping[str, Mapping[str, Any]]) -> list[str]:
    rows = [
        [name, str(one["packets"]), DASH if one["slope"] is None else f"{one['slope']:.2f}", _share(one["inside"])]
        for name, one in found.items()
    ]
    return [*table_lines(["forecasts", "packets", "found over expected", "in the interval"], rows), ""]


def _share(value: float | None) -> str:
    return DASH if value is None else f"{value:.0%}"


def ratio_text(one: Mapping[str, float | int | None]) -> str:
    """Return a ratio with its interval, as `yield_summary` has it."""
    if one["mean"] is None:
        return DASH
    return f"{one['mean']:.2f}{interval(one['low'], one['high'])}"


def table_lines(head: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    """Return a table in Markdown, line by line."""
    lines = [head, ["---"] * len(head), *rows]
    return [f"| {' | '.join(line)} |" for line in lines]
