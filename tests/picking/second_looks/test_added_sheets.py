"""The stage with both arms: what goes out beside the choice, and that nothing tells a repeat."""

import hashlib
import re
from pathlib import Path

import cv2
import numpy as np
import pandas as pd
import pytest

from stages import sample
from stages.analysis.analysis_tables import SUSPECTS
from stages.base.tables import conform, read_metrics, read_table, write_table
from stages.dataset.sheets.manifest import MANIFEST, manifest_row, write_manifest
from stages.picking.arms_file import read_arms
from stages.picking.packet import PACKET, read_packet
from stages.picking.sampling.pool_picker import FEATURES
from stages.picking.sampling.sample_inputs import REVIEWED, SUSPECTS_FILE
from stages.ruler.pairing.box_tables import DETECTIONS, PREDICTED
from stages.ruler.schemas import GROUND_TRUTH, IMAGES
from tests.fake_project import person_params
from tests.test_sample import CROWD, SEEN, box, pattern, picture, set_param, set_strategy, write_inputs

OLD = {"train.png": "import", "old.png": "person", "fresh.png": "auto"}
LABEL = "1 0.275000 0.366667 0.050000 0.066667\n"
TABLES = {"images.parquet": IMAGES, "ground_truth.parquet": GROUND_TRUTH}


def digest(name):
    return hashlib.sha256((PACKET.parent / name).read_bytes()).hexdigest()[:16]


def add(file, schema, rows):
    """Add rows to a table that lies there."""
    table = read_table(file, schema)
    more = conform(pd.DataFrame(rows, columns=list(schema.columns)), schema)
    write_table(pd.concat([table, more], ignore_index=True), file, schema)


def write_train(suspected):
    """Add three sheets to train: old.png was reviewed, and the model sees two boxes on it; `suspected` looks wrong."""
    folder = Path("data/dataset/train")
    for part in ("images", "labels"):
        (folder / part).mkdir(parents=True)
    for place, name in enumerate(OLD):
        cv2.imwrite(str(folder / "images" / name), picture(100 + place))
        (folder / "labels" / f"{Path(name).stem}.txt").write_text(LABEL)
    rows = [
        manifest_row(
            folder / "images" / name,
            folder / f"labels/{Path(name).stem}.txt",
            added_iteration=0,
            label_source=source,
        )
        for name, source in OLD.items()
    ]
    write_manifest(rows, folder / MANIFEST)
    more = [name for name in OLD if name != "train.png"]  # the tables have that one
    add(Path("data/validate/images.parquet"), IMAGES, [("train", n, 400, 300, True, "", 0.25, False) for n in more])
    add(Path("data/validate/ground_truth.parquet"), GROUND_TRUTH, [("train", n, 0, 1, *box(100)) for n in more])
    seen = [("train", "old.png", 0, 0, 0.6, *box(10)), ("train", "old.png", 1, 1, 0.3, *box(370))]
    add(PREDICTED / "detections.parquet", DETECTIONS, seen)
    vectors = np.load(FEATURES)
    np.save(FEATURES, np.concatenate([vectors, vectors[:2]]))
    doubt = {"class_id": 1, "judgement": "label", "kind": "stray", "reason": "Odd.", "score": 0.9}
    table = [{"split": split, "image_id": name, "object_id": 0, **doubt} for split, name in suspected]
    write_table(conform(pd.DataFrame(table), SUSPECTS), SUSPECTS_FILE, SUSPECTS)


@pytest.fixture(params=["hard", "earned"])
def both(request, tmp_path, monkeypatch):
    """A pool of twelve sheets without labels, of which four objects are picked; three sheets of train; iteration 1."""
    monkeypatch.chdir(tmp_path)
    Path("params.yaml").write_text(person_params())
    set_strategy(request.param)
    set_param("unit: sheets", "unit: objects")
    set_param("budget: 20", "budget: 4")
    set_param("iteration: 0", "iteration: 1")
    write_inputs(CROWD, SEEN, missed=[])
    write_train([("train", "fresh.png"), ("val", "val.png")])
    return tmp_path


def arms(name):
    return sorted(sheet for sheet, arm in read_arms().items() if arm == name)


def test_a_sheet_to_check_starts_from_its_labels_and_says_what_it_is_for(both):
    set_param("recheck_share: 0", "recheck_share: 0.5")
    sample.run()
    packet, found = read_packet(), read_metrics(sample.METRICS)
    assert arms("recheck") == ["fresh.png"]  # val is never touched, however wrong it looks
    (sheet,) = (one for one in packet.sheets if one.image_id == "fresh.png")
    assert sheet.labels_from == "claims"
    assert (PACKET / "labels/fresh.txt").read_text() == LABEL
    rows = packet.focus[packet.focus["image_id"] == "fresh.png"]
    assert rows["kind"].tolist() == ["label"]
    assert rows["reason"].tolist() == ["Odd. Check the label: 1 on this sheet looks wrong."]
    assert rows[["class_name", "x1"]].to_numpy().tolist() == [["elevation", 100]]
    assert not packet.focus.loc[packet.focus["image_id"] != "fresh.png", "reason"].str.contains("Check the").any()
    assert len({one.image_id for one in packet.sheets}) == len(packet.sheets) == found["packet_sheets"]
    assert (found["recheck_sheets"], found["chosen_objects"]) == (1, 4)


