"""A folder of pictures becomes a project: val waits for its labels, train is empty, and iteration 0 is zero-shot."""

import shutil
from pathlib import Path

import cv2
import pytest
import yaml

from stages.base.errors import UserError
from stages.dataset.sheets.manifest import read_manifest
from stages.firewall.roles import ROLES
from stages.formats.bare_folder import read_bare
from stages.intake.dataset_import import import_data
from stages.intake.import_source import ImportOptions, class_list, read_sheets
from stages.iteration.status import status_lines
from tests.fake_project import init, person_params, picture, sh

CLASSES = ("detail", "door")
OPTIONS = ImportOptions(classes=CLASSES, target="yoloe-26n.yaml")


def pictures(folder: Path, names: list[str]) -> Path:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        assert cv2.imwrite(str(folder / name), picture(Path(name).stem))
    return folder


@pytest.fixture
def flat(tmp_path: Path) -> Path:
    return pictures(tmp_path / "sheets", [f"s{i}.png" for i in range(10)])


@pytest.fixture
def fresh(clean_env: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A clone of the project in which nothing is imported; the current folder."""
    root = tmp_path / "fresh"
    init(root)
    (root / "params.yaml").write_text(person_params())
    (root / "data").mkdir()
    (root / "data/prompts.yaml").write_text("prompts: {detail: a ring}\n")
    (root / "dvc.yaml").write_text("stages: {}\n")
    sh(root, "git", "add", ".")
    sh(root, "git", "commit", "-qm", "start")
    monkeypatch.chdir(root)
    return root


@pytest.mark.slow
def test_pictures_become_a_project_that_waits_for_labels_of_val(fresh, flat):
    said = import_data(Path(), flat, OPTIONS)
    lists = {role: read_manifest(fresh / "data/dataset" / role / "manifest.csv") for role in ROLES}
    assert {role: len(rows) for role, rows in lists.items()} == {"train": 0, "val": 2, "test": 0, "pool": 8}
    assert {row.label_source for rows in lists.values() for row in rows} == {"none"}
    assert not list((fresh / "data/dataset").rglob("*.txt"))
    assert sh(fresh, "git", "tag").split() == ["dataset-unlabelled"]
    assert sh(fresh, "git", "log", "-1", "--format=%s").strip() == "Import sheets: 0 train, 2 val, 0 test, 8 pool"
    values = yaml.safe_load((fresh / "params.yaml").read_text())
    assert (values["train"]["baseline"], values["classes"]) == ("zero-shot", list(CLASSES))
    assert (fresh / "models/parent.pt").read_bytes() == (fresh / "models/target.pt").read_bytes()
    text = "\n".join(said.lines)
    assert "no sheet is labelled: 2 were drawn for val, which wait for labels; the pool holds 8" in text
    assert said.lines[-1].endswith("yoloop review open --split val")
    assert "train has no box" not in text
    state, following = status_lines(fresh)[-2:]
    assert state == "state    iteration 0: val is not labelled: 2 of 2 sheets"
    assert following == "next     yoloop review open --split val"
    with pytest.raises(UserError, match="dataset-unlabelled"):
        import_data(Path(), flat, OPTIONS)


@pytest.mark.parametrize(
    ("prepare", "says"),
    [
        (lambda folder: (folder / "s3.txt").write_text("0 0.5 0.5 0.1 0.1\n"), "s3.txt: expected pictures without"),
        (
            lambda folder: (folder / "a.json").write_text('{"images": [], "annotations": [], "categories": []}'),
            "a.json",
        ),
        (lambda folder: (folder / "s1.xml").write_text("<annotation><object/></annotation>"), "s1.xml: expected"),
        (
            lambda folder: (folder / "data.yaml").write_text("names: [a]\ntrain: .\n"),
            r"--classes \(detail, door\), found a",
        ),
        (lambda folder: shutil.copy(folder / "s3.png", folder / "s3.jpg"), "a name that no other image has"),
        (lambda folder: [file.unlink() for file in folder.glob("*.png")], "expected pictures, found none"),
        (shutil.rmtree, "expected a folder of pictures"),
        (lambda folder: [file.unlink() for file in folder.glob("s[1-9].png")], "no image is left"),
    ],
)
def test_what_is_no_folder_of_pictures_is_one_line(flat, prepare, says):
    prepare(flat)
    with pytest.raises(UserError, match=says) as refused:
        read_sheets(flat, OPTIONS)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"oracle": True}, "expected labels to hold back, found none"),
        ({"pool": "0.5"}, "found a share for the pool"),
        ({"val": "0.9", "test": "0.2"}, "expected shares of less than 1 together"),
        ({"val": "0.99", "test": "0.001"}, "expected sheets for val, and some that are left for the pool"),
        ({"classes": None}, "--classes NAMES"),
    ],
)
def test_options_that_do_not_fit_are_one_line(flat, changes, says):
    with pytest.raises(UserError, match=says):
        read_sheets(flat, OPTIONS._replace(**changes))


@pytest.mark.parametrize("text", ["", "detail,", "detail,detail", " , "])
def test_names_of_classes_that_are_none(text):
    with pytest.raises(UserError, match="--classes: expected names of classes"):
        class_list(text)


def test_names_of_classes():
    assert class_list("detail, door tag") == ("detail", "door tag")


def test_folders_in_folders_are_read(tmp_path):
    folder = pictures(tmp_path / "sets", ["a/one.png", "a/deep/two.png", "b/three.png", ".hidden/._four.png"])
    assert [sheet.item.image.name for sheet in read_bare(folder, CLASSES).sheets] == ["two.png", "one.png", "three.png"]


def test_a_yolo_folder_with_a_pool_alone_needs_no_other_word(tmp_path):
    folder = pictures(tmp_path / "yolo", [f"images/pool/s{i}.png" for i in range(5)])
    (folder / "data.yaml").write_text("names: [detail, door]\n")
    for options in (ImportOptions(), OPTIONS):
        read = read_sheets(folder, options)
        assert read.bare
        assert [len(read.assignment.roles[role]) for role in ROLES] == [0, 1, 0, 4]


def test_copies_of_a_sheet_share_its_role(tmp_path):
    folder = pictures(tmp_path / "sheets", [f"s{i}.png" for i in range(6)])
    for i in range(6):
        shutil.copy(folder / f"s{i}.png", folder / f"copy{i}.png")
    roles = read_sheets(folder, OPTIONS).assignment.roles
    assert {name.removeprefix("copy") for name in roles["val"]}.isdisjoint(
        {name.removeprefix("s") for name in roles["pool"]}
    )
    assert len(roles["val"]) == 2


def test_a_check_reads_pictures_alone(fresh, flat):
    from stages.intake.dataset_check import check_data

    (fresh / "params.yaml").write_text(person_params())
    checked = check_data(Path(), flat, classes=CLASSES)
    assert not checked.refused
    assert checked.lines[0].endswith("folder of pictures without labels, 10 images (pool 10), 0 boxes of detail, door")
    assert not any("no-label-file" in line or "no-val" in line for line in checked.lines)
