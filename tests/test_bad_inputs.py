"""Every known mistake of a person: one clear line, exit code 2, nothing changed; with real processes."""

import shutil
import sys
from pathlib import Path
from typing import NamedTuple

import pytest

from tests import spoil as s
from tests.once import Once
from tests.real_project import Project
from tests.refusal import refused, refused_command

pytestmark = pytest.mark.slow
CLASSES = ("detail", "elevation", "title")


class Weights(NamedTuple):
    """Weights that load, and do not fit."""

    shuffled: Path  # YOLO-26 with the same classes in another order
    clip: Path  # YOLOE trained with the text encoder mobileclip2
    shuffled_clip: Path


@pytest.fixture(scope="session")
def weights(ran: Project, once: Once) -> Weights:
    def build(folder: Path) -> None:
        from stages.detector.model.checkpoint import load_model, save_model
        from stages.detector.model.encoders import mark_encoder
        from stages.detector.model.runtime import start_ultralytics

        with pytest.MonkeyPatch.context() as patch:
            patch.chdir(folder)
            start_ultralytics()
        files = weights_in(folder)
        toy, target = load_model(ran.root / "models/best.pt"), load_model(ran.root / "models/target.pt")
        toy.names = dict(enumerate(reversed(CLASSES)))
        save_model(toy, files.shuffled, imgsz=128)
        mark_encoder(target, "mobileclip2")
        target.model[-1].nc = len(CLASSES)
        for order, file in ((CLASSES, files.clip), (reversed(CLASSES), files.shuffled_clip)):
            target.names = dict(enumerate(order))
            save_model(target, file, imgsz=128)

    return weights_in(once("weights", build))


def weights_in(folder: Path) -> Weights:
    return Weights(*(folder / f"{name}.pt" for name in Weights._fields))


@pytest.fixture
def project(ran: Project, tmp_path: Path) -> Project:
    """A fresh copy of a project whose iteration 0 has run."""
    shutil.copytree(ran.root, tmp_path / "project", symlinks=True)
    return Project(tmp_path / "project", ran.root.parent / "home")


HISTORY, DATA, PARAMS = "metrics/history.csv", "data/dataset", "params.yaml"
FRESH = s.not_imported
ANY_STAGE = ("train", "predict", "validate", "analyze", "converge", "sample")
TABLES = [  # stages that need a second at most, since they look before they load torch
    *((f"{name}-no-params", name, s.removed(PARAMS), ("params.yaml", "dvc.yaml")) for name in ANY_STAGE),
    *((f"{name}-fresh", name, FRESH, ("no file",)) for name in ANY_STAGE),
    ("train-no-dataset", "train", s.removed(DATA), ("data/dataset", "yoloop data import")),
    ("validate-no-dataset", "validate", s.removed(DATA), ("data/dataset", "yoloop data import")),
    ("analyze-no-dataset", "analyze", s.removed(DATA), ("data/dataset", "dvc checkout")),
    ("sample-no-dataset", "sample", s.removed(DATA), ("data/dataset", "dvc checkout")),
    ("train-no-val-names", "train", s.written(f"{DATA}/data.yaml", b"["), ("data.yaml:1",)),
    (
        "train-names-in-another-order",
        "train",
        s.written(f"{DATA}/data.yaml", b"names: [title, detail, elevation]\n"),
        ("data.yaml", "detail, elevation, title", "title, detail, elevation", "params.yaml"),
    ),
    *(
        (f"{stage}-unknown-class", stage, s.extra_label(split, f"{split}_001", "3 0.5 0.5 0.1 0.1\n"), says)
        for stage, split, says in (
            ("train", "train", ("train_001.txt:", "class 3", "2 title", "classes")),
            ("validate", "val", ("val_001.txt:", "class 3", "2 title", "classes")),
        )
    ),
    ("train-label-in-words", "train", s.extra_label("train", "train_001", "detail 1 2 3 4\n"), ("train_001.txt:",)),
    ("train-label-of-bytes", "train", s.written(f"{DATA}/train/labels/train_001.txt", b"\xff\xfe\x00"), ("UTF-8",)),
    ("train-truncated-jpeg", "train", s.truncated_jpeg("train", "train_002"), ("train_002.jpg", "truncated JPEG")),
    ("train-text-as-png", "train", s.written(f"{DATA}/train/images/train_002.png", b"hello"), ("train_002.png",)),
    ("train-empty-image", "train", s.written(f"{DATA}/train/images/train_002.png", b""), ("train_002.png", "empty")),
    ("train-no-number-follows", "train", s.replaced(PARAMS, "iteration: 0", "iteration: 4"), ("iteration: 4",)),
    (
        "train-iteration-by-hand",
        "train",
        s.replaced(PARAMS, "iteration: 0", "iteration: 1"),
        ("params.yaml", "iteration: 0", "found iteration: 1", "Set iteration back to 0", "yoloop advance"),
    ),
    ("converge-iteration-by-hand", "converge", s.replaced(PARAMS, "iteration: 0", "iteration: 1"), ("yoloop advance",)),
    ("train-history-gone", "train", s.removed(HISTORY), (HISTORY, "no file")),
    ("converge-sheets-gone", "converge", s.removed("metrics/history_sheets.json"), ("history_sheets.json", "no file")),
    ("converge-scores-gone", "converge", s.removed("data/validate/scores.csv"), ("scores.csv", "dvc repro")),
    ("converge-metrics-gone", "converge", s.removed("metrics/validate.json"), ("metrics/validate.json", "dvc repro")),
    ("analyze-tables-gone", "analyze", s.removed("data/validate"), ("data/validate", "dvc repro")),
    ("sample-tables-gone", "sample", s.removed("data/analyze"), ("data/analyze", "dvc repro")),
    ("predict-no-prompts", "predict", s.removed("data/prompts.yaml"), ("data/prompts.yaml",)),
    (
        "train-prompt-missing",
        "train",
        s.all_of(s.at_iteration_1, s.replaced("data/prompts.yaml", "  title: flat red bar\n", "")),
        ("data/prompts.yaml", "none for 'title'"),
    ),
    (
        "train-twin-prompts",
        "train",
        s.all_of(s.at_iteration_1, s.replaced("data/prompts.yaml", "flat red bar", "Solid blue triangle")),
        ("data/prompts.yaml", "'elevation' and 'title'"),
    ),
    ("validate-no-boxes", "validate", s.removed(f"{DATA}/val/labels"), ("data/dataset/val", "no box")),
]


