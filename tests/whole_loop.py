"""A loop of three iterations, command by command, as a person goes through it: fake stages, real Git, DVC and yoloop.

The first review comes back from a tool, the second is done on the page; iteration 2 ends the loop.
"""

import os
import shutil
import subprocess
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

import cv2

from stages.picking.packet import PACKET, read_packet
from stages.project.yaml_edits import edited
from tests.fake_project import HERE, REPO, _fake_graph, init, person_params, picture, sh, write_files
from tests.forks import REAL
from tests.refusal import contents
from tests.review import exports
from tests.review.page_asking import Browser, sent

STEPS = ("import", "run 0", "review import 0", "advance 0", "run 1", "page 1", "advance 1", "run 2")
SHEETS = {"train": 3, "val": 2, "test": 1, "pool": 4}
SAVES = 40  # of each sheet, on the page: the box goes from place to place
PATIENCE = 120.0  # seconds for a step on a busy machine
TIMES = "metrics/reports/"  # the only files in Git that carry a clock: the seconds of the stages


class Said(NamedTuple):
    """A line, and the seconds after the start at which it came."""

    at: float
    line: str


class Running:
    """A command of yoloop in a group of its own, what it has said by now, and what the page confirmed."""

    def __init__(self, root: Path, step: str, *, true: bool) -> None:
        """Start the command of `step`; `true`: as a process of its own, and all that it starts."""
        env = {**os.environ, "PYTHONPATH": str(REPO), **({REAL: "1"} if true else {})}
        self.root, self.step, self.said, self.confirmed = root, step, list[Said](), dict[int, list[Any]]()
        self.started = time.monotonic()
        self.process = subprocess.Popen(
            [sys.executable, "-m", "stages.loop", *words(root, step)],
            cwd=root, env=env, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
            start_new_session=True,
        )  # fmt: skip
        self.errors, self.code = "", 0
        self._threads = [threading.Thread(target=part, daemon=True) for part in (self._listen, self._complain)]
        for thread in self._threads:
            thread.start()

    def _listen(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.said.append(Said(time.monotonic() - self.started, line.strip()))
            if line.strip().startswith("http://"):
                self._threads.append(threading.Thread(target=self._review, args=(line.strip(),), daemon=True))
                self._threads[-1].start()

    def _complain(self) -> None:
        assert self.process.stderr is not None
        self.errors = self.process.stderr.read()

    def _review(self, url: str) -> None:
        """Review all sheets on the page, until the server is no more."""
        with suppress(OSError):
            browser = Browser(url)
            orders = [sheet["order"] for sheet in browser.ask("GET", "/api/packet")[1]["sheets"]]
            for order in orders:
                for number in range(SAVES):
                    sheet = sent(browser, order, status="reviewed", seconds=6.0, boxes=[_box(number)])
                    if browser.ask("PUT", f"/api/sheets/{order}", sheet)[0] == 200:
                        self.confirmed[order] = sheet["boxes"]
            packet = browser.ask("GET", "/api/packet")[1]["packet"]
            browser.ask("POST", "/api/finish", {"packet": packet, "partial": False})

    def time_of(self, marker: str) -> float | None:
        """Return when a line with `marker` came, in seconds; "": the start."""
        return 0.0 if not marker else next((said.at for said in [*self.said] if marker in said.line), None)

    def wait(self) -> "Running":
        """Wait until it has ended and all that it said was read."""
        self.code = self.process.wait(PATIENCE)
        for thread in [*self._threads]:
            thread.join(PATIENCE)
        return self


def _box(number: int) -> dict[str, Any]:
    left = 8.0 + number % 16
    return {"class_name": "elevation", "x1": left, "y1": 24, "x2": left + 16, "y2": 40, "prelabel": None}


def words(root: Path, step: str) -> list[str]:
    """Return what is typed behind `yoloop` for a step."""
    return {
        "import": ["data", "import", "../source", "--baseline", "../yolo26n.pt", "--target", "yoloe-26n.yaml"],
        "run": ["run", "--review", "person"],
        "review": ["review", "import", "../export"],
        "page": ["review", "open", "--no-browser"],
        "advance": ["advance"],
    }[step.split(maxsplit=1)[0]]


def build(root: Path) -> None:
    """Write a project into which nothing is imported yet, and beside it what will be: sheets and weights."""
    init(root)
    limits = {"converge.max_iterations": 3}
    (root / "params.yaml").write_text(edited(person_params(), limits))
    (root / "data").mkdir()
    shutil.copy(REPO / "data/prompts.yaml", root / "data/prompts.yaml")
    shutil.copy(HERE / "fake_stages.py", root / "fake_stages.py")
    (root / "dvc.yaml").write_text(_fake_graph())
    sh(root, "git", "add", ".")
    sh(root, "git", "commit", "-qm", "Start a project")
    shutil.copy(REPO / "starter/yolo26n.pt", root.parent)
    write_source(root.parent / "source")


def write_source(folder: Path) -> None:
    """Write a dataset as people have it, to be imported."""
    for split, count in SHEETS.items():
        (folder / split / "images").mkdir(parents=True)
        for number in range(count):
            stem = f"{split}_{number}"
            assert cv2.imwrite(str(folder / split / f"images/{stem}.png"), picture(stem))
            write_files(folder / split / "labels", {f"{stem}.txt": "1 0.5 0.5 0.25 0.25\n"})
    names = "names: [detail, elevation, title]\n"
    write_files(folder, {"data.yaml": "".join(f"{split}: {split}/images\n" for split in SHEETS) + names})


def prepare(root: Path, step: str) -> None:
    """Do what a person does outside of yoloop before a step: answer the packet in a tool."""
    if step.startswith("review"):
        shutil.rmtree(root.parent / "export", ignore_errors=True)
        exports.yolo(root.parent / "export", exports.done(read_packet(root / PACKET)))


def do(root: Path, step: str, *, true: bool = False) -> Running:
    """Do a step to its end, and return what it said."""
    prepare(root, step)
    return Running(root, step, true=true).wait()


def is_done(root: Path, step: str) -> bool:
    """Say whether a step that cannot be done twice was done."""
    tags = sh(root, "git", "tag").split()
    name, _, number = step.rpartition(" ")
    return {"import": "dataset-v0", "advance": f"dataset-v{int(number) + 1}" if name else ""}.get(name or step) in tags


def outcome(root: Path) -> dict[str, object]:
    """Return all that a loop comes to, except hashes of commits and the seconds in its reports."""
    tags = sh(root, "git", "tag").split()
    listed = {tag: sh(root, "git", "ls-tree", "-r", tag).splitlines() for tag in tags}
    found = {
        "branch": sh(root, "git", "symbolic-ref", "HEAD"),
        "commits": sh(root, "git", "log", "--format=%s").splitlines(),
        "changed": sh(root, "git", "status", "--porcelain"),
        "experiments": sorted(
            {ref.rsplit("/", 1)[1] for ref in sh(root, "git", "for-each-ref", "refs/exps").split() if "iter-" in ref}
        ),
    }
    trees = {tag: [line for line in lines if TIMES not in line] for tag, lines in listed.items()}
    files = {name: digest for name, digest in contents(root).items() if not name.startswith((TIMES, "reports/"))}
    return {**found, "trees": trees, "files": files}
