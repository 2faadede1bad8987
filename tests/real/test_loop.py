"""The whole loop with real training, real DVC and Git: three iterations, the first reviewed by hand on a terminal."""

import json
import pickle
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pandas as pd
import pexpect
import pytest
import yaml

from stages.base.tables import with_details
from stages.convergence.score_files import read_scores
from stages.ruler.scores.score_rows import row_of
from tests.fake_project import REPO
from tests.forks import FORKED
from tests.once import Once
from tests.real_project import PROMPTS, Project, build
from tests.toy import CLASSES

pytestmark = pytest.mark.slow
TRAINING = 240  # seconds to wait for one iteration on a busy machine


Box = tuple[int, float, float, float, float]  # class_id, x, y, w, h


class Edits(NamedTuple):
    """What came back from the review: the boxes of every sheet, and the sheet that did not come back."""

    boxes: dict[str, list[Box]]
    missing: str


class Looped(NamedTuple):
    """A project after three iterations, and what happened on the way."""

    project: Project
    edits: Edits
    screen: str  # what the person saw at the terminal


@pytest.fixture(scope="session")
def looped(toy_weights: Path, once: Once) -> Looped:
    folder = once("looped", lambda folder: loop(folder, toy_weights))
    edits, screen = pickle.loads((folder / "seen").read_bytes())
    return Looped(Project(folder / "project", folder / "home"), edits, screen)


def loop(folder: Path, toy_weights: Path) -> None:
    """Iteration 0 reviewed in a tool (YOLO) and ENTER on a terminal, 1 by the oracle; iteration 2 stops."""
    project = build(folder / "project", toy_weights)
    command = [sys.executable, "-m", "stages.loop", "run", "--review", "person"]
    env = {**project.env, FORKED: "1"}
    terminal = pexpect.spawn(
        command[0], command[1:], cwd=str(project.root), env=env, timeout=TRAINING, encoding="utf-8"
    )
    seen: list[str] = []
    terminal.logfile_read = _Sink(seen)
    terminal.expect("ENTER")
    edits = review(project)
    terminal.send("\r")
    terminal.expect("iteration 1")
    terminal.expect("ENTER")
    terminal.sendintr()
    terminal.expect("yoloop run")
    terminal.expect(pexpect.EOF)
    terminal.close()
    assert terminal.exitstatus == 130
    project.yoloop("run", "--review", "oracle", "--resume")
    (folder / "seen").write_bytes(pickle.dumps((edits, "".join(seen))))


class _Sink:
    """Collects what a terminal shows."""

    def __init__(self, seen: list[str]) -> None:
        self.seen = seen

    def write(self, text: str) -> None:
        self.seen.append(text)

    def flush(self) -> None:
        pass


def review(project: Project) -> Edits:
    """Answer a packet as a person would: one box each moved, reclassified and added, and one sheet missing."""
    packet = json.loads((project.root / "data/sample/packet/packet.json").read_text())
    sheets = [Path(sheet["image_id"]).stem for sheet in packet["sheets"]]
    *kept, missing = sheets
    boxes = {stem: _boxes(project.root / f"data/oracle/labels/{stem}.txt") for stem in kept}
    full = [stem for stem in kept if boxes[stem]]
    first, last = full[0], full[-1]
    class_id, x, *rest = boxes[first][0]
    boxes[first][0] = (class_id, round(x + 0.01, 6), *rest)  # moved
    class_id, *place = boxes[last][-1]
    boxes[last][-1] = ((class_id + 1) % 3, *place)  # reclassified
    boxes[last].append((2, 0.5, 0.5, 0.125, 0.0625))  # added
    folder = project.root.parent / "export"
    _export(project, boxes, folder)
    project.yoloop("review", "import", str(folder), "--partial", "--all-reviewed")
    return Edits(boxes, missing)


def _export(project: Project, boxes: dict[str, list[Box]], folder: Path) -> None:
    """Write `folder` as a review tool would: with the classes in an order of its own."""
    (folder / "labels").mkdir(parents=True)
    (folder / "images").mkdir()
    (folder / "data.yaml").write_text(yaml.safe_dump({"names": ["title", "detail", "elevation"]}))
    for stem, rows in boxes.items():
        shutil.copy(project.root / f"data/sample/packet/images/{stem}.png", folder / "images")
        text = "".join(f"{(row[0] + 1) % 3} {' '.join(map(str, row[1:]))}\n" for row in rows)
        (folder / "labels" / f"{stem}.txt").write_text(text)


def _boxes(file: Path) -> list[Box]:
    rows = [row.split() for row in file.read_text().splitlines()]
    return [(int(row[0]), *(float(value) for value in row[1:])) for row in rows]


