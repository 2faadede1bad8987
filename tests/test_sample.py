"""The stage as DVC runs it: a folder with its declared inputs; its declared outs and nothing else come out."""

import re
import shutil
from pathlib import Path

import cv2
import numpy as np
import pandas as pd
import pytest

from stages import sample
from stages.analysis.analysis_tables import FINDINGS, SUSPECTS
from stages.base.errors import UserError
from stages.base.tables import conform, read_metrics, write_json, write_table
from stages.dataset.sheets.manifest import MANIFEST, manifest_row, write_manifest
from stages.picking.arms_file import read_arms
from stages.picking.packet import FOCUS, PACKET, PRELABELS, read_packet
from stages.picking.sampling.pool_picker import FEATURES
from stages.picking.sampling.sample_inputs import REVIEWED, SUSPECTS_FILE
from stages.review.ledger.ledger_files import no_review_text
from stages.ruler.pairing.box_tables import DETECTIONS, PREDICTED
from stages.ruler.schemas import GROUND_TRUTH, IMAGES
from tests.fake_project import person_params

ROOT = Path(__file__).parents[1]
WIDTH, HEIGHT = 400, 300
NO_BOX = pd.NA
NO_FORECAST = dict.fromkeys(
    ("expected_errors", "expected_errors_low", "expected_errors_high", "expected_minutes"), None
)
# Box of 20 x 20 px at (x, 100); train holds 8 details, 2 elevations and no title.
NOTHING_BESIDE = {"recheck_sheets": 0, "repeat_sheets": 0}
DETECTED = [  # split, image_id, detection_id, class_id, confidence, x
    ("pool", "seen.png", 0, 0, 0.5, 10),
    ("pool", "seen.png", 1, 1, 0.45, 12),  # on the same place: one question
    ("pool", "seen.png", 2, 2, 0.3, 200),
    ("pool", "empty.png", 0, 0, 0.02, 50),  # noise
    ("val", "val.png", 0, 2, 0.5, 10),  # val is never mined
]
MISSED = [("pool", "claims.png", 0, 1, 100), ("val", "val.png", 0, 2, 300), ("train", "train.png", 0, 0, 300)]


def box(x):
    return (float(x), 100.0, x + 20.0, 120.0)


def frame(rows, schema, columns):
    return conform(pd.DataFrame(rows, columns=columns), schema)


def findings(missed, detected):
    rows = [(s, i, "fn", c, o, NO_BOX, NO_BOX, *box(x)) for s, i, o, c, x in missed]
    rows += [(s, i, "unjudged", c, NO_BOX, d, conf, *box(x)) for s, i, d, c, conf, x in detected]
    table = pd.DataFrame(rows, columns=list(FINDINGS.columns)[:11])
    facts = {"area": 400.0, "size": "tiny", "position": "center", "border_distance": 100.0, "contrast": 50.0}
    flags = {"low_contrast": False, "unusual_aspect": False, "overlapping": False}
    return conform(table.assign(**facts, **flags, aspect=1.0, overlap_iou=0.0, near_miss=NO_BOX), FINDINGS)


