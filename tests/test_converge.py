"""The stage as a process would see it: a project folder with its declared inputs, and nothing else."""

import json
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest
import yaml

from stages import converge
from stages.base.errors import UserError
from stages.base.params import read_section
from stages.base.tables import read_metrics, write_table
from stages.convergence.history.history_columns import empty_history
from stages.convergence.history.history_file import read_carried, write_history
from stages.convergence.outcome_files import outcomes_text
from stages.convergence.sheet_history import write_sheets
from stages.review.ledger.ledger_files import no_review_text
from stages.ruler.pairing.box_tables import DETECTIONS
from stages.ruler.schemas import GROUND_TRUTH, IMAGES, MATCHES
from stages.ruler.scores.score_rows import COLUMNS
from tests.fake_project import person_params

ROOT = Path(__file__).parents[1]
CLASSES = ("detail", "elevation", "title")
OUTS = [
    "metrics/converge.json",
    "metrics/converge_outcomes.json",
    "metrics/converge_sheets.json",
    "plots/converge/classes.csv",
    "plots/converge/history.csv",
    "plots/converge/packets.csv",
]


def measure(f1, train_f1=0.5, imgsz=640, counts=((3, 2, 1), (2, 1, 1), (4, 1, 2))):
    """Write what `validate` writes."""
    metrics = {
        **dict.fromkeys(("f1", "f1_low", "f1_high", "precision", "recall", "map50", "map50_95"), f1),
        **{"tp": 5, "fp": 3, "fn": 2, "train_f1": train_f1, "confidence": 0.25},
        "ruler": f"ruler{imgsz}",
        "ruler_statement": [{"iou": 0.5, "imgsz": imgsz}],
        "splits": [{"split": split, "images": 6, "labelled": 4, "boxes": 7} for split in ("val", "train", "pool")],
    }
    Path("metrics/validate.json").write_text(json.dumps(metrics))
    rows = [{"split": "val", "part": "class", "name": name, "f1": f1, "fn": 2} for name in CLASSES]
    ends = {"f1": train_f1, "f1_low": train_f1 and train_f1 - 0.02, "f1_high": train_f1 and train_f1 + 0.02}
    rows.append({"split": "train", "part": "all", "name": "all", **ends})
    Path("data/validate").mkdir(parents=True, exist_ok=True)
    pd.DataFrame(rows).reindex(columns=COLUMNS).to_csv("data/validate/scores.csv", index=False)
    sheets = pd.DataFrame(counts, columns=["tp", "fp", "fn"])
    names = [f"{place}.png" for place in range(len(sheets))]
    sheets = sheets.assign(split="val", image_id=names, group="", confidence=0.25)
    columns = ["split", "image_id", "group", "confidence", "tp", "fp", "fn"]
    sheets[columns].to_csv("data/validate/sheets.csv", index=False)
    measure_boxes(dict(zip(names, counts, strict=True)))
    measure_pool([])


def measure_pool(boxes, sheets=("p.png", "q.png")):
    """Write what the model drew on the pool: sheet, class, confidence and left edge of a box of 10 px."""
    rows = [
        (name, number, class_id, sure, x, 0.0, x + 10, 10.0) for number, (name, class_id, sure, x) in enumerate(boxes)
    ]
    columns = ["image_id", "detection_id", "class_id", "confidence", "x1", "y1", "x2", "y2"]
    Path("data/predict").mkdir(parents=True, exist_ok=True)
    table = pd.DataFrame(rows, columns=columns).assign(split="pool")
    write_table(table, Path("data/predict/detections.parquet"), DETECTIONS)
    images = pd.DataFrame({"image_id": sheets}).assign(
        **{
            "split": "pool",
            "width": 90,
            "height": 90,
            "labelled": False,
            "group": "",
            "confidence": 0.25,
            "near_copy": False,
        }
    )
    write_table(images, Path("data/validate/images.parquet"), IMAGES)


