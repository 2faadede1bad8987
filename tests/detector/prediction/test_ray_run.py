"""What goes out to workers, and how a worker sees it: Ray itself is asked in tests/tools/test_ray.py."""

import os
import sys
from pathlib import Path

import numpy as np
import pytest

from benchmarks.folds import plain_params
from stages.base.errors import UserError
from stages.detector.model.runtime import start_ultralytics
from stages.detector.prediction.predictor import predict, told_model
from stages.detector.prediction.ray_run import blocks, predict_on_ray, worker_device
from stages.detector.prediction.ray_worker import RayWorker, Told, sent, threads_here, versions_here
from stages.detector.prediction.tiles.sheet_views import batches, block_size, count_views
from stages.detector.prediction.tiles.windows import Tiling
from tests.detector.conftest import PROMPTS
from tests.toy import CLASSES


def test_without_ray_there_is_one_line(monkeypatch):
    monkeypatch.setitem(sys.modules, "ray", None)  # as where it is not installed
    params = plain_params(imgsz=128, batch=1, max_det=50)
    with pytest.raises(UserError, match=r"predict\.run_on: expected the package `ray`, found none.*'\.\[ray\]'"):
        list(predict_on_ray(Path("best.pt"), [], classes=CLASSES, prompts=PROMPTS, params=params))


def test_blocks_keep_the_order_and_read_nothing_ahead():
    read = []

    def sheets():
        for name in "abcde":
            read.append(name)
            yield name

    cut = blocks(sheets(), 2)
    assert next(cut) == ["a", "b"]
    assert read == ["a", "b"]
    assert list(cut) == [["c", "d"], ["e"]]
    assert list(blocks([], 2)) == []


@pytest.mark.parametrize(
    ("asked", "gpus", "device"),
    [("auto", 0, "cpu"), ("auto", 2, "0"), ("cpu", 2, "cpu"), ("3", 4, "0"), ("mps", 0, "mps")],
)
def test_a_worker_has_one_gpu_or_none(asked, gpus, device):
    assert worker_device(asked, gpus) == device


def test_a_gpu_that_the_cluster_lacks_is_one_line():
    with pytest.raises(
        UserError, match=r"predict\.device: expected a Ray cluster with a GPU, found none for device: 0"
    ):
        worker_device("0", 0)


@pytest.mark.parametrize("tiling", [None, Tiling(6, 2)], ids=["whole", "windows"])
@pytest.mark.parametrize("batch", [1, 2, 3])
def test_the_batches_of_the_blocks_are_those_of_the_whole(batch, tiling):
    rng = np.random.default_rng(batch)
    pictures = [(Path(str(place)), np.zeros((8, int(rng.integers(8, 10)), 3), np.uint8)) for place in range(90)]

    def shown(part):
        return [[(str(view.file), view.place) for view in views] for views in batches(part, batch, tiling)]

    whole = shown(pictures)
    assert whole == [one for block in blocks(pictures, block_size(batch)) for one in shown(block)]
    assert max(map(len, whole)) == batch


def test_a_worker_with_other_packages_is_refused(workplace):
    told = Told(CLASSES, None, "cpu", 1, {**versions_here(), "torch": "1.0"}, 1, Path("best.pt"), None)
    worker = RayWorker(b"", told)
    try:
        with pytest.raises(UserError, match=r"expected a worker with .*torch 1\.0.*, found torch \d"):
            worker.join()
    finally:
        worker.leave()
        os.chdir(workplace)


@pytest.mark.slow
@pytest.mark.parametrize("tiling", [None, Tiling(100, 20)], ids=["whole", "windows"])
def test_a_worker_sees_what_this_process_sees(toy_weights, sheets, tiling):
    """Block after block, in the order in which Ray may hand them out, the first one first."""
    params = plain_params(imgsz=128, batch=1, max_det=50).model_copy(update={"engine": "onnx"})
    files = [one.image for one in sheets] * 5  # 20 sheets: three blocks
    ours = list(predict(toy_weights, files, classes=CLASSES, prompts=PROMPTS, params=params, tiling=tiling))
    start_ultralytics()
    views = count_views(files, tiling)
    told = Told(CLASSES, params, "cpu", threads_here(), versions_here(), views, toy_weights, tiling)
    sheets_sent = ((file, file.read_bytes(), None) for file in files)
    first, second, third = blocks(sheets_sent, block_size(params.batch))
    model = sent(told_model(toy_weights, CLASSES, PROMPTS))
    here = Path.cwd()
    one, other = RayWorker(model, told), RayWorker(model, told)
    try:
        seen_first, trusted = one.see(first, None)
        seen_third, _ = other.see(third, trusted)
        seen_second, _ = one.see(second, trusted)
    finally:
        os.chdir(here)
    assert trusted
    folder = one.folder
    assert folder.is_dir()
    one.leave()
    other.leave()
    os.chdir(here)
    assert not folder.exists()
    for mine, theirs in zip(ours, [*seen_first, *seen_second, *seen_third], strict=True):
        assert mine.image == theirs.image
        for name in ("class_id", "confidence", "xyxy", "features"):
            assert getattr(mine, name).tobytes() == getattr(theirs, name).tobytes()
