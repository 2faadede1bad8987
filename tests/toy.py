"""Toy sheets for tests: three kinds of shapes on paper with faint lines, drawn from a seed, with exact labels.

Easy sheets have solid shapes. Hard ones also have faint shapes and distractors, so that a detector of easy sheets both
misses and imagines things on them, and can learn.
"""

from pathlib import Path

import cv2
import numpy as np
import yaml

CLASSES = ("detail", "elevation", "title")
SIDE = 128  # px


def draw_sheet(
    rng: np.random.Generator, *, hard: bool
) -> tuple[np.ndarray, list[tuple[int, float, float, float, float]]]:
    """Return an image (SIDE, SIDE, 3) and its boxes."""
    image = np.full((SIDE, SIDE, 3), 245, np.uint8)
    for _ in range(3):
        at = int(rng.integers(SIDE))
        cv2.line(image, (0, at), (SIDE, int(rng.integers(SIDE))), (215, 215, 215), 1)
    cells = rng.permutation(9)[: int(rng.integers(2, 5))]
    boxes = []
    for cell in cells:
        half = int(rng.integers(9, 16))
        cx = int(cell % 3 * 42 + 21 + rng.integers(-4, 5))
        cy = int(cell // 3 * 42 + 21 + rng.integers(-4, 5))
        class_id = int(rng.integers(3))
        half_height = half if class_id < 2 else half // 2
        if hard and rng.random() < 0.3:
            _draw_distractor(image, cx, cy, half)
            continue
        _draw(image, class_id, cx, cy, half, faint=hard and rng.random() < 0.5)
        boxes.append((class_id, cx / SIDE, cy / SIDE, 2 * half / SIDE, 2 * half_height / SIDE))
    return image, boxes


def _draw(image: np.ndarray, class_id: int, cx: int, cy: int, half: int, *, faint: bool) -> None:
    color = (205, 205, 205) if faint else ((40, 40, 40), (160, 60, 20), (30, 30, 200))[class_id]
    if class_id == 0:
        cv2.circle(image, (cx, cy), half, color, 3)
    elif class_id == 1:
        points = np.array([[cx, cy - half], [cx - half, cy + half], [cx + half, cy + half]])
        cv2.fillPoly(image, [points], color)
    else:
        cv2.rectangle(image, (cx - half, cy - half // 2), (cx + half, cy + half // 2), color, -1)


def _draw_distractor(image: np.ndarray, cx: int, cy: int, half: int) -> None:
    cv2.rectangle(image, (cx - half, cy - half), (cx + half, cy + half), (40, 40, 40), 3)
    cv2.line(image, (cx - half, cy), (cx + half, cy), (40, 40, 40), 2)


def write_sheet(folder: Path, name: str, rng: np.random.Generator, *, hard: bool = False) -> None:
    """Write `images/NAME.png` and `labels/NAME.txt` under `folder`."""
    image, boxes = draw_sheet(rng, hard=hard)
    (folder / "images").mkdir(parents=True, exist_ok=True)
    (folder / "labels").mkdir(exist_ok=True)
    assert cv2.imwrite(str(folder / "images" / f"{name}.png"), image)
    rows = [f"{c} {x:.6f} {y:.6f} {w:.6f} {h:.6f}\n" for c, x, y, w, h in boxes]
    (folder / "labels" / f"{name}.txt").write_text("".join(rows))


def write_yolo_folder(folder: Path, counts: dict[str, int], *, seed: int, hard: bool = False) -> Path:
    """Write a YOLO folder as people have them: `<split>/images`, `<split>/labels`, `data.yaml`; return it."""
    rng = np.random.default_rng(seed)
    for split, count in counts.items():
        for i in range(count):
            write_sheet(folder / split, f"{split}_{i:03d}", rng, hard=hard)
    splits = {split: f"{split}/images" for split in counts}
    (folder / "data.yaml").write_text(yaml.safe_dump({**splits, "names": list(CLASSES)}))
    return folder