def measure_boxes(sheets):
    """Write the boxes of each sheet, the first ones of which were found, and the matches; all of the first class."""
    boxes = [(name, number, number < tp) for name, (tp, _, fn) in sheets.items() for number in range(tp + fn)]
    truth = pd.DataFrame(boxes, columns=["image_id", "object_id", "found"]).assign(split="val", class_id=0)
    truth = truth.assign(x1=0.0, y1=0.0, x2=10.0, y2=10.0)
    alarms = pd.DataFrame({"image_id": [name for name, (_, fp, _) in sheets.items() for _ in range(fp)]})
    alarms = alarms.assign(split="val", outcome="fp", class_id=0, detection_id=range(len(alarms)))
    matched = truth.assign(outcome=["tp" if found else "fn" for found in truth["found"]])
    write_table(truth, Path("data/validate/ground_truth.parquet"), GROUND_TRUTH)
    write_table(pd.concat([matched, alarms]), Path("data/validate/matches.parquet"), MATCHES)


def set_iteration(number, *, rule="classic"):
    """Set the iteration; `rule: None` leaves the key out, as in a project of before."""
    params = yaml.safe_load(person_params()) | {"iteration": number}
    params["converge"] |= {"rule": rule}
    if rule is None:
        del params["converge"]["rule"], params["converge"]["max_minutes"]
    Path("params.yaml").write_text(yaml.safe_dump(params))