def test_a_sheet_that_was_rechecked_is_not_sent_again(both):
    set_param("recheck_share: 0", "recheck_share: 0.5")
    text = REVIEWED.read_text()
    REVIEWED.write_text(text.replace('"rechecked": []', '"rechecked": ["fresh.png"]'))
    assert REVIEWED.read_text() != text
    sample.run()
    assert arms("recheck") == []


def worded(row):
    """Return the pattern of a focus box but for its looks: those of the made-up findings are no box's own."""
    kind, filled, said = pattern(row)
    return kind, filled, re.sub(" at the edge| in a corner|, it is faint", "", said).rstrip("_")


def test_a_repeat_starts_from_the_models_boxes_and_nothing_tells_it(both):
    sample.run()
    before, chosen = read_arms(), read_metrics(sample.METRICS)
    set_param("repeat_every: 0", "repeat_every: 1")
    sample.run()
    packet, told = read_packet(), read_arms()
    assert {**before, "old.png": "repeat"} == told  # the choice from the pool is what it was
    (sheet,) = (one for one in packet.sheets if one.image_id == "old.png")
    assert sheet.labels_from == "model"
    mine = packet.prelabels[packet.prelabels["image_id"] == "old.png"]
    assert mine[["class_name", "x1"]].to_numpy().tolist() == [["detail", 10], ["elevation", 370]]
    assert mine["confidence"].tolist() == [0.6, 0.3]
    assert (PACKET / "labels/old.txt").read_text() != LABEL
    repeat = packet.focus["image_id"] == "old.png"
    own, others = ({worded(row) for row in packet.focus[part].to_dict("records")} for part in (repeat, ~repeat))
    assert own
    assert own <= others
    texts = "".join(file.read_text() for file in PACKET.rglob("*") if file.suffix in (".json", ".csv", ".yaml"))
    assert not re.findall(r"\b(random|picked|repeat|recheck|arm|score|rank)", texts)
    found = read_metrics(sample.METRICS)
    assert found["repeat_sheets"] == 1
    same = ("candidates", "uncertain", "nothing_seen", "chosen_objects", "random_sheets")
    assert {key: found[key] for key in same} == {key: chosen[key] for key in same}


def test_a_repeat_has_the_looks_that_a_sheet_of_the_pool_would_have(both):
    """Two boxes at the borders of a plain sheet: at the edge, and faint where all is of one grey."""
    cv2.imwrite("data/dataset/train/images/old.png", np.full((300, 400), 200, np.uint8))
    folder = Path("data/dataset/train")
    rows = [
        manifest_row(folder / "images" / n, folder / f"labels/{Path(n).stem}.txt", added_iteration=0, label_source=s)
        for n, s in OLD.items()
    ]
    write_manifest(rows, folder / MANIFEST)
    set_param("repeat_every: 0", "repeat_every: 1")
    sample.run()
    reasons = read_packet().focus.query("image_id == 'old.png'")["reason"]
    assert reasons.str.contains("it is faint").all()
    assert reasons.str.contains("at the edge").all()


def test_both_together_send_no_sheet_twice(both):
    suspected = [("train", "old.png"), ("train", "fresh.png")]
    doubt = {"class_id": 1, "judgement": "label", "kind": "stray", "reason": "Odd.", "score": 0.9, "object_id": 0}
    table = pd.DataFrame([{"split": split, "image_id": name, **doubt} for split, name in suspected])
    write_table(conform(table, SUSPECTS), SUSPECTS_FILE, SUSPECTS)
    set_param("recheck_share: 0", "recheck_share: 0.5")
    set_param("repeat_every: 0", "repeat_every: 1")
    sample.run()
    assert arms("recheck") == ["fresh.png", "old.png"]  # old.png is the only one that might be a repeat
    assert arms("repeat") == []
    names = [one.image_id for one in read_packet().sheets]
    assert len(set(names)) == len(names)


@pytest.mark.parametrize("why", ["not due", "nothing reviewed", "all have labels"])
def test_no_repeat(both, why):
    set_param("repeat_every: 0", "repeat_every: 2" if why == "not due" else "repeat_every: 1")
    manifest = Path("data/dataset/train") / MANIFEST
    if why == "nothing reviewed":
        manifest.write_text(manifest.read_text().replace(",person,", ",import,"))
    if why == "all have labels":
        images = read_table(Path("data/validate/images.parquet"), IMAGES)
        write_table(images.assign(labelled=True), Path("data/validate/images.parquet"), IMAGES)
    sample.run()
    assert arms("repeat") == []


# Of the code before there were these arms.
BEFORE = {"hard": ("a2e8f0cc363bf8f9", "5114cf5d7f801335"), "earned": ("bb8d3ff42af183ae", "c924ec7c7d7ebfb8")}


@pytest.mark.parametrize("strategy", BEFORE)
def test_an_older_project_has_the_packets_that_it_had(tmp_path, monkeypatch, strategy):
    """Its params.yaml lacks both keys, and nothing of its train is read."""
    monkeypatch.chdir(tmp_path)
    lines = person_params().splitlines(keepends=True)
    kept = [line for line in lines if not line.strip().startswith(("recheck_share:", "repeat_every:"))]
    Path("params.yaml").write_text("".join(kept))
    set_strategy(strategy)
    set_param("unit: sheets", "unit: objects")
    set_param("random_share: 0.1", "random_share: 0.5")
    set_param("budget: 20", "budget: 4")
    write_inputs(CROWD, SEEN, missed=[], groups={name: "AB"[i // 6] for i, name in enumerate(CROWD) if i % 3})
    sample.run()
    assert (digest("packet/focus.csv"), digest("arms.csv")) == BEFORE[strategy]
