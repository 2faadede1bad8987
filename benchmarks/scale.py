"""How time and memory of the commands grow with the sheets: a whole iteration at each size, without a network.

    OMP_NUM_THREADS=1 python -m benchmarks.scale --sheets 1000 --sheets 10000

For each size a project is made in a temporary folder, of sheets that are drawn for it, and the commands run as a person
types them, each in a process of its own; where a network would train and predict, its outputs are put in place. A tenth
of the sheets goes to review. Seconds are those of the processor, so that other work on the machine does not count, and
the largest process of a command counts for its memory. The aims: no command takes more than LIMIT times as long per
sheet on the last size as on the first, none needs more than MEMORY.
"""

import multiprocessing
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Annotated, NamedTuple

import typer

ROOT = Path(__file__).parents[1]
LIMIT = 1.3  # times as long per sheet
MEMORY = 1.5 * 2**30  # bytes
PACKET = 10  # sheets for one that goes to review
COPIED = ("stages", "dvc.yaml", "params.yaml", "data/prompts.yaml", ".gitignore", ".dvcignore", ".dvc")
YOLOOP, DVC = ("-m", "stages.loop"), ("-m", "dvc")


class Cost(NamedTuple):
    """What a command took with all that it started: seconds of the processor, and bytes of the largest process."""

    seconds: float
    memory: int


class Step(NamedTuple):
    """A command, its name in the table ("" for what is not measured), and what has to be done before it."""

    name: str
    command: tuple[str, ...]
    before: Callable[[], None] | None = None


