"""Toy sheets for tests: three kinds of shapes on paper with faint lines, drawn from a seed, with exact labels."""

from pathlib import Path

import cv2
import numpy as np
import yaml

CLASSES = ("detail", "elevation", "title")
SIDE = 128  # px


def draw_sheet(rng: np.random.Generator) -> tuple[np.ndarray, list[tuple[int, float, float, float, float]]]:
    """Return an image (SIDE, SIDE, 3) and its boxes as class, x, y, w, h in fractions of the image."""
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
        _draw(image, class_id, cx, cy, half)
        boxes.append((class_id, cx / SIDE, cy / SIDE, 2 * half / SIDE, 2 * half_height / SIDE))
    return image, boxes


def _draw(image: np.ndarray, class_id: int, cx: int, cy: int, half: int) -> None:
    if class_id == 0:
        cv2.circle(image, (cx, cy), half, (40, 40, 40), 3)
    elif class_id == 1:
        points = np.array([[cx, cy - half], [cx - half, cy + half], [cx + half, cy + half]])
        cv2.fillPoly(image, [points], (160, 60, 20))
    else:
        cv2.rectangle(image, (cx - half, cy - half // 2), (cx + half, cy + half // 2), (30, 30, 200), -1)


def write_sheet(folder: Path, name: str, rng: np.random.Generator, *, labelled: bool = True) -> None:
    """Write `images/NAME.png` and, when labelled, `labels/NAME.txt` under `folder`."""
    image, boxes = draw_sheet(rng)
    (folder / "images").mkdir(parents=True, exist_ok=True)
    (folder / "labels").mkdir(exist_ok=True)
    assert cv2.imwrite(str(folder / "images" / f"{name}.png"), image)
    if labelled:
        rows = [f"{c} {x:.6f} {y:.6f} {w:.6f} {h:.6f}\n" for c, x, y, w, h in boxes]
        (folder / "labels" / f"{name}.txt").write_text("".join(rows))


def write_yolo_folder(folder: Path, counts: dict[str, int], seed: int = 0) -> Path:
    """Write a YOLO folder as people have them: `<split>/images`, `<split>/labels`, `data.yaml`; return it."""
    rng = np.random.default_rng(seed)
    for split, count in counts.items():
        for i in range(count):
            write_sheet(folder / split, f"{split}_{i:03d}", rng)
    splits = {split: f"{split}/images" for split in counts}
    (folder / "data.yaml").write_text(yaml.safe_dump({**splits, "names": list(CLASSES)}))
    return folder