def picture(seed):
    """A sheet that looks like no other: rough blocks by a seed."""
    blocks = np.random.default_rng(seed).integers(0, 2, (HEIGHT // 20, WIDTH // 20)).astype(np.uint8)
    return np.kron(255 * blocks, np.ones((20, 20), np.uint8))


def write_inputs(pool, detected=DETECTED, missed=MISSED, groups=None, looks=None):
    """Write the tables for a pool of sheets by name and whether they are labelled, and the sheets themselves.

    `looks` are seeds of their pictures by name; without, each looks like no other.
    """
    groups = groups or {}
    sheets = [("pool", f"{name}.png", WIDTH, HEIGHT, labelled, groups.get(name, "")) for name, labelled in pool.items()]
    sheets += [("train", "train.png", WIDTH, HEIGHT, True, ""), ("val", "val.png", WIDTH, HEIGHT, True, "")]
    truth = [("train", "train.png", i, 0 if i < 8 else 1, *box(10 + 30 * i)) for i in range(10)]
    boxes = [(*row[:5], *box(row[5])) for row in detected]
    sheets = [(*sheet, 0.25, False) for sheet in sheets]
    write_table(frame(sheets, IMAGES, list(IMAGES.columns)), Path("data/validate/images.parquet"), IMAGES)
    write_table(frame([], SUSPECTS, list(SUSPECTS.columns)), Path("data/analyze/suspects.parquet"), SUSPECTS)
    write_table(
        frame(truth, GROUND_TRUTH, list(GROUND_TRUTH.columns)), Path("data/validate/ground_truth.parquet"), GROUND_TRUTH
    )
    write_table(frame(boxes, DETECTIONS, list(DETECTIONS.columns)), PREDICTED / "detections.parquet", DETECTIONS)
    write_table(findings(missed, detected), Path("data/analyze/findings.parquet"), FINDINGS)
    features = np.random.default_rng(0).normal(size=(len(detected), 8))
    np.save(FEATURES, (features / np.linalg.norm(features, axis=1, keepdims=True)).astype(np.float16))
    write_json({"f1": 0.8, "ruler": "3f2a90bc"}, sample.MEASURED)
    REVIEWED.write_text(no_review_text())
    folder = Path("data/dataset/pool")
    for part in ("images", "labels"):
        (folder / part).mkdir(parents=True)
    for place, (name, labelled) in enumerate(pool.items()):
        cv2.imwrite(str(folder / f"images/{name}.png"), picture((looks or {}).get(name, place)))
        if labelled:
            (folder / f"labels/{name}.txt").write_text("1 0.275 0.366667 0.05 0.066667\n")
    rows = [
        manifest_row(file, folder / f"labels/{file.stem}.txt", added_iteration=0, label_source="import")
        for file in sorted((folder / "images").iterdir())
    ]
    write_manifest(rows, folder / MANIFEST)


@pytest.fixture
def project(tmp_path, monkeypatch):
    """A pool of three sheets, and no sheet that comes by chance."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "params.yaml").write_text(person_params())
    set_param("random_share: 0.1", "random_share: 0")
    write_inputs({"claims": True, "seen": False, "empty": False})
    return tmp_path


def set_param(old, new):
    text = Path("params.yaml").read_text()
    assert old in text
    Path("params.yaml").write_text(text.replace(old, new))


def set_strategy(name):
    text = Path("params.yaml").read_text()
    Path("params.yaml").write_text(re.sub(r"  strategy: \w+", f"  strategy: {name}", text))


def files(root):
    return {str(file.relative_to(root)): file.read_bytes() for file in root.rglob("*") if file.is_file()}


def order():
    return [sheet.image_id for sheet in read_packet().sheets]


def metrics():
    return read_metrics(sample.METRICS)


def test_writes_its_outs_and_nothing_else(project):
    before = files(project)
    sample.run()
    after = files(project)
    assert {name: after[name] for name in before} == before
    assert {name for name in after if name not in before and not name.startswith("data/sample/packet/")} == {
        "data/sample/arms.csv",
        "data/sample/candidates.csv",
        "metrics/sample.json",
        "plots/sample/packet.png",
    }


def test_three_kinds_of_candidates_and_both_counts(project):
    sample.run()
    assert metrics() == {
        **{"candidates": 4, "missed": 1, "uncertain": 2, "nothing_seen": 1},
        **{"chosen_objects": 4, "packet_sheets": 3, "random_sheets": 0, "pool_sheets": 3, "labels_to_check": 0},
        **NOTHING_BESIDE,
        **{
            "strategy": "hard",
            "strategy_because": "the pool has labels",
            **NO_FORECAST,
            "packet_boxes": 3,
            "packet_minutes": round((3 * 20 + 3 * 4 + 4 * 6) / 60, 6),  # 4 objects to look at, taken for errors
        },  # so is a pool with labels mined, whatever the strategy
    }
    packet = read_packet().focus
    assert sorted(zip(packet["kind"], packet["image_id"], packet["class_name"], strict=True)) == [
        ("missed", "claims.png", "elevation"),
        ("nothing_seen", "empty.png", ""),
        ("uncertain", "seen.png", "detail"),
        ("uncertain", "seen.png", "title"),
    ]


def test_the_class_that_train_lacks_comes_before_the_one_it_has_most_of(project):
    sample.run()
    of_seen = read_packet().focus.query("kind == 'uncertain'")
    assert of_seen["class_name"].tolist() == ["title", "detail"]
    scored = pd.read_csv(sample.CANDIDATES).query("kind == 'uncertain'")
    assert scored["class_balance"].tolist() == [1.0, 0.0]  # no title, 8 details (and 2 elevations) in train


def test_labels_to_start_from(project):
    sample.run()
    labels = {file.stem: file.read_text() for file in Path("data/sample/packet/labels").iterdir()}
    assert labels["claims"] == "1 0.275 0.366667 0.05 0.066667\n"  # the claim as it is, found or not
    # detail at x 10 (centre 20 / 400) and title at x 200, both 20 x 20 at y 100; the double of the detail is left out
    assert labels["seen"] == ("0 0.050000 0.366667 0.050000 0.066667\n2 0.525000 0.366667 0.050000 0.066667\n")
    assert labels["empty"] == ""  # 0.02 is noise


def suspect(split, image_id, object_id, judgement):
    return {"split": split, "image_id": image_id, "object_id": object_id, "class_id": 1, "judgement": judgement}


@pytest.mark.parametrize(("judgement", "left_out"), [("label", True), ("unclear", False), ("model", False)])
def test_a_miss_whose_label_looks_wrong_is_no_hard_object(project, judgement, left_out):
    rows = [suspect("pool", "claims.png", 0, judgement), suspect("val", "val.png", 0, "label")]
    write_table(conform(pd.DataFrame(rows), SUSPECTS), SUSPECTS_FILE, SUSPECTS)
    sample.run()
    assert (metrics()["missed"], metrics()["labels_to_check"]) == ((0, 1) if left_out else (1, 0))
    assert ("claims.png" in order()) != left_out


def test_a_sheet_in_the_packet_says_which_labels_to_check(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "params.yaml").write_text(person_params())
    set_param("random_share: 0.1", "random_share: 0")
    write_inputs({"claims": True, "seen": False}, missed=[*MISSED, ("pool", "claims.png", 1, 1, 200)])
    rows = [suspect("pool", "claims.png", 0, "label"), suspect("pool", "claims.png", pd.NA, "label")]
    write_table(conform(pd.DataFrame(rows), SUSPECTS), SUSPECTS_FILE, SUSPECTS)
    sample.run()
    reasons = read_packet().focus.set_index("image_id")["reason"]
    assert reasons["claims.png"].endswith(". Check the label: 2 on this sheet look wrong.")
    assert not reasons["seen.png"].str.contains("Check the label").any()
    assert metrics()["labels_to_check"] == 2


CROWD = {f"s{i:02d}": False for i in range(12)}  # sheets without labels; a third of them look empty
SEEN = [
    ("pool", f"{name}.png", j, j, 0.3 + 0.02 * i, 10 + 100 * j) for i, name in enumerate(CROWD) for j in range(i % 3)
]


@pytest.fixture(params=["hard", "earned", "coverage"])
def crowd(request, tmp_path, monkeypatch):
    """A pool of twelve sheets, half of whose packet comes by chance; two in three are of a group."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "params.yaml").write_text(person_params())
    set_strategy(request.param)
    set_param("unit: sheets", "unit: objects")
    set_param("random_share: 0.1", "random_share: 0.5")
    set_param("budget: 20", "budget: 4")
    write_inputs(CROWD, SEEN, missed=[], groups={name: "AB"[i // 6] for i, name in enumerate(CROWD) if i % 3})
    return tmp_path


def test_sheets_that_came_by_chance_are_named_beside_the_packet(crowd):
    sample.run()
    arms, candidates = read_arms(), pd.read_csv(sample.CANDIDATES, keep_default_na=False)
    assert list(arms) == sorted(arms) == sorted(order())
    assert metrics()["packet_sheets"] == len(arms)
    assert metrics()["random_sheets"] == sum(arm == "random" for arm in arms.values())
    assert metrics()["chosen_objects"] == 4  # the budget is the picker's
    shown = candidates[candidates["arm"] != ""]
    assert dict(zip(shown["image_id"], shown["arm"], strict=True)) == arms
    assert (shown["rank"] == "").equals(shown["arm"] == "random")
    assert len(read_packet().focus) == len(shown)


def test_the_share_is_of_the_packet_that_the_picker_would_fill_alone(crowd):
    sample.run()
    by_chance = metrics()["random_sheets"]
    set_param("random_share: 0.5", "random_share: 0")
    sample.run()
    assert (metrics()["packet_sheets"], metrics()["random_sheets"]) == (by_chance, 0)


def test_the_head_of_the_packet(crowd):
    sample.run()
    packet = read_packet()
    assert (packet.iteration, packet.seed, packet.ruler) == (0, 0, "3f2a90bc")
    assert packet.classes == ("detail", "elevation", "title")
    groups = [sheet.group for sheet in packet.sheets if sheet.group]
    assert set(groups) == {"A", "B"}
    assert groups == sorted(groups, key=groups.index)  # those of a group are together


def pattern(row):
    """Return what of a focus box could tell of an arm: which columns are filled, and how its reason is worded."""
    filled = tuple(name for name, value in row.items() if pd.notna(value) and value != "")
    return row["kind"], filled, re.sub(r"\d+%|detail|elevation|title|;.*", "_", row["reason"])


def test_nothing_in_the_packet_tells_which_sheets_came_by_chance(crowd):
    """The figure and the page are drawn from the packet and the counts alone."""
    seen = {"picked": set(), "random": set()}
    for iteration in range(3):
        set_param(f"iteration: {max(iteration - 1, 0)}", f"iteration: {iteration}")
        sample.run()
        packet, arms = read_packet(), read_arms()
        for row in packet.focus.to_dict("records"):
            seen[arms[row["image_id"]]].add(pattern(row))
        texts = "".join(file.read_text() for file in PACKET.rglob("*") if file.suffix in (".json", ".csv", ".yaml"))
        assert not re.findall(r"\b(random|picked|arm|score|rank)", texts)
        assert list(pd.read_csv(PACKET / "focus.csv")) == list(FOCUS)
        assert list(pd.read_csv(PACKET / "prelabels.csv")) == list(PRELABELS)
    if "strategy: hard" in Path("params.yaml").read_text():
        assert seen["random"] == seen["picked"]
        assert len(seen["picked"]) > 1
    else:  # strategies that order sheets leave those on which nothing was seen to chance
        assert {one for one in seen["random"] if one[0] != "nothing_seen"} == seen["picked"]
        assert seen["picked"]


def test_budget_counts_objects(project):
    set_param("budget: 20", "budget: 1")
    sample.run()
    assert (metrics()["chosen_objects"], metrics()["packet_sheets"], metrics()["candidates"]) == (1, 1, 4)
    candidates = pd.read_csv("data/sample/candidates.csv")
    assert candidates["rank"].notna().tolist() == [True, False, False, False]


def test_equal_inputs_are_equal_bytes(project):
    sample.run()
    first = files(project)
    sample.run()
    assert files(project) == first


def test_iteration_and_seed_settle_ties(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "params.yaml").write_text(person_params())
    set_strategy("hard")
    set_param("budget: 20", "budget: 4")
    write_inputs(CROWD, detected=[], missed=[])
    sample.run()
    first = order()
    assert len(first) == 5  # one by chance
    set_param("iteration: 0", "iteration: 1")
    sample.run()
    assert order() != first


@pytest.mark.parametrize(
    "pool",
    [{}, {"claims": True}],  # no sheet at all; only sheets whose claims were all found
)
def test_nothing_to_review_is_an_empty_packet(tmp_path, monkeypatch, pool):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "params.yaml").write_text(person_params())
    write_inputs(pool, detected=[], missed=[])
    sample.run()
    assert metrics() == {
        **dict.fromkeys(("candidates", "missed", "uncertain", "nothing_seen", "chosen_objects", "packet_sheets"), 0),
        "random_sheets": 0,
        "pool_sheets": len(pool),
        "labels_to_check": 0,
        "strategy": "hard" if pool else "earned",
        "strategy_because": "the pool has labels" if pool else None,
        **NOTHING_BESIDE,
        **NO_FORECAST,
        **{"packet_boxes": 0, "packet_minutes": 0.0},
    }
    assert order() == []
    assert read_arms() == {}
    assert len(pd.read_csv("data/sample/candidates.csv")) == 0


@pytest.mark.parametrize(
    ("old", "new", "found"),
    [
        ("budget: 20", "budget: 0", "sample.budget"),
        ("uncertainty: 0.2", "uncertainty: -0.2", "sample.uncertainty"),
        ("  seed: 0 # breaks", "  luck: 1\n  seed: 0 # breaks", "'sample.luck'"),
        ("random_share: 0", "random_share: 1", "sample.random_share"),  # nothing would be left for the picker
        ("random_share: 0", "random_share: -0.1", "sample.random_share"),
        ("recheck_share: 0", "recheck_share: 1", "sample.recheck_share"),
        ("repeat_every: 0", "repeat_every: -1", "sample.repeat_every"),
        ("repeat_every: 0", "repeat_every: 1.5", "sample.repeat_every"),
        ("tiny_area: 500", "tiny_area: small", "analyze.tiny_area"),
        ("strategy: ", "strategy: best # ", "sample.strategy"),
        ("unit: sheets", "unit: hours", "sample.unit"),
    ],
)
def test_params_are_strict(project, old, new, found):
    set_param(old, new)
    with pytest.raises(UserError, match=rf"params.yaml:\d+: .*{found}"):
        sample.run()
    assert not Path("data/sample").exists()


def test_all_weights_zero_is_refused():
    weights = dict.fromkeys(("class_balance", "size_diversity", "spatial_diversity", "uncertainty"), 0.0)
    with pytest.raises(ValueError, match="at least one of the four weights above 0"):
        sample.SampleParams(budget=1, seed=0, most_per_sheet=0.25, plausible=0.1, prelabel_confidence=0.25, **weights)


@pytest.mark.parametrize("strategy", ["earned", "uncertain", "diverse", "coverage", "crowd", "by_group", "random"])
def test_every_strategy_fills_a_packet_and_says_what_it_expects(tmp_path, monkeypatch, strategy, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "params.yaml").write_text(person_params())
    set_strategy(strategy)
    set_param("budget: 20", "budget: 3")
    set_param("random_share: 0.1", "random_share: 0")
    write_inputs(CROWD, SEEN, missed=[])
    sample.run()
    found = metrics()
    assert found["packet_sheets"] == 3
    assert 0 <= found["expected_errors_low"] <= found["expected_errors"] <= found["expected_errors_high"]
    assert found["expected_minutes"] >= 1  # 20 s a sheet
    table = pd.read_csv(sample.CANDIDATES)
    assert (table["sheet_reason"].notna() == table["rank"].notna()).all()
    assert table.loc[table["rank"].notna(), "image_id"].nunique() == 3
    assert f"; expected {found['expected_errors']:.0f} errors, " in capsys.readouterr().out


def test_in_a_pool_with_labels_it_is_said_that_hard_picked(project, capsys):
    set_strategy("earned")
    sample.run()
    assert metrics()["strategy"] == "hard"
    assert capsys.readouterr().out.endswith("; hard picked in place of earned, since the pool has labels\n")
    set_strategy("hard")
    sample.run()
    assert "in place of" not in capsys.readouterr().out


@pytest.mark.parametrize(
    ("strategy", "iteration", "used"),
    [
        ("earned", 0, "coverage"),
        ("uncertain", 0, "coverage"),
        ("hard", 0, "coverage"),
        ("coverage", 0, "coverage"),
        ("random", 0, "random"),  # goes by no score
        ("by_group", 0, "by_group"),
        ("earned", 1, "earned"),  # it has learned
    ],
)
def test_what_goes_by_scores_does_not_pick_before_anything_is_learned(
    tmp_path, monkeypatch, strategy, iteration, used, capsys
):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "params.yaml").write_text(person_params())
    set_strategy(strategy)
    set_param("baseline: train", "baseline: zero-shot")
    set_param("iteration: 0", f"iteration: {iteration}")
    set_param("budget: 20", "budget: 3")
    write_inputs(CROWD, SEEN, missed=[])
    sample.run()
    found = metrics()
    assert found["strategy"] == used
    because = found["strategy_because"]
    assert (because is None) == (used == strategy or strategy == "coverage")
    said = capsys.readouterr().out
    assert (f"{used} picked in place of {strategy}, since no label has taught the model anything yet" in said) == (
        because is not None
    )


def test_a_copy_in_the_pool_goes_to_review_once(tmp_path, monkeypatch):
    """Two of three sheets are one picture."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "params.yaml").write_text(person_params())
    set_strategy("earned")
    set_param("random_share: 0.1", "random_share: 0")
    detected = [("pool", name, 0, 0, 0.5, 10) for name in ("a.png", "b.png", "c.png")]
    write_inputs(dict.fromkeys("abc", False), detected, missed=[], looks={"a": 0, "b": 0, "c": 1})
    sample.run()
    assert len(order()) == 2
    assert "c.png" in order()


def test_before_validate_has_run(project):
    shutil.rmtree("data/validate")
    with pytest.raises(UserError, match=r"data/validate/images.parquet: expected a table, found no file"):
        sample.run()
