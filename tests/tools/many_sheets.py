"""A project of fake stages that waits for the review of a packet of as many sheets as a test asks for."""

from pathlib import Path

import cv2

from stages.dataset.sheets.manifest import MANIFEST, manifest_row, read_manifest, write_manifest
from stages.iteration.finish import finish
from tests import fake_project
from tests.fake_project import dvc, sh

PICKED = 'zip(sheets("pool")[:2], ("picked", "random"), strict=False)'


def project_under_review(root: Path, sheets: int) -> None:
    """Build a project at `root` whose iteration 0 is finished; its packet is `s1.jpg` and so on, a box on each."""
    fake_project.build(root)
    names = [f"s{number}" for number in range(1, sheets + 1)]
    _add_to_pool(root / "data/dataset/pool", names)
    stages = root / "fake_stages.py"
    text = stages.read_text(encoding="utf-8")
    assert PICKED in text
    picked = {f"{name}.jpg": "random" if name == names[0] else "picked" for name in names}
    stages.write_text(text.replace(f"dict({PICKED})", repr(picked)), encoding="utf-8")
    dvc(root, "add", "-q", "data/dataset")
    sh(root, "git", "commit", "-qam", f"A packet of {sheets} sheets")
    sh(root, "git", "tag", "-f", "dataset-v0")
    dvc(root, "repro", "-q")
    finish(root)


def _add_to_pool(pool: Path, names: list[str]) -> None:
    rows = read_manifest(pool / MANIFEST)
    for name in names:
        image = pool / f"images/{name}.jpg"
        assert cv2.imwrite(str(image), fake_project.picture(name))
        rows.append(manifest_row(image, pool / f"labels/{name}.txt", added_iteration=0, label_source="none"))
    write_manifest(rows, pool / MANIFEST)
