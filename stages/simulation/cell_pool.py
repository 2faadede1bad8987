"""Runs a simulation's cells side by side, and has DVC record each as soon as it is done.

DVC runs one stage at a time in a workspace. So the cells run as processes of their own, by the commands of dvc.yaml,
and `dvc commit` puts what they made into dvc.lock and the cache; `dvc repro` afterwards finds only the summary left to
do. What is not recorded is done again, so a kill costs the cells that are running and no more.
"""

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from stages.base.errors import UserError
from stages.base.params import read_yaml
from stages.base.tables import read_json
from stages.iteration.run_lines import complaint
from stages.project.process_group import ends_like_ctrl_c
from stages.project.project_lock import STATE, exclusive
from stages.project.repository import dvc
from stages.simulation.loop_steps import SCRATCH
from stages.simulation.orphans import WATCHED
from stages.simulation.replay_graph import PROGRAM, YIELDS, Cell
from stages.wording.quantities import counted
from stages.wording.rates import rate

Say = Callable[[str], None]
_TICK = 0.2  # seconds between two looks at what is running


class _Running(NamedTuple):
    cell: Cell
    process: "subprocess.Popen[bytes]"
    log: Path
    since: float


def run_cells(folder: Path, cells: Sequence[Cell], *, workers: int, say: Say) -> None:
    """Run the cells of the simulation in `folder` that DVC has not recorded, at most `workers` at a time.

    Raises `UserError` with the line of a cell that failed, after the others that run have ended; `KeyboardInterrupt`
    ends them at once.
    """
    with exclusive(folder), ends_like_ctrl_c():
        recorded = _recorded(folder)
        waiting = [cell for cell in cells if cell.target not in recorded or not _is_there(folder, cell)]
        _clear(folder, waiting)
        if len(waiting) < len(cells):
            say(f"{len(cells) - len(waiting)} of {counted(len(cells), 'cell')} are done already.")
        _Pool(folder, waiting, workers, say).run()


def _recorded(folder: Path) -> set[str]:
    """Return the targets that dvc.lock has."""
    file = folder / "dvc.lock"
    return set(read_yaml(file).get("stages", {})) if file.is_file() else set()


def _is_there(folder: Path, cell: Cell) -> bool:
    return all((folder / made).exists() for made in cell.makes)


def _clear(folder: Path, cells: Sequence[Cell]) -> None:
    """Remove what a kill left: half a cell, or one that DVC has not recorded."""
    shutil.rmtree(folder / SCRATCH, ignore_errors=True)
    for made in (folder / path for cell in cells for path in cell.makes):
        shutil.rmtree(made, ignore_errors=True) if made.is_dir() else made.unlink(missing_ok=True)


class _Pool:
    """The cells that wait, and those that run."""

    def __init__(self, folder: Path, waiting: Sequence[Cell], workers: int, say: Say) -> None:
        self.folder, self.waiting, self.workers, self.say = folder, list(waiting), workers, say
        self.running: list[_Running] = []
        self.seconds: list[float] = []
        self.failed = ""

    def run(self) -> None:
        """Run all; raises as `run_cells` does."""
        try:
            while self.running or (self.waiting and not self.failed):
                self._start()
                ended = [one for one in self.running if one.process.poll() is not None]
                for one in ended:
                    self.running.remove(one)
                    self._take(one)
                if not ended:
                    time.sleep(_TICK)
        finally:
            for one in self.running:
                _kill(one.process)
        if self.failed:
            raise UserError(self.failed)

    def _start(self) -> None:
        open_targets = {cell.target for cell in self.waiting} | {one.cell.target for one in self.running}
        for cell in list(self.waiting):
            if self.failed or len(self.running) >= self.workers:
                return
            if not open_targets.intersection(cell.needs):
                self.waiting.remove(cell)
                self.running.append(_started(self.folder, cell, self.workers))

    def _take(self, one: _Running) -> None:
        if one.process.returncode:
            lines = one.log.read_text(encoding="utf-8", errors="replace").splitlines()
            said = complaint(lines) or f"ended with exit code {one.process.returncode}"
            self.failed = self.failed or f"{one.cell.target}: {said} (all that it said: {one.log})"
            return
        dvc.run(self.folder, "commit", "-f", one.cell.target)
        self.seconds.append(time.monotonic() - one.since)
        self.say(_line(self.folder, one.cell, self.seconds, len(self.waiting) + len(self.running), self.workers))


def _started(folder: Path, cell: Cell, workers: int) -> _Running:
    log = folder / "logs" / f"{cell.target}.log"
    log.parent.mkdir(exist_ok=True)
    here = folder.resolve()
    threads = {"OMP_NUM_THREADS": str(max(1, (os.cpu_count() or 1) // workers))}  # of each: no core is asked for twice
    ours = {"PYTHONPATH": str(here), "PYTHONUNBUFFERED": "1", WATCHED: str(here / STATE / "lock")}
    env = {**threads, **dvc.environment(), **ours}
    with log.open("wb") as out:
        process = subprocess.Popen(
            [sys.executable, *PROGRAM.split()[1:], *cell.words],
            cwd=folder,
            env=env,
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    return _Running(cell, process, log, time.monotonic())


def _kill(process: "subprocess.Popen[bytes]") -> None:
    """End a cell and what it runs; nothing of it is kept, so it need not be asked."""
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def _line(folder: Path, cell: Cell, seconds: Sequence[float], left: int, workers: int) -> str:
    """Return what a finished cell came to, and what is left."""
    what = cell.arm if cell.arm == cell.words[0] else f"{cell.arm}, iteration {cell.iteration}"
    what = f"yields of packet {cell.iteration + 1}" if cell.arm == YIELDS else what
    name = what if cell.seed is None else f"seed {cell.seed}, {what}"
    said = ""
    if len(cell.makes) > 1:
        found = read_json(folder / cell.makes[1])
        said = f": F1 {rate(found['test']['f1'])} on test, {rate(found['val']['f1'])} on val, "
        said += f"{found['minutes']:.0f} min of review"
    minutes = sum(seconds) / len(seconds) * left / workers / 60
    rest = f"{counted(left, 'cell')} left, about {minutes:.0f} min" if left else "all cells are done"
    return f"{name}{said} ({seconds[-1]:.0f} s); {rest}"