@pytest.mark.parametrize(("stage", "spoil", "says"), [pytest.param(*row[1:], id=row[0]) for row in TABLES])
def test_a_stage_looks_before_it_starts(project, stage, spoil, says):
    spoil(project.root)
    s.list_again(project.root)
    line = refused(project, stage)
    assert all(word in line for word in says), line


@pytest.mark.parametrize(("stage", "split"), [("train", "train"), ("validate", "val"), ("sample", "pool")])
def test_a_stage_reads_no_label_that_came_in_by_hand(project, stage, split):
    stem = next((project.root / DATA / split / "images").iterdir()).stem
    (project.root / DATA / split / "labels").mkdir(exist_ok=True)
    s.written(f"{DATA}/{split}/labels/{stem}.txt", b"0 0.5 0.5 0.1 0.1\n")(project.root)
    line = refused(project, stage)
    assert all(word in line for word in (f"{split}/labels/{stem}.txt", "yoloop data accept", "dvc checkout")), line


BAD_PARAMS = [
    ("train", "train", "epochs", "epoch: 3", ("'train.epoch'", "epochs")),
    ("validate", "validate", "iou", "overlap: 0.5", ("'validate.overlap'",)),
    ("analyze", "analyze", "border", "edge: 3", ("'analyze.edge'",)),
    ("converge", "converge", "target_f1", "target: 1.0", ("'converge.target'",)),
    ("sample", "sample", "budget", "number: 20", ("'sample.number'",)),
    ("train", "train", "epochs", "epochs: many", ("train.epochs", "'many'")),
    ("train", "train", "batch", "batch: 0", ("train.batch", "0")),
    ("train", "train", "imgsz", "imgsz: 100", ("train.imgsz", "100")),
    ("train", "train", "device", "device: gpu", ("train.device", "'gpu'")),
    ("train", "train", "encoder", "encoder: clip", ("train.encoder", "'clip'")),
    ("validate", "validate", "confidence", "confidence: high", ("validate.confidence", "'high'")),
]


@pytest.mark.parametrize(("stage", "section", "key", "text", "says"), BAD_PARAMS)
def test_a_mistake_in_params_is_named_with_its_line(project, stage, section, key, text, says):
    s.param(section, key, text)(project.root)
    line = refused(project, stage)
    assert f"params.yaml:{s.line_of(project.root / PARAMS, text)}: " in line
    assert all(word in line for word in says), line


def test_a_stranger_at_the_top_of_params_is_named_with_its_line(project):
    s.replaced(PARAMS, "\nvalidate:", "\nvalidation:")(project.root)
    line = refused(project, "validate")
    assert f"params.yaml:{s.line_of(project.root / PARAMS, 'validation:')}: " in line


