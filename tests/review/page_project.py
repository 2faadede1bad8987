"""A project with nothing but a packet under review, and the server of its page in a process of its own."""

import subprocess
import sys
import time
from pathlib import Path

import cv2
import numpy as np
import pandas as pd

from stages.dataset.sheets.split_folder import Sheet
from stages.picking.packet import PACKET, Outgoing, Packet, read_packet, write_packet

CLASSES = ("door", "big window", "Tür ü")
WIDTH, HEIGHT = 2560, 1920  # px of a sheet
PROPOSALS = {"a.png": [(400, 300, 520, 420), (1200, 900, 1400, 1000), (2000, 1500, 2100, 1700)], "c.png": []}
REPO = Path(__file__).parents[2]
_SERVE = (
    "from pathlib import Path; import os, sys; from stages.review.page_session import show_page; "
    "from stages.picking.packet import PACKET, read_packet; said = lambda text: print(text, flush=True); "
    "done = show_page(Path(), read_packet(PACKET), port=0, browser='BROWSER' in os.environ, say=said); "
    "sys.exit(0 if done else 3)"
)


def build(
    root: Path, *, seed: int = 0, boxes: int = 0, classes: tuple[str, ...] = CLASSES, used: int = len(CLASSES)
) -> Packet:
    """Write a packet of three sheets: a.png with proposals (`boxes` more), b.png with claims, c.png with nothing.

    The proposals are of the first `used` classes, in turn.
    """
    root.mkdir(parents=True, exist_ok=True)
    (root / "params.yaml").write_text(f"iteration: 1\nclasses: {list(classes)}\n", encoding="utf-8")
    for name in ("images", "labels"):
        (root / "pool" / name).mkdir(parents=True, exist_ok=True)
    sheets = [_sheet(root / "pool", name) for name in ("a.png", "b.png", "c.png")]
    (root / "pool/labels/b.txt").write_text("0 0.5 0.5 0.1 0.1\n2 0.25 0.25 0.05 0.05\n")
    proposals = [*PROPOSALS["a.png"], *_many(boxes)]
    detections = pd.DataFrame(
        [("a.png", n % used, *box, 0.9 - 0.1 * (n % 5)) for n, box in enumerate(proposals)],
        columns=["image_id", "class_id", "x1", "y1", "x2", "y2", "confidence"],
    )
    focus = pd.DataFrame(
        [
            ("a.png", "missed", "door", 1700.0, 300.0, 1780.0, 380.0, None, "The model missed <this> door & more."),
            ("c.png", "nothing_seen", "", 0.0, 0.0, float(WIDTH), float(HEIGHT), None, "Nothing was seen here."),
        ],
        columns=["image_id", "kind", "class_name", "x1", "y1", "x2", "y2", "confidence", "reason"],
    ).astype({"confidence": "Float64"})
    facts = {"classes": classes, "iteration": 1, "seed": seed, "ruler": "abc"}
    outgoing = [Outgoing(sheet, WIDTH, HEIGHT) for sheet in sheets]
    write_packet(outgoing, focus=focus, detections=detections, folder=root / PACKET, **facts)
    return read_packet(root / PACKET)


def serve(root: Path, *, browser: Path | None = None) -> tuple[subprocess.Popen[str], str]:
    """Start the page's server in `root`, which opens `browser`; return its process and the URL that it printed."""
    process = subprocess.Popen(
        [sys.executable, "-c", _SERVE],
        cwd=root,
        env={"PYTHONPATH": str(REPO), "PATH": "/usr/bin:/bin", **({"BROWSER": str(browser)} if browser else {})},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert process.stdout is not None
    said = []
    while line := process.stdout.readline():
        said.append(line)
        if line.strip().startswith("http://"):
            return process, line.strip()
    raise AssertionError("".join(said))


def kill(process: subprocess.Popen[str]) -> None:
    """Kill the server at once, as a crash would."""
    process.kill()
    process.wait()


def until(true, *, seconds: float = 20.0) -> None:
    """Wait until `true()` is."""
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end
        time.sleep(0.05)


def _sheet(pool: Path, name: str) -> Sheet:
    image = np.full((HEIGHT, WIDTH, 3), 255, np.uint8)
    for x1, y1, x2, y2 in PROPOSALS["a.png"]:
        cv2.rectangle(image, (x1, y1), (x2, y2), (90, 90, 90), 3)
    cv2.putText(image, name, (100, 150), cv2.FONT_HERSHEY_SIMPLEX, 3, (0, 0, 0), 4)
    cv2.imwrite(str(pool / "images" / name), image)
    return Sheet(pool / "images" / name, pool / "labels" / f"{Path(name).stem}.txt")


def _many(count: int) -> list[tuple[int, int, int, int]]:
    return [
        (60 + 120 * (n % 20), 60 + 110 * (n // 20), 130 + 120 * (n % 20), 120 + 110 * (n // 20)) for n in range(count)
    ]
