"""The pictures of our pages that the docs show, taken anew from a demo that has run.

    make demo
    python -m benchmarks.screenshots .demo

writes docs/report.jpg, the upper part of the last iteration's page, and docs/review_page.jpg, the review of its packet
on a sheet with several boxes. Needs Chromium.
"""

import shutil
import tempfile
from collections import Counter
from pathlib import Path
from typing import Annotated

import typer

from stages.base.decoding import read_bgr
from stages.base.params import PARAMS, read_iteration
from stages.dataset.crops import save_image
from stages.picking.packet import PACKET, Packet, read_packet
from stages.report.iteration_report import page_file
from tests.browser import Tab, opened
from tests.review.page_project import kill, serve

DOCS = Path(__file__).parents[1] / "docs"
REPORT, REVIEW = (1100, 1960), (1400, 880)  # px, width and height
_NAME = "document.getElementById('name').textContent"
SETTLED = "document.fonts.status === 'loaded' && document.readyState === 'complete'"


def main(
    demo: Annotated[Path, typer.Argument(exists=True, help="A project whose iterations are finished.")],
    into: Annotated[Path, typer.Option(help="Folder of the pictures.")] = DOCS,
) -> None:
    """Take both pictures."""
    page = demo / page_file(read_iteration(demo / PARAMS))
    with opened(page.resolve().as_uri(), width=REPORT[0], height=REPORT[1]) as tab:
        tab.until(SETTLED)
        print(_keep(tab, into / "report.jpg"))
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        for part in (PARAMS, PACKET):
            (root / part).parent.mkdir(parents=True, exist_ok=True)
            (shutil.copytree if (demo / part).is_dir() else shutil.copyfile)(demo / part, root / part)
        server, url = serve(root)
        try:
            with opened(url, width=REVIEW[0], height=REVIEW[1]) as tab:
                _turn_to(tab, read_packet(root / PACKET))
                print(_keep(tab, into / "review_page.jpg"))
        finally:
            kill(server)


def _turn_to(tab: Tab, packet: Packet) -> None:
    """Go on to the sheet with the most boxes, by the key that leads to the next one."""
    counts = Counter(packet.prelabels["image_id"])
    best = max(packet.sheets, key=lambda sheet: (counts[sheet.image_id], -sheet.order)).image_id
    for sheet in packet.sheets:
        tab.until(f"{_NAME} === {sheet.image_id!r} && !!document.querySelector('.marks')")
        if sheet.image_id == best:
            return
        tab.press("j")


def _keep(tab: Tab, file: Path) -> str:
    with tempfile.TemporaryDirectory() as folder:
        png = Path(folder) / "page.png"
        tab.picture(png)
        save_image(read_bgr(png), file)
    return f"{file.name}: written"


if __name__ == "__main__":
    typer.run(main)