class Place:
    """The folders of one size: the sheets as a person has them, and the project."""

    def __init__(self, folder: Path, sheets: int) -> None:
        self.sheets, self.home = sheets, folder / "home"
        self.source, self.coco, self.voc, self.root = (folder / name for name in ("source", "coco", "voc", "project"))
        self.home.mkdir()
        self.environment = {
            **{key: value for key, value in os.environ.items() if not key.startswith(("DVC", "YOLO", "PYTHONPATH"))},
            **{f"GIT_{who}_NAME": "Nobody" for who in ("AUTHOR", "COMMITTER")},
            **{f"GIT_{who}_EMAIL": "nobody@example.org" for who in ("AUTHOR", "COMMITTER")},
            "HOME": str(self.home),
            "DVC_NO_ANALYTICS": "1",
            "DVC_SITE_CACHE_DIR": str(self.home / "dvc"),
            "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        }

    def run(self, *command: str) -> Cost:
        """Run a command in the project; stop with what it said when it fails."""
        with tempfile.TemporaryFile() as said:
            process = subprocess.Popen(
                command, cwd=self.root, env=self.environment, stdin=subprocess.DEVNULL, stdout=said, stderr=said
            )
            _, status, usage = os.wait4(process.pid, 0)
            process.returncode = os.waitstatus_to_exitcode(status)
            if process.returncode:
                said.seek(0)
                raise SystemExit(f"{' '.join(command)} gave {process.returncode}: {said.read().decode()[-3000:]}")
        return Cost(usage.ru_utime + usage.ru_stime, usage.ru_maxrss * 1024)

    def start(self) -> None:
        """Draw the sheets in all formats, and make a project without a dataset."""
        made("draw_source", self.source, self.sheets)
        made("as_coco", self.source, self.coco, self.sheets)
        made("as_voc", self.source, self.voc, self.sheets)
        for name in COPIED:
            (self.root / name).parent.mkdir(parents=True, exist_ok=True)
            if (ROOT / name).is_dir():
                ignored = shutil.ignore_patterns("__pycache__", "cache", "tmp", "config.local")
                shutil.copytree(ROOT / name, self.root / name, ignore=ignored)
            else:
                shutil.copyfile(ROOT / name, self.root / name)
        params = (self.root / "params.yaml").read_text()
        (self.root / "params.yaml").write_text(params.replace(" budget: 20 ", f" budget: {self.sheets // PACKET} "))
        for command in (("init", "-q", "-b", "main"), ("add", "."), ("commit", "-q", "-m", "Start a project")):
            self.run("git", *command)


def made(what: str, *arguments: object) -> None:
    """Run a function of `benchmarks/many_sheets.py` in a process of its own.

    A command that is started from here counts at least what this process holds, so it holds next to nothing.
    """
    process = multiprocessing.get_context("spawn").Process(target=_made, args=(what, arguments))
    process.start()
    process.join()
    if process.exitcode:
        raise SystemExit(f"{what} ended with {process.exitcode}")


def _made(what: str, arguments: tuple[object, ...]) -> None:
    from benchmarks.many_sheets import MAKERS

    MAKERS[what](*arguments)


def steps(at: Place) -> list[Step]:
    """Return what is done with a project of many sheets, from the import to the next iteration."""
    weights = ("--baseline", str(ROOT / "starter/yolo26n.pt"), "--target", str(ROOT / "starter/yoloe-26n.pt"))
    exports = {name: at.root / "exports" / name for name in ("voc", "coco")}
    export = partial(_export, exports)
    stages = [Step(name, ("-m", f"stages.{name}")) for name in ("validate", "analyze", "converge", "sample")]
    predicted = partial(made, "put_predictions", at.root, at.sheets)
    return [
        Step("data import", (*YOLOOP, "data", "import", str(at.source), "--keep-params", *weights)),
        Step("data check", (*YOLOOP, "data", "check")),
        Step("data check of a COCO folder", (*YOLOOP, "data", "check", str(at.coco))),
        Step("data check of a VOC folder", (*YOLOOP, "data", "check", str(at.voc))),
        stages[0]._replace(before=predicted),
        *stages[1:],
        Step("", (*DVC, "commit", "-f", "-q")),
        Step("dvc repro, nothing to do", (*DVC, "repro")),
        Step("finish", (*YOLOOP, "finish")),
        Step("status", (*YOLOOP, "status")),
        Step("report", (*YOLOOP, "report")),
        Step("suspects", (*YOLOOP, "suspects")),
        *(Step(f"review export, {name}", export(name)) for name in exports),
        Step(
            "review import, VOC in whole pixels",
            _import(exports["voc"]),
            partial(made, "correct_voc", exports["voc"]),
        ),
        Step("review import, COCO", _import(exports["coco"]), partial(_again, at.root, exports["coco"])),
        Step("review status", (*YOLOOP, "review", "status")),
        Step("advance", (*YOLOOP, "advance")),
    ]


def _export(exports: dict[str, Path], name: str) -> tuple[str, ...]:
    return (*YOLOOP, "review", "export", "--to", name, "--out", str(exports[name]))


def _import(folder: Path) -> tuple[str, ...]:
    return (*YOLOOP, "review", "import", str(folder), "--all-reviewed")


def _again(root: Path, folder: Path) -> None:
    shutil.rmtree(root / "data/review")
    made("correct_coco", folder)


def measured(sheets: int, say: Callable[[str], None], *, until: str | None = None) -> dict[str, Cost]:
    """Return what each command costs in a project of so many sheets, up to the one called `until`."""
    found = {}
    with tempfile.TemporaryDirectory() as folder:
        at = Place(Path(folder), sheets)
        at.start()
        for step in steps(at):
            if step.before:
                step.before()
            cost = at.run(sys.executable, *step.command)
            if step.name:
                found[step.name] = cost
                say(f"{sheets} sheets, {step.name}: {cost.seconds:.1f} s, {cost.memory / 2**20:.0f} MiB")
            if step.name == until:
                break
    return found


def table(costs: dict[int, dict[str, Cost]]) -> list[str]:
    """Return the costs of all sizes as lines of Markdown, and how they have grown from the first size to the last."""
    sizes = list(costs)
    heads = [f"{size:,} sheets" for size in sizes]
    lines = [f"| command | {' | '.join(heads)} | s grew by | MiB grew by |", "| --- |" + " ---: |" * (len(sizes) + 2)]
    for name in costs[sizes[0]]:
        row = [costs[size][name] for size in sizes]
        cells = [f"{one.seconds:.1f} s, {one.memory / 2**20:.0f} MiB" for one in row]
        grown = [f"{row[-1][side] / row[0][side]:.1f}" for side in (0, 1)]
        lines.append(f"| {name} | {' | '.join([*cells, *grown])} |")
    return lines


def beyond(costs: dict[int, dict[str, Cost]]) -> list[str]:
    """Return the commands that took too long, or too much memory, at the last size."""
    (first, *_), last = costs, list(costs)[-1]
    most = LIMIT * last / first
    slow = [name for name, one in costs[last].items() if one.seconds > most * costs[first][name].seconds]
    large = [name for name, one in costs[last].items() if one.memory > MEMORY]
    return [*(f"slow: {name}" for name in slow), *(f"large: {name}" for name in large)]


def main(
    sheets: Annotated[list[int], typer.Option(min=20, help="Of the project; once for each size, the smallest first.")],
    until: Annotated[str | None, typer.Option(help="The last command, to try the program.")] = None,
) -> None:
    """Measure every size, and print a table and what is beyond the aims."""
    say = partial(print, file=sys.stderr, flush=True)
    costs = {size: measured(size, say, until=until) for size in sheets}
    print("\n".join(table(costs)))
    over = beyond(costs) if len(costs) > 1 else []
    print(
        f"limit: {LIMIT} times as long per sheet, {MEMORY / 2**30:.1f} GiB; beyond it: {', '.join(over) or 'nothing'}"
    )


if __name__ == "__main__":
    typer.run(main)
