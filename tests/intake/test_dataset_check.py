"""`yoloop data check` as a person types it: what it prints, and its exit code."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from stages.base.errors import UserError
from stages.dataset.defects import Defect
from stages.formats import voc_reader
from stages.formats.dataset_reader import read_dataset
from stages.intake import data_app
from stages.intake.contract.defect_list import finding_lines, summary
from stages.intake.import_source import ImportOptions, read_sheets
from tests.fake_project import REPO, sh
from tests.intake.contract import datasets as s
from tests.toy import write_yolo_folder


def check(project: Path, *args: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "stages.loop", "data", "check", *map(str, args)]
    return subprocess.run(command, cwd=project, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)


@pytest.fixture
def project(clean_env, tmp_path, monkeypatch):
    monkeypatch.setenv("PYTHONPATH", str(REPO))
    root = tmp_path / "project"
    root.mkdir()
    for name in ("params.yaml", "dvc.yaml"):
        shutil.copy(REPO / name, root)
    sh(root, "git", "init", "-q")
    return root


def test_exit_codes(project, tmp_path):
    source = s.yolo(tmp_path / "SET")
    s.rows("1 0.95 0.5 0.2 0.2\n")(source)
    done = check(project, source)
    head = f"{source}: YOLO folder, 6 images (test 1, train 3, val 2), 13 boxes of detail, elevation, title"
    assert done.stdout.splitlines()[:2] == [head, "warning sticks-out (1)"]
    assert done.stdout.splitlines()[-2:] == ["0 errors, 1 warning, 0 notes", f"Next: yoloop data import {source}"]
    assert (done.returncode, done.stderr) == (0, "")

    s.rows("".join(f"{number} 0.5 0.5 0.1 0.1\n" for number in range(3, 9)))(source)
    done = check(project, source)
    assert done.returncode == 2
    assert done.stdout.splitlines()[1] == "error class-out-of-range (6)"
    assert done.stdout.splitlines()[5] == "  and 3 more"
    assert check(project, source, "--all").stdout.count("found class ") == 6

    done = check(project, source, "--fix", tmp_path / "new")
    assert done.returncode == 0
    assert f"{tmp_path / 'new'}: 5 of 6 sheets, 7 changes; see report.md and report.csv there" in done.stdout
    done = check(project, tmp_path / "nowhere")
    assert done.returncode == 2
    assert done.stderr == (
        f"error: {tmp_path / 'nowhere'}: expected a YOLO folder, found no folder. Give the folder that has data.yaml.\n"
    )


def test_the_copy_has_one_of_each_and_the_report_names_the_others(project, tmp_path):
    source = write_yolo_folder(tmp_path / "source", {"train": 3, "val": 2}, seed=0)
    first, *_ = sorted((source / "train/images").iterdir())
    for split in ("train", "val"):
        shutil.copy(first, source / f"{split}/images/again-{split}.png")
    labels = source / "train/labels"
    (labels / "again-train.txt").write_text((labels / f"{first.stem}.txt").read_text() + "0 0.5 0.5 0.1 0.1\n")
    (source / "val/labels/again-val.txt").write_text((labels / f"{first.stem}.txt").read_text())
    done = check(project, source)
    assert (done.returncode, "error leak (1)" in done.stdout) == (2, True)
    assert done.stdout.splitlines()[-1] == (
        f"Next: correct the errors, or let a copy be repaired: yoloop data check {source} --fix FOLDER"
    )
    assert "expected copies of one sheet to have the same boxes, found again-train.png with" in done.stdout
    refused = check(project, source, "--one-of-each")
    assert (refused.returncode, refused.stderr.splitlines()[-1][:30]) == (2, "error: --one-of-each: expected")
    done = check(project, source, "--one-of-each", "--fix", tmp_path / "new")
    assert (done.returncode, done.stderr) == (0, "")
    assert "2 × copy: sheet left out" in done.stdout
    assert done.stdout.splitlines()[-1] == f"Next: yoloop data import {tmp_path / 'new'}"
    assert "not repaired" not in done.stdout
    kept = sorted(file.name for file in (tmp_path / "new/images").rglob("*.png"))
    assert kept == sorted(
        ["again-val.png", *(f.name for f in source.rglob("*.png") if "again" not in f.name and f != first)]
    )
    assert (
        f"train/images/{first.name},,copy,a copy of again-val.png,sheet left out"
        in (tmp_path / "new/report.csv").read_text()
    )
    assert check(project, tmp_path / "new").returncode == 0


def test_errors_come_first_and_few_of_a_kind():
    def one(severity, code, line):
        return Defect(severity, code, Path("a.txt"), line, "x", "y", "Mend.")

    findings = [
        one("note", "n", 1),
        one("note", "n", 2),
        *(one("warning", "w", i) for i in range(5)),
        one("error", "e", 9),
    ]
    lines = finding_lines(findings)
    assert [line for line in lines if not line.startswith(" ")] == ["error e (1)", "warning w (5)", "note n (2)"]
    assert lines[1] == "  a.txt:9: expected x, found y. Mend."
    assert lines[3:7] == [*(f"  a.txt:{i}: expected x, found y. Mend." for i in range(3)), "  and 2 more"]
    assert lines[-1] == "  and 1 more"
    assert len(finding_lines(findings, every=True)) == 3 + 8
    assert summary(findings) == "1 error, 5 warnings, 2 notes"
    assert (finding_lines(findings * 2), summary(findings * 2)) == (lines, summary(findings))


def test_a_note_of_all_sheets_is_one_line():
    grey = [Defect("note", "grey", Path(f"{i}.png"), None, "colours", "grey values", "Fine.") for i in range(140)]
    line = "note grey: on all 140 sheets: expected colours, found grey values. Fine."
    for every in (False, True):
        assert finding_lines(grey, every=every, sheets=140) == [line]
        assert finding_lines(grey, every=every, sheets=141)[0] == "note grey (140)"
    assert summary(grey, sheets=140) == "0 errors, 0 warnings, 1 note"
    assert summary(grey, sheets=141) == "0 errors, 0 warnings, 140 notes"
    assert finding_lines(grey[:1], sheets=1)[0] == "note grey (1)"
    warned = [one._replace(severity="warning") for one in grey]
    assert finding_lines(warned, sheets=140)[0] == "warning grey (140)"  # each may be mended


def test_a_name_that_is_no_utf_8_is_one_line_and_the_copy_has_another(project, tmp_path):
    """Two that come to the same name, a label without an image, and a folder: all are printed, and none in the copy."""
    source = s.yolo(tmp_path / "SET").rename(tmp_path / "S\udcffT")
    for stem, old in (("pl\udcfcn", "train_1"), ("pl\udcf6n", "train_2")):
        s.moved(f"images/train/{old}.jpg", f"images/train/{stem}.jpg")(source)
        s.moved(f"labels/train/{old}.txt", f"labels/train/{stem}.txt")(source)
    s.put(source / "labels/train/\udce4.txt", "")
    (source / "images/train/\udce4").mkdir()
    done = check(project, source)
    assert (done.returncode, done.stderr) == (2, "")
    assert done.stdout.count("expected a name in UTF-8, without line breaks and the like, found 'pl\\x") == 2
    with pytest.raises(UserError, match=r"^[!-~ ]*S\\xffT/images/train/pl\\xf6n.jpg: expected a name in UTF-8"):
        read_sheets(source, ImportOptions())

    done = check(project, source, "--fix", tmp_path / "new")
    assert (done.returncode, done.stderr) == (0, "")
    assert sorted(file.name for file in (tmp_path / "new/images/train").iterdir()) == [
        *("pl_n-2.jpg", "pl_n.jpg", "train_0.jpg")
    ]
    assert r"images/train/pl\xfcn.jpg,,unprintable-name,a name that is no line of UTF-8,renamed to pl_n-2" in (
        tmp_path / "new/report.csv"
    ).read_text(encoding="utf-8")
    assert check(project, tmp_path / "new").returncode == 0


def test_of_annotations_beside_a_yolo_folder_one_is_read(tmp_path, monkeypatch):
    folder = write_yolo_folder(tmp_path / "source", {"train": 2, "val": 1}, seed=0)
    for number in range(9):
        (folder / f"{number}.xml").write_text("<annotation><filename>a.png</filename></annotation>")
    read = []
    parse = voc_reader.parse_xml
    monkeypatch.setattr(voc_reader, "parse_xml", lambda data: read.append(data) or parse(data))
    assert [one.code for one in read_dataset(folder).findings] == ["other-format"]
    assert len(read) == 1


def test_threads_are_settled_before_anything_is_loaded_that_starts_them():
    """The number of threads is read once, when NumPy and OpenCV are loaded."""
    code = "import sys, stages.loop, stages.intake.data_app; print({'numpy', 'cv2'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], cwd=REPO, capture_output=True, text=True, check=True)
    assert done.stdout == "set()\n"


def test_a_person_says_how_many_threads(monkeypatch):
    for name in ("OPENBLAS_NUM_THREADS", "OPENCV_FOR_THREADS_NUM"):
        monkeypatch.setenv(name, "")  # put back afterwards
        monkeypatch.delenv(name)
    monkeypatch.setenv("OMP_NUM_THREADS", "7")
    data_app._in_one_thread()
    assert [os.environ[name] for name in data_app.THREADS] == ["7", "1", "1"]