@pytest.fixture
def project(tmp_path, monkeypatch):
    """A project at iteration 0 in which `validate` has measured F1 0.5."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "metrics").mkdir()
    write_history(empty_history(CLASSES), Path("metrics/history.csv"))
    write_sheets([], Path("metrics/history_sheets.json"))
    (tmp_path / "metrics/review.json").write_text(no_review_text())
    Path("metrics/parent_outcomes.json").write_text(outcomes_text(None))
    set_iteration(0)
    measure(0.5)
    return tmp_path


def verdict():
    return read_metrics(Path("metrics/converge.json"))


def carry():
    Path("metrics/history.csv").write_bytes(Path("plots/converge/history.csv").read_bytes())
    Path("metrics/history_sheets.json").write_bytes(Path("metrics/converge_sheets.json").read_bytes())
    Path("metrics/parent_outcomes.json").write_bytes(Path("metrics/converge_outcomes.json").read_bytes())


def turn(iteration, *args, rule="classic", **kw):
    """Run `converge` for an iteration in which `validate` measured this, and carry it over."""
    set_iteration(iteration, rule=rule)
    measure(*args, **kw)
    converge.run()
    carry()
    return verdict()


def test_writes_its_outs_and_nothing_else(project):
    before = {str(file.relative_to(project)) for file in project.rglob("*") if file.is_file()}
    converge.run()
    after = {str(file.relative_to(project)) for file in project.rglob("*") if file.is_file()}
    assert sorted(after - before) == OUTS
    says = "the next packet: too few iterations to say (1 by this ruler, 3 are needed)"
    assert verdict() | {"reason": ""} == {
        **{"verdict": "go on", "rule": None, "reason": "", "gain": None, "gain_low": None, "gain_high": None},
        **{"gap": 0.0, "ruler_changed": False, "gains": [], "answers": []},
        "forecast": {"gain": None, "low": None, "high": None, "minutes": None, "says": says},
        **{"gap": 0.0, "ruler_changed": False, "lost": None, "won": None, "gains": []},
        "regression": {"since": None, "note": "", "parts": [], "sheets": []},
        **{
            "agreement": None,
            "pool_agreement": dict.fromkeys(("since", "agreement", "low", "high")) | {"sheets": 0, "says": ""},
        },
    }


def test_four_flat_iterations_are_a_plateau_with_one_row_each(project):
    for iteration in range(4):
        assert turn(iteration, 0.5)["verdict"] == ("stop" if iteration == 3 else "go on")
    history = read_carried(4, CLASSES)
    assert history["verdict"].tolist() == ["go on", "go on", "go on", "stop"]
    assert history["rule"].tolist() == ["", "", "", "plateau"]
    assert len(pd.read_csv("plots/converge/classes.csv")) == 4 * len(CLASSES)


def test_earlier_reasons_for_going_on_are_kept(project):
    turn(0, 0.99)
    text = Path("plots/converge/history.csv").read_text()
    Path("metrics/history.csv").write_text(text.replace("stop,target_f1,", "stop,target_f1,more to come"))
    set_iteration(1)
    converge.run()
    assert pd.read_csv("plots/converge/history.csv", keep_default_na=False)["despite_stop"].tolist() == [
        "more to come",
        "",
    ]


def test_undefined_f1_goes_on_and_says_so(project):
    measure(None, train_f1=None)
    converge.run()
    assert verdict()["verdict"] == "go on"
    assert "undefined" in verdict()["reason"]
    assert Path("plots/converge/history.csv").read_text().splitlines()[1].startswith("0,,,,,,,,5,3,2,0.25,,4,7,6,")


@pytest.mark.parametrize("rule", ["classic", "evidence"])
def test_train_without_a_sheet_is_undefined_and_stops_nothing(project, rule):
    """After a start without labels: its scores have no row of train."""
    measure(0.2, train_f1=None)
    file = Path("metrics/validate.json")
    metrics = json.loads(file.read_text())
    metrics["splits"][1] = {"split": "train", "images": 0, "labelled": 0, "boxes": 0}
    file.write_text(json.dumps(metrics))
    scores = pd.read_csv("data/validate/scores.csv")
    scores[scores["split"] == "val"].to_csv("data/validate/scores.csv", index=False)
    set_iteration(0, rule=rule)
    converge.run()
    found = verdict()
    assert (found["verdict"], found["rule"]) == ("go on", None)
    history = pd.read_csv("plots/converge/history.csv")
    assert history["train_images"].tolist() == [0]
    assert history["train_f1"].isna().all()


def test_a_gain_has_its_interval_over_the_sheets(project, capsys):
    start, end = [(3, 2, 1), (2, 1, 1), (4, 1, 2)] * 5, [(4, 2, 0), (3, 1, 0), (5, 1, 1)] * 5
    for iteration in range(3):
        turn(iteration, 0.692308, counts=start)  # 2 · 9 / (2 · 9 + 4 + 4)
    found = turn(3, 0.827586, counts=end)  # 2 · 12 / (2 · 12 + 4 + 1)
    assert [one["since"] for one in found["gains"]] == [2, 0]
    assert found["gain"] == found["gains"][1]["gain"] == 0.135278
    assert found["gain_low"] == found["gains"][1]["low"]
    assert 0.08 < found["gain_low"] < 0.135278 < found["gain_high"] < 0.19
    said = capsys.readouterr().out.splitlines()[-3]
    assert said.startswith("[CONVERGENCE] F1 on val 0.828 (0.83 to 0.83), +0.135 (0.1")
    assert "since iteration 2, +0.135 (0.1" in said


def test_another_ruler_is_said_and_is_no_plateau(project, capsys):
    for iteration in range(3):
        turn(iteration, 0.5)
    found = turn(3, 0.5, imgsz=1280)
    assert (found["verdict"], found["gain"], found["ruler_changed"]) == ("go on", None, True)
    assert "iteration 0 was measured by another ruler (imgsz 640, now 1280)" in found["reason"]
    said = capsys.readouterr().out
    assert "[CONVERGENCE] iteration 2 was measured by another ruler: imgsz 640, now 1280" in said
    why = "iteration 2 was measured by another ruler (imgsz 640, now 1280)"
    assert f"[CONVERGENCE] nothing is compared box by box: {why}" in said
    assert (found["lost"], found["regression"]["parts"]) == (None, [])
    assert turn(4, 0.5, imgsz=1280)["ruler_changed"] is False  # the same as one iteration ago
    assert "iteration 1 was measured by another ruler" in verdict()["reason"]
    for iteration in (5, 6):
        turn(iteration, 0.5, imgsz=1280)
    assert verdict()["rule"] == "plateau"  # iterations 3 and 6 compare again
    rulers = pd.read_csv("plots/converge/history.csv")["ruler"].tolist()
    assert rulers == ["ruler640"] * 3 + ["ruler1280"] * 4


def test_what_was_found_before_and_is_lost_now_is_said(project, capsys):
    turn(0, 0.8, counts=[(4, 0, 0)] * 20)
    found = turn(1, 0.6, counts=[(2, 0, 2)] * 15 + [(4, 0, 0)] * 5)
    assert (found["lost"], found["won"]) == (30, 0)
    lost = {(one["part"], one["name"]) for one in found["regression"]["parts"] if one["significant"]}
    assert lost == {("all", "all"), ("class", "detail"), ("size", "tiny")}
    said = capsys.readouterr().out
    assert "[CONVERGENCE] 30 boxes lost, 0 won on val, since iteration 0\n" in said
    assert "[CONVERGENCE] LOST since iteration 0: class detail: F1 1.000 to 0.769, -0.231 (" in said
    assert "size tiny: recall 1.000 to 0.625, -0.375 (-0.48 to -0.27); 30 boxes lost on 15 sheets, 0 won\n" in said
    assert turn(2, 0.8, counts=[(4, 0, 0)] * 20)["won"] == 30


def test_two_iterations_are_compared_on_the_pool_by_what_each_drew(project, capsys):
    """At each one's operating confidence, and on sheets that are in the pool still."""
    measure_pool([("p.png", 0, 0.9, 0), ("q.png", 0, 0.9, 0), ("q.png", 1, 0.8, 50), ("r.png", 0, 0.9, 0)],
                 ("p.png", "q.png", "r.png"))  # fmt: skip
    converge.run()
    assert verdict()["agreement"] is None
    carry()
    set_iteration(1)
    # the first moved by 2 of 10 px, the second has another class, a third is under the operating confidence
    measure_pool([("p.png", 0, 0.4, 2), ("q.png", 0, 0.9, 0), ("q.png", 2, 0.8, 50), ("q.png", 0, 0.24, 70)])
    converge.run()
    found = verdict()
    assert found["agreement"] == pytest.approx(2 * 2 / (2 * 2 + 1 + 1), abs=1e-6)
    assert (found["pool_agreement"]["since"], found["pool_agreement"]["sheets"]) == (0, 2)
    assert "[CONVERGENCE] agreement with iteration 0 on 2 sheets of the pool: 0.667 (0." in capsys.readouterr().out


