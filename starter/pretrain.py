"""Makes the starter weights from nothing: pages, then YOLO-26n on them, then YOLOE-26n with the prompts.

    python -m starter.pretrain

Everything is kept in `.scratch/starter`, so that a run that was stopped goes on where it was: pages that are there are
not drawn again, and a training goes on from its last whole epoch.
"""

import shutil
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer

from stages.base.atomic import replacing
from starter.pages import draw_page
from starter.vocabulary import Symbol, vocabulary

HOME = Path(__file__).parent
YOLO, YOLOE = "yolo26n.pt", "yoloe-26n.pt"
SCRATCH = Path(".scratch/starter")
SYMBOLS = 240
PAGE = 160  # px of a side: the largest symbols still fit, and a step stays cheap
WIDTH = (
    64  # channels of the class branch: what Ultralytics gives a detector of up to 64 classes, so that it carries over
)
COMMON = {
    "lrf": 0.02,
    "warmup_bias_lr": 0.01,
    "optimizer": "AdamW",
    "momentum": 0.9,
    "weight_decay": 0.0005,
    "imgsz": PAGE,
    "batch": 16,
    "nbs": 16,
    "device": "cpu",
    "workers": 0,
    "amp": False,
    "seed": 0,
    "mosaic": 0.0,
    "hsv_h": 0.0,
    "hsv_s": 0.0,
    "hsv_v": 0.2,
    "translate": 0.1,
    "scale": 0.3,
    "fliplr": 0.3,
    "flipud": 0.3,
}


def main(
    pages: Annotated[int, typer.Option(help="Pages to draw.")] = 16000,
    epochs: Annotated[int, typer.Option(help="Epochs of YOLO-26n.")] = 5,
    prompt_epochs: Annotated[int, typer.Option(help="Epochs of YOLOE-26n after that.")] = 1,
    folder: Annotated[Path, typer.Option(help="Where the work in progress is kept.")] = SCRATCH,
    out: Annotated[Path, typer.Option(help="Where the weights are written.")] = HOME,
) -> None:
    """Draw pages, train both, and write yolo26n.pt and yoloe-26n.pt."""
    from stages.detector.model.runtime import start_ultralytics

    symbols = vocabulary(SYMBOLS, np.random.default_rng(0))
    data = write_pages(folder.resolve() / f"pages-{pages}", symbols, pages)
    start_ultralytics()
    train_yolo(folder.resolve(), data, symbols, epochs)
    train_yoloe(folder.resolve(), data, symbols, prompt_epochs)
    for name in (YOLO, YOLOE):
        with replacing(out / name) as temporary:
            shutil.copyfile(folder / name, temporary)


def write_pages(folder: Path, symbols: list[Symbol], count: int) -> Path:
    """Write the pages that are not there yet, as a YOLO folder, and return its data.yaml."""
    import yaml

    for kind in ("images", "labels"):
        (folder / kind).mkdir(parents=True, exist_ok=True)
    with ProcessPoolExecutor() as processes:
        for _ in processes.map(partial(_write_page, folder, symbols), range(count), chunksize=200):
            pass
    names = {i: symbol.name for i, symbol in enumerate(symbols)}
    images = str(folder / "images")
    file = folder / "data.yaml"
    file.write_text(yaml.safe_dump({"path": str(folder), "train": images, "val": images, "names": names}))
    return file


def _write_page(folder: Path, symbols: list[Symbol], number: int) -> None:
    import cv2

    from stages.base.boxes import xyxy_to_xywhn

    image, label = folder / f"images/{number:06d}.png", folder / f"labels/{number:06d}.txt"
    if image.is_file():
        return
    page = draw_page(symbols, PAGE, np.random.default_rng([0, number]))
    boxes = xyxy_to_xywhn(page.xyxy, width=PAGE, height=PAGE)
    rows = zip(page.class_id, boxes.tolist(), strict=True)
    label.write_text("".join(f"{i} {' '.join(f'{value:.5f}' for value in row)}\n" for i, row in rows))
    with replacing(image) as temporary:  # last: a page that is there is whole
        temporary.write_bytes(cv2.imencode(".png", page.pixels)[1].tobytes())


def random_detector(symbols: list[Symbol]) -> Any:
    """Return a YOLO-26n with random weights for all symbols, its class branch as narrow as for a few classes."""
    import torch
    from ultralytics.nn.tasks import DetectionModel

    torch.manual_seed(0)
    model: Any = DetectionModel("yolo26n.yaml", nc=WIDTH, verbose=False)
    head = model.model[-1]
    head.nc, head.no = len(symbols), len(symbols) + 4 * head.reg_max
    for branch in (head.cv3, head.one2one_cv3):
        for layers in branch:
            layers[-1] = torch.nn.Conv2d(layers[-1].in_channels, head.nc, 1)
    head.bias_init()
    model.yaml["nc"] = model.nc = head.nc
    model.names = {i: symbol.name for i, symbol in enumerate(symbols)}
    return model


def train_yolo(folder: Path, data: Path, symbols: list[Symbol], epochs: int) -> None:
    """Train YOLO-26n from random weights, unless that is done."""
    from stages.detector.model.checkpoint import save_model
    from stages.detector.training.fitting import Job, fit

    done = folder / YOLO
    if not done.is_file():
        start = folder / "random.pt"
        save_model(random_detector(symbols), start, imgsz=PAGE)
        settings = {**COMMON, "epochs": epochs, "lr0": 0.002, "warmup_epochs": 0.5}
        result = fit(Job(start, data, folder / "yolo", settings, "last"))
        save_model(result.last, done, imgsz=PAGE)


def train_yoloe(folder: Path, data: Path, symbols: list[Symbol], epochs: int) -> None:
    """Carry the detector into a YOLOE-26n and train that with the prompts, unless it is done."""
    import torch
    from ultralytics.nn.tasks import YOLOEModel

    from stages.detector.model.checkpoint import save_model
    from stages.detector.model.encoders import UNTRAINED, mark_encoder, vectors_of
    from stages.detector.training.fitting import Job, fit
    from stages.detector.training.starting_model import letterboxed, prompt_start

    done = folder / YOLOE
    if not done.is_file():
        torch.manual_seed(0)
        target: Any = YOLOEModel("yoloe-26n.yaml", nc=WIDTH, verbose=False)
        mark_encoder(target, UNTRAINED)
        save_model(target, folder / "target.pt", imgsz=PAGE)
        names = [symbol.name for symbol in symbols]
        text = vectors_of("wordllama", names, {symbol.name: (symbol.prompt,) for symbol in symbols})
        some = sorted((data.parent / "images").glob("*.png"))[:64]
        started = prompt_start(
            folder / YOLO,
            folder / "target.pt",
            names,
            encoder="wordllama",
            vectors=text.prompts,
            carry="all",
            images=letterboxed(some, PAGE),
        )
        save_model(started.model, folder / "start.pt", imgsz=PAGE)
        settings = {**COMMON, "epochs": epochs, "lr0": 0.001, "warmup_epochs": 0.1, "warmup_bias_lr": 0.0}
        result = fit(Job(folder / "start.pt", data, folder / "yoloe", settings, "last", text))
        save_model(result.last, done, imgsz=PAGE)


if __name__ == "__main__":
    typer.run(main)