@pytest.fixture
def copy(looped: Looped, tmp_path: Path) -> Iterator[Project]:
    """A copy of the project after three iterations, to be changed."""
    shutil.copytree(looped.project.root, tmp_path / "project", symlinks=True)
    return Project(tmp_path / "project", looped.project.root.parent / "home")


def metrics(project: Project, rev: str, stage: str) -> dict:
    return with_details(json.loads(project.git("show", f"{rev}:metrics/{stage}.json")))


def test_every_iteration_is_tagged_and_the_last_one_stops(looped):
    tags = set(looped.project.git("tag").split())
    assert tags == {"dataset-v0", "dataset-v1", "dataset-v2", "iteration-0", "iteration-1", "iteration-2"}
    assert metrics(looped.project, "iteration-1", "converge")["verdict"] == "go on"
    last = metrics(looped.project, "iteration-2", "converge")
    assert (last["verdict"], last["rule"]) == ("stop", "max_iterations")
    assert looped.project.git("status", "--porcelain") == ""


def test_the_detector_both_finds_and_errs_and_the_packets_are_not_empty(looped):
    val = metrics(looped.project, "iteration-0", "validate")
    assert min(val["tp"], val["fp"], val["fn"]) > 0
    for i in range(2):
        assert metrics(looped.project, f"iteration-{i}", "sample")["packet_sheets"] > 0


def test_iteration_1_starts_where_iteration_0_stood_and_is_told_by_text(looped):
    first, second = (metrics(looped.project, f"iteration-{i}", "train") for i in (1, 2))
    assert first["start"] == "target, carried: all"
    assert second["start"] == "parent"
    assert first["encoder"] == second["encoder"] == "wordllama"
    assert (first["lr"], second["lr"]) == (0.0005, 0.00025)
    assert (first["optimizer"], first["batch"], first["imgsz"], first["epochs_run"]) == ("AdamW", 4, 128, 8)


def test_more_labels_make_a_better_detector(looped):
    f1 = [metrics(looped.project, f"iteration-{i}", "validate")["f1"] for i in range(3)]
    assert max(f1[1:]) > f1[0] + 0.1, (
        f1
    )  # which of the two is better depends on the CPU: eight epochs each, a small val


def test_a_second_repro_runs_nothing(looped):
    text = looped.project.dvc("repro")
    assert "Running stage" not in text
    assert "up to date" in looped.project.dvc("status")


def test_metrics_and_plots_compare_iterations(looped):
    diff = json.loads(looped.project.dvc("metrics", "diff", "iteration-0", "iteration-2", "--json"))
    f1 = diff["metrics/validate.json"]["f1"] if "metrics/validate.json" in diff else diff["diff"]
    assert f1 is not None
    html = looped.project.root.parent / "plots"
    looped.project.dvc("plots", "diff", "iteration-0", "iteration-2", "-o", str(html))
    text = (html / "index.html").read_text()
    assert "iteration-0" in text
    assert "iteration-2" in text


def test_the_convergence_plot_has_a_point_per_iteration(looped):
    history = pd.read_csv(looped.project.root / "plots/converge/history.csv")
    assert history["iteration"].tolist() == [0, 1, 2]
    for i in range(3):
        expected = metrics(looped.project, f"iteration-{i}", "validate")["f1"]
        assert history["f1"][i] == pytest.approx(expected, abs=1e-6)


def test_experiments_have_a_row_per_iteration(looped):
    text = looped.project.dvc("exp", "show", "-A", "--csv", "--drop", ".*/.*", "--no-pager")
    assert all(f"iter-{i}" in text for i in range(3))


def test_the_review_came_back_exactly(looped):
    train = looped.project.root / "data/dataset/train"
    manifest = pd.read_csv(train / "manifest.csv").set_index("image_id")
    by_person = manifest[manifest["label_source"] == "person"]
    assert set(by_person.index) == {f"{stem}.png" for stem in looped.edits.boxes}
    assert (by_person["added_iteration"] == 1).all()
    for stem, boxes in looped.edits.boxes.items():
        assert sorted(_boxes(train / f"labels/{stem}.txt")) == sorted(boxes)


def test_every_review_has_its_ledger(looped):
    """The first one by a person, the second by the oracle; both name the arms, which nobody saw before."""
    rows = pd.read_csv(looped.project.root / "metrics/review_sheets.csv")
    assert rows.groupby("iteration")["source"].unique().map(list).to_dict() == {0: ["yolo"], 1: ["oracle"]}
    assert set(rows.loc[rows["iteration"] == 0, "image_id"]) == {f"{stem}.png" for stem in looped.edits.boxes}
    assert (rows["arm"] == "random").groupby(rows["iteration"]).sum().between(0, 1).all()
    outcomes = ["confirmed", "moved", "resized", "reclassified", "added", "deleted"]
    assert (rows[outcomes].sum(axis=1) == rows["boxes"]).all()
    assert metrics(looped.project, "dataset-v2", "review")["sheets"] == int((rows["iteration"] == 1).sum())


