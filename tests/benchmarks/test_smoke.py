"""Every program in benchmarks/ runs, each as a process of its own on as little as it takes; none of its numbers counts.

A new program needs a line in PROGRAMS. What it says is asked for in one word or two, so that a run that did nothing is
seen.
"""

import os
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import pytest

from benchmarks.folds import save
from benchmarks.ruler_speed import synthetic
from tests.fake_project import REPO, environment
from tests.toy import CLASSES, write_yolo_folder

HOME = REPO / "benchmarks"
MAIN = 'if __name__ == "__main__":'


class Program(NamedTuple):
    """How to start it, with the names of fixtures in braces, and what it then says."""

    arguments: str
    says: str


PROGRAMS = {
    "agreement": Program("{tables} --detections {tables}", "faster-coco-eval"),
    "all": Program("--page --into {tmp_path}/speed.md", "speed.md: written"),
    "arms": Program("--trials 2", "within"),
    "check_speed": Program("--home {tmp_path} --sheets 2 --sheets 3 --rounds 1", "first / again"),
    "coverage": Program("{tables} --trials 3", "cross-fitted"),
    "drawn": Program("{tmp_path}/drawn --sheets 2", "2 sheets"),
    "errors": Program("{tables.name} --home {tables.parent}", "on_its_recalls"),
    "firewall": Program("{dataset}/images/val alike:4 --pairs {tmp_path}", "cropped 20 %"),
    "regressions": Program("--trials 1", "seen%"),
    "picking_speed": Program("--repeat 1 --shrink 1000", "peak memory"),
    "replays": Program("benchmarks/results/replays/circuits", "F1 on test"),
    "ruler_speed": Program("--repeat 1 --shrink 500", "pycocotools"),
    "sheets": Program("--rows 1 --out {tmp_path}/sheets.jpg", "sheets.jpg"),
    "spoil": Program("{dataset} {tmp_path}/spoiled --share 0.1", "errors among"),
    "startup": Program("--runs 1", "python -m stages.loop --help"),
    "stopping": Program("--every 40 --sizes 10", "wrong stop"),
    "triage": Program("{tables.name} --home {tables.parent} --seeds 1", "by confidence"),
    "yields": Program("", "counts in the interval"),
}
QUICK = "".join(
    f" --set {one}"
    for one in (
        "converge.max_iterations=2",
        "train.epochs_baseline=1",
        "train.epochs=1",
        "train.imgsz=64",
        "predict.imgsz=64",
    )
)
DEAR = (
    "added_class",
    "carry",
    "control",
    "folds",
    "recheck",
    "tiles",
    "training_speed",
    "transfer",
    "zero_start",
)  # run by `make test-benchmarks`
SLOW = {  # they start DVC or train
    "added_class": Program("--shrink 6 --epochs 1", "title"),
    "carry": Program("--ran {ran.root} --ways all --seeds 1 --epochs 1", "mean F1"),
    "control": Program(f"--seeds 1 --shrink 10 --folder {{tmp_path}}{QUICK}", "per seed"),
    "engines": Program("{toy_weights} {dataset}/images --imgsz 64 --sheets 2 --rounds 1", "times as fast"),
    "folds": Program(
        "{dataset} --name toy --home {tmp_path} --fit train --on val --imgsz 64 --epochs 1 --start {toy_weights}",
        "best F1",
    ),
    "noop": Program("--runs 1 --sheets 10 --kilobytes 1", "no-op dvc repro"),
    "ray_growth": Program("{toy_weights} --sheets 3 --workers= --imgsz 64", "local"),
    "recheck": Program("drawn --seeds 1 --packets 1 --shrink 15 --home {tmp_path}", "F1 on test after"),
    "scale": Program("--sheets 20 --until validate", "beyond it: nothing"),
    "tiles": Program(
        "{dataset} --tile 80 --imgsz 64 --steps 2 --held val --enlarge 2 --home {tmp_path}", "recall by size (px)"
    ),
    "training_speed": Program(
        "{dataset} --imgsz 64 --epochs 2 --rounds 1 --sheets 4 --start {toy_weights} --home {tmp_path}", "ours"
    ),
    "transfer": Program("{toy_weights} --sheets 2 --val 2 --epochs 1 --seeds 1 --imgsz 64 --threads 1", "mAP50"),
    "zero_start": Program("drawn nowhere --seeds 1 --shrink 10 --home {tmp_path}", "nowhere: no such folder"),
    "validator": Program("{toy_weights} {dataset} --imgsz 64", "predicted by"),
}
ELSEWHERE = {"disagreement", "screenshots", "stopped_replays", "wordings"}  # on real replays and loops: tests/real


def test_every_program_is_tried():
    """What is no program is a part of one."""
    texts = {file.stem: file.read_text(encoding="utf-8") for file in HOME.glob("*.py")}
    programs = {name for name, text in texts.items() if MAIN in text}
    assert programs == {*PROGRAMS, *SLOW, *ELSEWHERE}
    for part in texts.keys() - programs:
        assert any(f"from benchmarks.{part} import" in texts[name] for name in programs), part


@pytest.fixture(scope="session")
def tables(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of tables as `benchmarks.folds` leaves it: ten sheets, three classes, made-up boxes."""
    folder = tmp_path_factory.mktemp("home") / "tables"
    made = synthetic(0, 500)
    images = made.pop("sheets").assign(width=640, height=480, labelled=True, group="", confidence=0.0, near_copy=False)
    boxes = {name: table.assign(class_id=table["class_id"] % len(CLASSES)) for name, table in made.items()}
    boxes["ground_truth"]["object_id"] = boxes["ground_truth"].groupby("image_id").cumcount()
    boxes["detections"]["detection_id"] = boxes["detections"].groupby("image_id").cumcount()
    folder.mkdir()
    save({"images": images, **boxes}, folder)
    return folder


@pytest.fixture(scope="session")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A dataset as `../shared/datasets` has them: data.yaml, images/<split>, labels/<split>."""
    root, splits = tmp_path_factory.mktemp("dataset"), {"train": 4, "val": 3}
    source = write_yolo_folder(tmp_path_factory.mktemp("source"), splits, seed=0)
    for kind in ("images", "labels"):
        (root / kind).mkdir()
        for split in splits:
            (source / split / kind).rename(root / kind / split)
    (source / "data.yaml").rename(root / "data.yaml")
    return root


@pytest.mark.parametrize("name", PROGRAMS)
def test_runs(name: str, request: pytest.FixtureRequest, tmp_path: Path):
    run(name, PROGRAMS[name], request, tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=pytest.mark.dear) if name in DEAR else name for name in SLOW]
)
def test_runs_dvc_or_trains(name: str, request: pytest.FixtureRequest, tmp_path: Path):
    run(name, SLOW[name], request, tmp_path)


def run(name: str, program: Program, request: pytest.FixtureRequest, home: Path) -> None:
    """Start a program as its page says, and fail unless it ends well and says what it should."""
    arguments = [one.format_map(Fixtures(request)) for one in program.arguments.split()]
    done = subprocess.run(
        [sys.executable, "-m", f"benchmarks.{name}", *arguments],
        cwd=REPO,
        env={**os.environ, **environment(home), "OMP_NUM_THREADS": "1"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, f"{done.stdout[-2000:]}\n{done.stderr[-4000:]}"
    assert program.says in done.stdout


class Fixtures(dict[str, object]):
    """The fixtures of a test by name, each made when it is asked for."""

    def __init__(self, request: pytest.FixtureRequest) -> None:
        self.request = request

    def __missing__(self, name: str) -> object:
        return self.request.getfixturevalue(name)