@pytest.mark.parametrize("kept", ["none", "no file"])
def test_a_project_begun_before_outcomes_were_kept_goes_on(project, capsys, kept):
    turn(0, 0.5)
    Path("metrics/parent_outcomes.json").unlink()
    if kept == "none":
        Path("metrics/parent_outcomes.json").write_text('{"outcomes":[]}\n')
    turn(1, 0.5)
    line = "[CONVERGENCE] nothing is compared box by box: what iteration 0 found was not kept"
    assert capsys.readouterr().out.splitlines()[-1] == line
    assert turn(2, 0.5)["lost"] == 0


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("{}", "expected what iteration 0 found, found no list `outcomes`"),
        (
            '{"outcomes":[{"iteration":3,"ruler":"a","sheets":[]}]}',
            "expected what iteration 0 found, found iteration 3",
        ),
        ('{"outcomes":[{"iteration":0,"ruler":"a","sheets":[["a.png",1]]}]}', "found other ones"),
        ('{"outcomes":[[]]}', "found other ones"),
        ('{"outcomes":[{"iteration":0,"ruler":"a","sheets":[],"pool":[["a.png",[[0]]]]}]}', "found other ones"),
    ],
)
def test_damaged_outcomes_are_one_line(project, text, found):
    turn(0, 0.5)
    set_iteration(1)
    Path("metrics/parent_outcomes.json").write_text(text)
    with pytest.raises(UserError, match=rf"^metrics/parent_outcomes.json: .*{found}.*git checkout HEAD"):
        converge.run()


def test_sheets_of_another_history_are_refused(project):
    turn(0, 0.5)
    write_sheets([], Path("metrics/history_sheets.json"))
    set_iteration(1)
    with pytest.raises(UserError, match=r"metrics/history_sheets.json: expected as many iterations as the history has"):
        converge.run()


def test_equal_inputs_are_equal_bytes(project):
    converge.run()
    first = [Path(out).read_bytes() for out in OUTS]
    converge.run()
    assert [Path(out).read_bytes() for out in OUTS] == first


def test_iteration_that_does_not_follow_changes_nothing(project):
    set_iteration(2)
    with pytest.raises(UserError, match="Set iteration back to 0; or finish iteration 0"):
        converge.run()
    assert not Path("plots").exists()