WITH_WEIGHTS = [  # id, stage, spoil (given the odd weights), words
    (
        "train-0-other-order",
        "train",
        lambda w: s.copied(w.shuffled, "models/parent.pt"),
        ("models/parent.pt", "detail, elevation, title", "title, elevation, detail", "params.yaml"),
    ),
    (
        "adopt-other-order",
        "train",
        lambda w: s.all_of(s.copied(w.shuffled, "models/parent.pt"), s.param("train", "baseline", "adopt")),
        ("models/parent.pt", "title, elevation, detail"),
    ),
    (
        "train-1-other-order",
        "train",
        lambda w: s.all_of(s.at_iteration_1, s.copied(w.shuffled_clip, "models/parent.pt")),
        ("models/parent.pt", "title, elevation, detail"),
    ),
    (
        "predict-other-order",
        "predict",
        lambda w: s.copied(w.shuffled, "models/best.pt"),
        ("models/best.pt", "detail, elevation, title", "title, elevation, detail"),
    ),
    ("text-as-weights", "train", lambda w: s.written("models/parent.pt", b"none"), ("models/parent.pt", "checkpoint")),
    ("empty-weights", "predict", lambda w: s.written("models/best.pt", b""), ("models/best.pt", "checkpoint")),
    ("half-weights", "train", lambda w: s.cut("models/parent.pt"), ("models/parent.pt", "checkpoint")),
    ("no-weights", "train", lambda w: s.removed("models/parent.pt"), ("models/parent.pt", "no file", "dvc checkout")),
    (
        "target-is-no-yoloe",
        "train",
        lambda w: s.all_of(s.at_iteration_1, s.copied("models/best.pt", "models/target.pt")),
        ("models/target.pt", "YOLOE", "Detect"),
    ),
    (
        "encoder-differs",
        "train",
        lambda w: s.all_of(s.at_iteration_1, s.copied(w.clip, "models/target.pt")),
        ("models/target.pt", "wordllama", "mobileclip2", "train.encoder: mobileclip2"),
    ),
    (
        "encoder-not-there",
        "train",
        lambda w: s.all_of(s.at_iteration_1, s.param("train", "encoder", "mobileclip2")),
        ("train.encoder",),
    ),
    (
        "encoder-of-weights-not-there",
        "predict",
        lambda w: s.copied(w.clip, "models/best.pt"),
        ("train.encoder",),
    ),
    ("train-no-gpu", "train", lambda w: s.param("train", "device", 77), ("params.yaml", "device: 77", "auto")),
    ("predict-no-gpu", "predict", lambda w: s.param("predict", "device", 77), ("params.yaml", "device: 77", "auto")),
    (
        "predict-truncated-jpeg",
        "predict",
        lambda w: s.truncated_jpeg("val", "val_002"),
        ("val_002.jpg", "truncated JPEG"),
    ),
    (
        "predict-empty-image",
        "predict",
        lambda w: s.written(f"{DATA}/pool/images/pool_000.png", b""),
        ("pool_000.png", "empty"),
    ),
]


@pytest.mark.parametrize(("stage", "spoil", "says"), [pytest.param(*row[1:], id=row[0]) for row in WITH_WEIGHTS])
def test_a_stage_refuses_what_ultralytics_would_stumble_over(project, weights, stage, spoil, says):
    spoil(weights)(project.root)
    s.list_again(project.root)
    line = refused(project, stage)
    assert all(word in line for word in says), line


# Runs a stage in a process that may take 3 GiB more than it has once torch is loaded.
SCARCE = """
import re, resource, runpy, sys, torch
size = int(re.search(r"VmSize:\\s+(\\d+)", open("/proc/self/status").read())[1]) * 1024 + 3 * 2**30
resource.setrlimit(resource.RLIMIT_AS, (size, size))
sys.argv.pop(0)
runpy.run_module(sys.argv[0], run_name="__main__")
"""


@pytest.mark.parametrize(
    ("stage", "imgsz", "lower"),
    [("train", 8192, "train.batch first, then train.imgsz"), ("predict", 16384, "predict.imgsz")],
)
def test_when_memory_runs_out_it_says_what_to_lower(project, stage, imgsz, lower):
    s.param(stage, "imgsz", imgsz)(project.root)
    line = refused_command(project, sys.executable, "-c", SCARCE, f"stages.{stage}")
    assert f"params.yaml: {stage}" in line
    assert "out of memory with batch" in line
    assert f"imgsz {imgsz}" in line
    assert f"Lower {lower} (" in line
