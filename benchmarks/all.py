"""All measurements of speed, one after the other, and the page docs/speed.md of what they said.

    python -m benchmarks.all                     # hours on two cores
    python -m benchmarks.all --only tiles        # that one again

What a program printed is kept in benchmarks/results/speed, and the page is written from there: a program that was not
run again keeps its numbers, with the machine that they are of. `--page` writes the page alone. Programs that need
`../shared/datasets` are left out where it is not there.
"""

import os
import platform
import shlex
import subprocess
import sys
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path
from typing import Annotated, NamedTuple

import typer

from stages.base.atomic import replacing

ROOT = Path(__file__).parents[1]
RESULTS = ROOT / "benchmarks/results/speed"
PAGE = ROOT / "docs/speed.md"
SCRATCH = ".scratch/benchmarks"
PACKAGES = ("torch", "ultralytics", "onnxruntime", "opencv-python")


class Measurement(NamedTuple):
    """A program, how it is started, and what it tells."""

    title: str
    command: str
    says: str


MEASUREMENTS = {
    "check_speed": Measurement(
        "Checking a dataset",
        f"-m benchmarks.check_speed --home {SCRATCH}/check --sheets 1000 --sheets 8000 --rounds 1",
        "`yoloop data check` on drawn sheets, the first time, and again when nothing has changed.",
    ),
    "scale": Measurement(
        "Ten thousand sheets",
        "-m benchmarks.scale --sheets 1000 --sheets 10000",
        "Every command of an iteration on small drawn sheets, without a network: seconds and memory at both sizes.",
    ),
    "tiles": Measurement(
        "Windows",
        "-m benchmarks.tiles ../shared/datasets/callouts --tile 1024 --imgsz 512 --steps 600",
        "Recall by size of object on large sheets, seen as wholes and in windows.",
    ),
    "engines": Measurement(
        "ONNX Runtime beside torch",
        f"-m benchmarks.engines {SCRATCH}/tiles/seed0/whole/best.pt ../shared/datasets/callouts/images "
        "--imgsz 2048 --sheets 8",
        "The whole prediction with either engine, by the weights that the measurement above leaves, and how far apart "
        "their boxes are.",
    ),
    "training_speed": Measurement(
        "Training beside Ultralytics' own",
        "-m benchmarks.training_speed ../shared/datasets/circuits --imgsz 320 --sheets 16 --rounds 5",
        "Seconds per epoch with the same arguments.",
    ),
    "picking_speed": Measurement(
        "Picking", "-m benchmarks.picking_speed", "A million detections on 100,000 sheets, ordered and picked from."
    ),
    "ray_growth": Measurement(
        "More than one machine",
        "-m benchmarks.ray_growth starter/yolo26n.pt --kill",
        "The prediction on Ray workers, more and more sheets; needs the extra `ray`.",
    ),
    "startup": Measurement("Start-up", "benchmarks/startup.py", "What a command takes before it does anything."),
    "noop": Measurement("Nothing to do", "benchmarks/noop.py", "`dvc repro` when nothing has changed."),
}


def main(
    only: Annotated[list[str] | None, typer.Option(help=f"Of {', '.join(MEASUREMENTS)}; may be given again.")] = None,
    page: Annotated[bool, typer.Option("--page", help="Run nothing, write the page from what is kept.")] = False,
    results: Annotated[Path, typer.Option(help="Where what was printed is kept.")] = RESULTS,
    into: Annotated[Path, typer.Option(help="The page.")] = PAGE,
) -> None:
    """Run the programs, and write the page."""
    unknown = sorted(set(only or ()) - set(MEASUREMENTS))
    if unknown:
        raise typer.BadParameter(f"expected some of {', '.join(MEASUREMENTS)}, found {unknown[0]}")
    results.mkdir(parents=True, exist_ok=True)
    for name in () if page else only or tuple(MEASUREMENTS):
        measure(name, results / f"{name}.txt")
    with replacing(into) as temporary:
        temporary.write_text("\n".join(page_lines(results)) + "\n", encoding="utf-8")
    print(f"{into}: written")


def measure(name: str, file: Path) -> None:
    """Run a program, show what it says, and keep it in `file` under the machine that it ran on."""
    command = shlex.split(MEASUREMENTS[name].command)
    lacking = [one for one in command if one.startswith("../") and not (ROOT / one).exists()]
    if lacking:
        print(f"{name}: left out, {lacking[0]} is not there")
        return
    print(f"{name}: {MEASUREMENTS[name].command}", flush=True)
    environment = {**os.environ, "YOLO_VERBOSE": "false"}  # what Ultralytics says of a training is not kept
    done = subprocess.Popen([sys.executable, *command], cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True)
    said = []
    for line in done.stdout or ():
        print(line, end="", flush=True)
        said.append(line.rstrip())
    if done.wait():
        raise typer.Exit(done.returncode)
    with replacing(file) as temporary:
        temporary.write_text("\n".join([machine(), *said]) + "\n", encoding="utf-8")


def machine() -> str:
    """Return processor, cores and versions on one line."""
    lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines() if Path("/proc/cpuinfo").exists() else []
    model = next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), "")
    cores = sum(line.startswith("processor") for line in lines)
    versions = ", ".join(f"{name} {version(name)}" for name in PACKAGES)
    return f"{model or platform.processor()}, {cores} cores; Python {platform.python_version()}, {versions}"


def page_lines(results: Path) -> Iterator[str]:
    """Yield the lines of the page, from what `results` keeps."""
    yield from (
        "# Speed",
        "",
        "Written by `python -m benchmarks.all`; each part says by which command, and on which machine.",
        "",
    )
    kept = [name for name in MEASUREMENTS if (results / f"{name}.txt").is_file()]
    yield from (f"- [{MEASUREMENTS[name].title}](#{_anchor(MEASUREMENTS[name].title)})" for name in kept)
    for name in kept:
        title, command, says = MEASUREMENTS[name]
        where, *said = (results / f"{name}.txt").read_text(encoding="utf-8").splitlines()
        yield from ("", f"## {title}", "", says, "", "```sh", f"python {command}", "```", "", f"{where}:", "")
        yield from ("```", *_trimmed(said), "```")


def _anchor(title: str) -> str:
    return title.lower().replace(" ", "-").replace("'", "")


def _trimmed(lines: list[str]) -> list[str]:
    """Return lines without bars of progress, and without blank ones at the ends."""
    return "\n".join(line for line in lines if "\x1b" not in line and "\r" not in line).strip("\n").splitlines()


if __name__ == "__main__":
    typer.run(main)