def test_metrics_of_an_older_version_are_one_line(project):
    Path("metrics/validate.json").write_text('{"val": {"f1": 0.5}}')
    with pytest.raises(UserError, match=r"metrics/validate.json: expected the key 'f1', found none"):
        converge.run()


def test_params_are_strict(project):
    text = Path("params.yaml").read_text()
    Path("params.yaml").write_text(text.replace("  plateau_window: 3", "  plateau_window: 0"))
    with pytest.raises(
        UserError, match=r"params.yaml:\d+: expected converge.plateau_window: greater than or equal to 1"
    ):
        converge.run()


def test_defaults_are_those_of_the_shipped_params():
    assert read_section(converge.ConvergeParams, "converge", ROOT / "params.yaml").plateau_window >= 1


def test_as_a_process_a_mistake_is_one_line_and_2(tmp_path):
    run = subprocess.run(
        [sys.executable, "-m", "stages.converge"],
        cwd=tmp_path,
        env={"PYTHONPATH": str(ROOT), "PATH": ""},
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 2
    assert run.stderr.startswith("error: params.yaml: expected the file, found none in ")
    assert run.stderr.count("\n") == 1


@pytest.mark.parametrize("rule", ["classic", None])
def test_a_project_of_before_is_judged_as_before(project, rule):
    for iteration in range(4):
        turn(iteration, 0.5, rule=rule)
    assert (verdict()["rule"], verdict()["answers"]) == ("plateau", [])


def test_evidence_goes_on_where_three_sheets_cannot_tell(project, capsys):
    for iteration, f1 in enumerate((0.5, 0.6, 0.65, 0.65)):
        turn(iteration, f1, rule="evidence")
    found = verdict()
    assert (found["verdict"], found["rule"]) == ("go on", None)
    assert [(one["rule"], one["answer"]) for one in found["answers"]] == [
        ("target_f1", "no"),
        ("plateau", "cannot tell"),
        ("overfitting", "no"),
    ]
    assert found["forecast"]["low"] < found["forecast"]["gain"] < found["forecast"]["high"]
    assert capsys.readouterr().out.splitlines()[-2].startswith("[CONVERGENCE] the next packet: F1 ")


def reviewed(project, **values):
    review = read_metrics(project / "metrics/review.json")
    (project / "metrics/review.json").write_text(json.dumps({**review, **values}))


@pytest.mark.parametrize("rule", ["classic", "evidence"])
@pytest.mark.parametrize(("spent", "stops"), [(59.9, None), (60.0, "max_minutes"), (None, None)])
def test_a_budget_of_minutes_stops_the_loop(project, rule, spent, stops):
    set_iteration(0, rule=rule)
    text = Path("params.yaml").read_text().replace("max_minutes: null", "max_minutes: 60")
    Path("params.yaml").write_text(text)
    reviewed(project, minutes_so_far=spent)
    converge.run()
    assert verdict()["rule"] == stops


def test_what_random_sheets_and_the_last_packet_say_is_printed(project, capsys):
    for iteration in range(2):
        turn(iteration, 0.5)
    random = {"sheets": 3, "f1": 0.75, "f1_low": 0.5, "f1_high": 0.9}
    reviewed(project, packet_minutes=12.4, random_prelabels=random)
    turn(2, 0.55)
    said = capsys.readouterr().out
    assert "iteration 1 on 3 random sheets of the pool: F1 0.750 (0.50 to 0.90); on val 0.500" in said
    assert said.splitlines()[-2].endswith("expected for about 12 minutes of review, as the last one took")


def test_what_packets_promised_and_held_is_a_plot(project):
    promise = {"iteration": 0, "expected": 31.5, "low": 22.0, "high": 42.0, "found": 27, "minutes": 12.0}
    turn(0, 0.5)
    assert Path("plots/converge/packets.csv").read_text().splitlines()[1:] == ["0,,,,"]
    reviewed(project, packets=[promise])
    turn(1, 0.5)
    reviewed(project, packets=[promise, promise | {"iteration": 1, "expected": None, "low": None, "high": None}])
    turn(2, 0.5)
    table = Path("plots/converge/packets.csv").read_text().splitlines()
    assert table == ["iteration,expected,low,high,found", "0,31.5,22.0,42.0,27", "1,,,,27", "2,,,,"]
