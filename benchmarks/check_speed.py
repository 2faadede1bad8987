"""How long `yoloop data check` takes on drawn sheets: the first time, again with nothing changed, and elsewhere.

    git worktree add ../before a29393f
    python -m benchmarks.check_speed --home ../check --sheets 250 --sheets 1000 --against ../before

Each round checks all sheets with this checkout, from an empty store and once more, and with the other one, in turns.
Printed are the medians over the rounds of the seconds of the processor, which other work on the machine hurts less
than those of the clock beside them, and of the ratios of processor time. The first number of sheets has ratio 1.
"""

import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Annotated, NamedTuple

import typer

from demo.demo_data import write_source
from demo.drawing.sets import draw_window

REPO = Path(__file__).parents[1]
SETTLED = 3.0  # seconds until the store trusts a file that was written just now


class Taken(NamedTuple):
    """Seconds of one check: of the processor, with all processes below it, and of the clock."""

    cpu: float
    clock: float


def main(
    home: Annotated[Path, typer.Option(help="Folder in which drawn sheets are kept.")],
    sheets: Annotated[list[int], typer.Option(min=1, help="How many; may be given several times.")],
    against: Annotated[list[Path] | None, typer.Option(exists=True, help="Another checkout of this project.")] = None,
    rounds: Annotated[int, typer.Option(min=1)] = 3,
) -> None:
    """Draw the sheets that are not there yet, check them, and print what it took."""
    print(f"{rounds} rounds, {os.cpu_count()} cores; seconds of the processor (of the clock)")
    before = None
    for count in sheets:
        source = drawn(home, count)
        runs = [one_round(source, against or []) for _ in range(rounds)]
        middle = {name: _median([run[name] for run in runs]) for name in runs[0]}
        for name, taken in middle.items():
            print(f"{count:>6} sheets  {name:<24}{taken.cpu:>9.2f} ({taken.clock:.1f})", flush=True)
        for over, under in _ratios(list(middle)):
            ratio = statistics.median(run[over].cpu / run[under].cpu for run in runs)
            print(f"{count:>6} sheets  {over} / {under}: {ratio:.1f}", flush=True)
        before = before or middle["first"].cpu
        print(f"{count:>6} sheets  first, in times that of the first number: {middle['first'].cpu / before:.2f}")


def drawn(home: Path, count: int) -> Path:
    """Return a YOLO folder with the first `count` drawn sheets; only those are drawn that no folder has."""
    folder, parts = home / f"sheets-{count}", home / "parts"
    if folder.exists():
        return folder
    with tempfile.TemporaryDirectory(dir=_made(home)) as building:
        for number in range(count):
            part = parts / f"{number:06d}"
            if not part.exists():
                write_source(Path(building) / "part", {"pool": [draw_window(0, "pool", number)]})
                (Path(building) / "part").rename(_made(parts) / part.name)
            for kind in ("images", "labels"):
                for file in (part / kind / "pool").iterdir():
                    shutil.copyfile(file, _made(Path(building) / "all" / kind / "pool") / file.name)
        shutil.copyfile(parts / "000000/data.yaml", Path(building) / "all/data.yaml")
        (Path(building) / "all").rename(folder)
    time.sleep(SETTLED)
    return folder


def one_round(source: Path, against: list[Path]) -> dict[str, Taken]:
    """Return what the checks of one round took: first, again, and by the name of each other checkout."""
    found = {}
    with _project(REPO) as root:
        found["first"], found["again"] = check(REPO, Path(root), source), check(REPO, Path(root), source)
    for checkout in against:
        with _project(checkout) as root:
            found[checkout.resolve().name] = check(checkout.resolve(), Path(root), source)
    return found


def check(checkout: Path, root: Path, source: Path) -> Taken:
    """Run the check of a checkout in the project `root`, and return what it took; raise when it refuses."""
    environment = {**os.environ, "PYTHONPATH": str(checkout), "OMP_NUM_THREADS": "1"}
    command = [sys.executable, "-m", "stages.loop", "data", "check", str(source.resolve())]
    started = time.perf_counter()
    with subprocess.Popen(command, cwd=root, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE) as one:
        _, status, used = os.wait4(one.pid, 0)
        one.returncode = os.waitstatus_to_exitcode(status)
        if one.returncode:
            raise typer.BadParameter(f"{checkout}: {one.stderr.read().decode() if one.stderr else ''}")
    return Taken(used.ru_utime + used.ru_stime, time.perf_counter() - started)


def _project(checkout: Path) -> tempfile.TemporaryDirectory:
    """Return a folder that is an empty project of a checkout: nothing was found out in it yet."""
    folder = tempfile.TemporaryDirectory(prefix="yoloop-check-")
    for name in ("params.yaml", "dvc.yaml"):
        shutil.copyfile(checkout / name, Path(folder.name) / name)
    subprocess.run(["git", "init", "-q", folder.name], check=True)
    return folder


def _ratios(names: list[str]) -> list[tuple[str, str]]:
    return [("first", "again"), *((other, name) for other in names[2:] for name in ("first", "again"))]


def _median(taken: list[Taken]) -> Taken:
    return Taken(*(statistics.median(values) for values in zip(*taken, strict=True)))


def _made(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    return folder


if __name__ == "__main__":
    typer.run(main)