def test_the_person_saw_what_to_do(looped):
    screen = looped.screen
    for words in ("[STEP 1/6]", "[CONVERGENCE]", "[SAMPLING]", "data/sample/packet", "ENTER", "Go on with: yoloop run"):
        assert words in screen, words
    assert looped.edits.missing in screen


def test_prompts_decide_the_class(looped, tmp_path):
    """Swapping the prompts of two classes at prediction drops their F1 to near 0, and it comes back."""
    good = _class_f1(looped.project, PROMPTS, tmp_path / "good")
    swapped = {**PROMPTS, "detail": PROMPTS["elevation"], "elevation": PROMPTS["detail"]}
    bad = _class_f1(looped.project, swapped, tmp_path / "bad")
    again = _class_f1(looped.project, PROMPTS, tmp_path / "again")
    assert min(good["detail"], good["elevation"]) > 0.5
    assert max(bad["detail"], bad["elevation"]) < 0.1
    assert bad["title"] == pytest.approx(good["title"], abs=0.2)
    assert again == good


def _class_f1(project: Project, prompts: dict[str, str], folder: Path) -> dict[str, float]:
    """Run predict and validate on the trained weights with other prompts, in a copy that DVC does not see."""
    copy = copied(project, folder)
    (folder / "data/prompts.yaml").write_text(yaml.safe_dump({"prompts": prompts}))
    for stage in ("predict", "validate"):
        copy.stage(stage)
    scores = read_scores(folder / "data/validate/scores.csv")
    return {name: row_of(scores, split="val", part="class", name=name)["f1"] or 0.0 for name in CLASSES}


def test_weights_load_in_plain_ultralytics_with_their_prompts(looped, tmp_path):
    image = sorted((looped.project.root / "data/dataset/val/images").iterdir())[0]
    code = (
        "import sys; from ultralytics import YOLO; m = YOLO(sys.argv[1]);"
        "r = m.predict(sys.argv[2], imgsz=128, conf=0.01, verbose=False, save=False)[0];"
        "print(type(m).__name__, r.names, len(r.boxes))"
    )
    weights = looped.project.root / "models/last.pt"
    env = {**looped.project.env, "YOLO_OFFLINE": "true", "YOLO_CONFIG_DIR": str(tmp_path)}
    plain = Project(tmp_path, looped.project.root.parent / "home")
    plain.env = env
    out = plain.run(sys.executable, "-c", code, str(weights), str(image)).stdout.splitlines()[-1]
    assert out.startswith("YOLOE {0: 'detail', 1: 'elevation', 2: 'title'}")
    assert int(out.split()[-1]) > 0


def test_training_left_the_graph_and_the_dataset_alone(looped):
    assert (looped.project.root / "dvc.yaml").read_text() == looped.project.git("show", "dataset-v0:dvc.yaml")
    assert not list((looped.project.root / "data").rglob("*.cache"))
    assert not (looped.project.root / "dvclive").exists()


def test_an_experiment_gets_its_own_row_with_its_own_f1(copy):
    copy.dvc("exp", "run", "-n", "faster", "-S", "train.base_lr=0.02", "-S", "train.epochs=1")
    rows = pd.read_csv(
        _csv(copy, "exp", "show", "--csv", "--no-pager", "--drop", r"(stages|data|models|plots)/.*"), low_memory=False
    )
    column = next(name for name in rows.columns if name.rpartition(":")[2] == "f1")
    lr = next(name for name in rows.columns if name.endswith("train.base_lr"))
    faster = rows[rows["Experiment"] == "faster"].iloc[0]
    base = rows[rows["Experiment"] != "faster"].iloc[-1]
    assert float(faster[lr]) == 0.02
    assert float(faster[column]) != float(base[column])


def _csv(project: Project, *command: str) -> Path:
    file = project.root.parent / "show.csv"
    file.write_text(project.dvc(*command))
    return file


def test_two_queued_experiments_run_to_the_end(copy):
    copy.dvc("exp", "run", "--queue", "-n", "sweep", "-S", "sample.budget=1,2")
    copy.dvc("exp", "run", "--run-all")
    assert copy.dvc("queue", "status").count("Success") == 2
    assert {"sweep-1", "sweep-2"} <= set(copy.dvc("exp", "list", "--name-only").split())


