"""What a packet yields, on all sets: errors that a reviewer mends per minute, of each strategy over chance.

RESULTS has a folder per set as `yoloop simulate` left it (`results`, with or without `--yields`). Before the runs it
was written down: a strategy is called better than another where the 95 % interval of the mean log ratio over seeds (t)
is above 0; what is aimed at for the default is at least 1.5 times chance and above `crowd` per minute, and never below
0.9 on any set. The comparison over all sets was added after the first results; seeds of one set are no sets of their
own, so its interval is rather too narrow.

    python -m benchmarks.yields
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from benchmarks.replays import HOME
from stages.base.tables import read_json
from stages.simulation.outcome.kept_promises import Promise, kept
from stages.simulation.outcome.table_text import ratio_text, table_lines
from stages.simulation.outcome.yield_summary import paired, yield_summary
from stages.simulation.replay_graph import YIELDS

PACKETS = 2
DEFAULT = "earned"


def main(
    results: Annotated[
        Path, typer.Argument(help="Folder with a folder per set, each with seed-0, seed-1 and so on.")
    ] = HOME,
    packets: Annotated[int, typer.Option(help="Of each seed, the first ones.")] = PACKETS,
) -> None:
    """Print yields over chance per set and packet, the default over all others, and how promises were kept."""
    cells = read_cells(results, packets)
    if not cells:
        raise typer.BadParameter(f"{results}: no {YIELDS}-0.json below it")
    sets = list(dict.fromkeys(one["set"] for one in cells))
    found = {name: yield_summary([one for one in cells if one["set"] == name], DEFAULT) for name in sets}
    columns = [(name, part) for name in sets for part in found[name]["packets"]]
    names = list(found[sets[0]]["promises"])
    head = [f"{name} {part['packet']} (n {part[DEFAULT]['per_minute']['n']})" for name, part in columns]
    for unit in ("per_minute", "per_box"):
        rows = [[one, *(ratio_text(part[one][unit]) for _, part in columns)] for one in names]
        print(f"\nErrors {unit.replace('_', ' ')} over chance: geometric mean (95 % interval)\n")
        print("\n".join(table_lines(["strategy", *head], rows)))
    others = [one for one in names if one != DEFAULT]
    over = {one: paired(cells, DEFAULT, one) for one in others}
    print(f"\nErrors per minute of `{DEFAULT}` over those of others, paired within packets\n")
    print(
        "\n".join(table_lines(["over", "", "n"], [[one, ratio_text(over[one]), str(over[one]["n"])] for one in others]))
    )
    print(f"\n{promise_line(cells)}")


def read_cells(results: Path, packets: int) -> list[dict[str, Any]]:
    """Return what each cell of yields holds, with the name of its set."""
    files = sorted(results.glob(f"*/seed-*/{YIELDS}-*.json"))
    cells = [{**read_json(file), "set": file.parts[-3]} for file in files]
    return [one for one in cells if one["packet"] <= packets]


def promise_line(cells: Sequence[Mapping[str, Any]]) -> str:
    """Return how many errors the default found over those it expected, and how many intervals hold."""
    rows = [next(row for row in one[YIELDS] if row["strategy"] == DEFAULT) for one in cells]
    found = kept([Promise(*(float(row[key]) for key in Promise._fields)) for row in rows])
    said = f"{found.packets} packets: {found.slope:.2f} times as many errors as promised"
    return f"{said}, {found.inside:.0%} of the counts in the interval"


if __name__ == "__main__":
    typer.run(main)
