"""The recipe for FiftyOne in docs/review.md, run as it stands there: out, a person's work, and back as COCO."""

import json
import re
import shutil
from pathlib import Path

import pytest

from stages.review.formats import coco
from tests.review.packets import Box, build_packet, differences, plain_spec, truth
from tests.review.round_trip import reconciled, reviewed_boxes
from tests.tools.environments import TOOLS, run_in

pytestmark = pytest.mark.tools

DOCS = Path(__file__).parents[2] / "docs/review.md"
# What a person does in the App: a box moved, one of another class, one deleted, one drawn; two sheets are done.
WORK = """
first, empty, last = dataset.sort_by("filepath")
moved, renamed, deleted = first.reviewed.detections
moved.bounding_box = [0.25, 0.25, 0.5, 0.5]
renamed.label = "Fenster ü" if renamed.label == "door" else "door"
first.reviewed.detections = [renamed, moved, fo.Detection(label="title block", bounding_box=[0, 0, 0.125, 0.125])]
print(json.dumps({"moved": moved.yoloop, "renamed": renamed.yoloop, "label": renamed.label, "deleted": deleted.yoloop}))
for sample in (first, empty):
    sample.tags.append("reviewed")
    sample.save()
"""


def recipe() -> tuple[str, str, str]:
    """Return the pieces of Python in the section: packet to dataset, the App, dataset to COCO."""
    section = DOCS.read_text(encoding="utf-8").split("\n## With FiftyOne\n")[1].split("\n## ")[0]
    out, app, back = re.findall(r"```python\n(.*?)```", section, flags=re.DOTALL)
    assert app == "session = fo.launch_app(dataset)\n"
    return out, app, back


@pytest.mark.parametrize("claims", [False, True])
def test_the_recipe(claims: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    if not list(TOOLS.glob("fiftyone/lib/*/site-packages/fiftyone/db/bin/mongod")):
        pytest.skip("FiftyOne's database is not there: make test-tools")
    packet = build_packet(plain_spec(claims=claims), tmp_path / "pool")
    (tmp_path / "project/data/sample").mkdir(parents=True)
    shutil.copytree(packet.folder, tmp_path / "project/data/sample/packet")
    monkeypatch.chdir(tmp_path / "project")
    for name, value in (("HOME", "home"), ("FIFTYONE_DATABASE_DIR", "db")):
        monkeypatch.setenv(name, str(tmp_path / value))
    monkeypatch.setenv("FIFTYONE_DO_NOT_TRACK", "true")
    out, _, back = recipe()
    program = tmp_path / "recipe.py"
    program.write_text(f"{out}\n{WORK}\n{back}", encoding="utf-8")
    lines = run_in("fiftyone", program).splitlines()
    done = next(json.loads(line) for line in lines if line.startswith("{"))

    read = coco.read(tmp_path / "project/exports/fiftyone")
    assert read.classes == packet.classes
    found = reconciled(packet, read, partial=True)
    before = {box.prelabel: box for box in truth(packet).boxes["a.png"]}
    assert found.missing == ("ü.png",)
    wanted = [
        before[done["moved"]]._replace(xyxy=(24, 16, 72, 48)),
        before[done["renamed"]]._replace(class_name=done["label"]),
        Box("title block", (0, 0, 12, 8), None),
    ]
    assert differences(reviewed_boxes(found), {"a.png": wanted, "b c.jpg": []}, within=0.001) == []
    kept = {box.prelabel for box in found.sheets[0].boxes}
    assert kept == {done["moved"], done["renamed"], None}