def test_an_old_iteration_comes_back_and_nothing_runs(copy):
    copy.git("checkout", "-q", "iteration-1")
    copy.dvc("checkout")
    assert "Running stage" not in copy.dvc("repro")
    assert copy.git("status", "--porcelain") == ""


def test_a_clone_with_a_remote_reproduces_without_training(copy, tmp_path):
    copy.dvc("remote", "add", "-d", "--local", "shelf", str(tmp_path / "shelf"))
    copy.dvc("push")
    copy.git("clone", "-q", str(copy.root), str(tmp_path / "clone"))
    clone = Project(tmp_path / "clone", copy.root.parent / "clone-home")
    clone.dvc("remote", "add", "-d", "--local", "shelf", str(tmp_path / "shelf"))
    clone.dvc("pull")
    assert "Running stage" not in clone.dvc("repro")
    assert (clone.root / "models/best.pt").read_bytes() == (copy.root / "models/best.pt").read_bytes()


def test_prompts_are_parameters_and_notes_are_not(copy):
    file = copy.root / "data/prompts.yaml"
    text = file.read_text()
    file.write_text(text.replace("notes: {}", "notes: {asked: the reviewer}"))
    assert "up to date" in copy.dvc("status")
    file.write_text(text.replace("flat red bar", "flat bar"))
    assert "train" in json.loads(copy.dvc("status", "--json"))


def test_an_iteration_that_does_not_follow_is_refused(copy):
    (copy.root / "params.yaml").write_text(
        (copy.root / "params.yaml").read_text().replace("iteration: 2", "iteration: 7")
    )
    done = copy.stage("train", code=2)
    assert "iteration" in done.stderr.splitlines()[-1]
    assert "Traceback" not in done.stderr


def test_the_audit_says_what_an_edit_does_before_anything_is_trained(looped, tmp_path):
    """Prompts as they were trained change nothing; swapped ones are named with their cosine and their F1."""
    assert "says what it was told last: nothing changes" in looped.project.yoloop("prompts", "audit").stdout
    copy = copied(looped.project, tmp_path / "audited")
    swapped = {**PROMPTS, "detail": PROMPTS["elevation"], "elevation": PROMPTS["detail"]}
    (copy.root / "data/prompts.yaml").write_text(yaml.safe_dump({"prompts": swapped}))
    said = copy.yoloop("prompts", "audit").stdout
    assert "detail: 'open dark circle' -> 'solid blue triangle' (cosine of the embeddings" in said
    detail = next(line for line in said.splitlines() if line.startswith("  detail: "))
    before, now = (float(value) for value in detail.split(" (")[0].removeprefix("  detail: ").split(" -> "))
    assert before > 0.5 > 0.1 > now
    assert not any("title" in line and "cosine" in line for line in said.splitlines())
    baseline = copy.yoloop("prompts", "audit", "--weights", str(looped.project.root / "models/target.pt")).stdout
    assert baseline.splitlines()[-1].startswith("What texts mean to it is not known here")  # random, untrained


def test_other_texts_were_tried_from_iteration_1_on(looped):
    at = {i: json.loads(looped.project.git("show", f"iteration-{i}:metrics/prompt_suggestions.json")) for i in range(3)}
    assert all("candidates" not in one for one in at[0]["suggestions"])
    tried = [one for i in (1, 2) for row in at[i]["suggestions"] for one in row.get("candidates", [])]
    assert tried
    assert all(one["sheets"] > 0 and one["says"].startswith("expected effect on F1 of") for one in tried)


def test_the_measurement_of_wordings_runs_on_a_loop(looped):
    command = [sys.executable, "-m", "benchmarks.wordings", str(looped.project.root), "--seeds", "1"]
    said = subprocess.run(command, cwd=REPO, env=looped.project.env, capture_output=True, text=True, check=True).stdout
    assert "detail, elevation swapped" in said
    assert "cosine 0.95" in said


def copied(project: Project, folder: Path) -> Project:
    """Return a copy of a project that DVC does not see."""
    ignored = shutil.ignore_patterns(".git", ".dvc", "logs", ".scratch")
    shutil.copytree(project.root, folder, symlinks=True, ignore=ignored)
    return Project(folder, project.root.parent / "home")


def test_prompt_history_has_a_row_per_iteration(looped):
    text = looped.project.yoloop("prompts", "history").stdout
    assert all(str(i) in text for i in range(3))
    assert "open dark circle" in text


def test_reports_are_in_git(looped):
    names = looped.project.git("ls-tree", "-r", "--name-only", "iteration-2", "metrics/reports").split()
    assert {f"metrics/reports/iteration_0{i}.json" for i in range(3)} == set(names)
