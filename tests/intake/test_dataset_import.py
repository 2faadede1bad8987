"""`yoloop data import` takes YOLO folders as people have them, or says in one line why not."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest
import yaml

from stages.base.errors import UserError
from stages.dataset.defects import refuse
from stages.dataset.sheets.manifest import read_manifest
from stages.dataset.sheets.split_folder import require_as_listed
from stages.firewall.roles import ROLES, Assignment
from stages.formats.geometry import place
from stages.formats.source_sheets import SheetLabels
from stages.formats.yolo_folder import Item, read_source
from stages.formats.yolo_reader import sheet_labels, yolo_sheet
from stages.intake.dataset_import import import_data
from stages.intake.import_report import table
from stages.intake.import_source import ImportOptions
from stages.project.yaml_edits import flat
from tests.fake_project import REPO, init, person_params, picture, sh

CLASSES = ("detail", "elevation", "title")
NEW_CLASSES = "names: {0: detail, 1: door}\n"


def write_image(file: Path) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    assert cv2.imwrite(str(file), picture(file.stem))  # no two sheets alike


def write_label(file: Path, text: str) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)


def write_source(
    folder: Path, *, layout: str = "kind first", names: str = "names: [detail, elevation, title]\n"
) -> Path:
    """Write 4 train, 2 val and 1 test sheets; sheet i of train has i boxes, train_0 has no label file."""
    for split, count in (("train", 4), ("val", 2), ("test", 1)):
        for i in range(count):
            image, label = places(folder, layout, split, f"{split}_{i}")
            write_image(image)
            if (split, i) != ("train", 0):
                write_label(label, "1 0.5 0.5 0.2 0.2\n" * i)
    (folder / "data.yaml").write_text(names)
    return folder


def places(folder: Path, layout: str, split: str, stem: str) -> tuple[Path, Path]:
    if layout == "kind first":
        return folder / "images" / split / f"{stem}.png", folder / "labels" / split / f"{stem}.txt"
    split = "valid" if split == "val" else split
    return folder / split / "images" / f"{stem}.png", folder / split / "labels" / f"{stem}.txt"


@pytest.fixture
def fresh(clean_env: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A clone of the project in which nothing is imported; the current folder."""
    root = tmp_path / "fresh"
    init(root)
    for name in ("params.yaml", "data/prompts.yaml", "dvc.yaml"):
        (root / name).parent.mkdir(exist_ok=True)
        shutil.copy(REPO / name, root / name)
    for name in ("dvc.lock", "metrics/old.json", "plots/old.csv", "metrics/reports/iteration_00.json"):
        write_label(root / name, "schema: '2.0'\nstages: {}\n" if name == "dvc.lock" else "{}\n")
    sh(root, "git", "add", ".")
    sh(root, "git", "commit", "-qm", "start")
    monkeypatch.chdir(root)
    return root


@pytest.mark.parametrize("layout", ["kind first", "split first"])
def test_both_layouts_hold_the_same(tmp_path, layout):
    source = read_source(write_source(tmp_path, layout=layout))
    assert source.classes == CLASSES
    assert {split: sorted(items) for split, items in source.splits.items()} == {
        "train": ["train_0.png", "train_1.png", "train_2.png", "train_3.png"],
        "val": ["val_0.png", "val_1.png"],
        "test": ["test_0.png"],
    }
    assert source.splits["val"]["val_1.png"].label.is_file()


def test_a_folder_without_splits_is_train(tmp_path):
    write_image(tmp_path / "images/a.png")
    write_label(tmp_path / "labels/a.txt", "0 0.5 0.5 0.1 0.1\n")
    write_label(tmp_path / "labels/ghost.txt", "")
    (tmp_path / "data.yaml").write_text("names: {1: b, 0: a}\n")
    source = read_source(tmp_path)
    assert source.classes == ("a", "b")
    assert source.splits["train"]["a.png"].label == tmp_path / "labels/a.txt"
    assert source.strangers == (tmp_path / "labels/ghost.txt",)


def labels_of(folder: Path) -> SheetLabels:
    """Return the labels in a.txt of `folder`; an error of a row is raised."""
    sheet = yolo_sheet("", Item(folder / "a.png", folder / "a.txt"), CLASSES)
    placed = place(sheet, None)
    refuse([*sheet.findings, *placed.findings])
    return sheet_labels(sheet, placed)


def test_a_polygon_becomes_the_box_around_it(tmp_path):
    write_label(tmp_path / "a.txt", "2 0.1 0.2 0.5 0.2 0.3 0.6\n\n1 0.5 0.5 0.2 0.2\n")
    found = labels_of(tmp_path)
    assert found.text == "2 0.300000 0.400000 0.400000 0.400000\n1 0.5 0.5 0.2 0.2\n"
    assert found.polygons == 1
    np.testing.assert_allclose(found.boxes.xywhn, [[0.3, 0.4, 0.4, 0.4], [0.5, 0.5, 0.2, 0.2]])


@pytest.mark.parametrize(
    ("rows", "where", "found"),
    [
        ("0 0.5 0.5 0.1 0.1\n3 0.5 0.5 0.1 0.1\n", "a.txt:2", "class 3"),
        ("\n0 0.5 0.5 0.1\n", "a.txt:2", "0 0.5 0.5 0.1"),
        ("0 0.5 0.5 0.1 0.1 0.9\n", "a.txt:1", "0.9"),
        ("0 512 300 40 40\n", "a.txt:1", "512"),
        ("0 0.5 0.5 0 0.1\n", "a.txt:1", "0.5 0.5 0 0.1"),
        ("0 a b c d e f\n", "a.txt:1", "a b c"),
    ],
)
def test_a_bad_row_is_named(tmp_path, rows, where, found):
    write_label(tmp_path / "a.txt", rows)
    with pytest.raises(UserError, match=re.escape(where)) as error:
        labels_of(tmp_path)
    assert found in str(error.value)


def test_the_table_counts_by_hand(tmp_path):
    write_label(tmp_path / "a.txt", "0 0.5 0.5 0.1 0.1\n2 0.5 0.5 0.1 0.1\n2 0.1 0.1 0.1 0.1\n")
    labels = {"a.png": labels_of(tmp_path)}
    roles = {"train": ("a.png",), "val": (), "test": (), "pool": ()}
    rows = [line.split() for line in table(CLASSES, Assignment(roles, {}), labels)]
    assert rows == [
        ["train", "val", "test", "pool"],
        ["sheets", "1", "0", "0", "0"],
        ["boxes", "3", "0", "0", "0"],
        ["detail", "1", "0", "0", "0"],
        ["elevation", "0", "0", "0", "0"],
        ["title", "2", "0", "0", "0"],
    ]


def no_val(source: Path) -> None:
    shutil.rmtree(source / "images/val")


def second_stem(source: Path) -> None:
    write_image(source / "images/test/train_1.jpg")


def truncated(source: Path) -> None:
    file = source / "images/train/big.jpg"
    rng = np.random.default_rng(0)
    assert cv2.imwrite(str(file), rng.integers(0, 255, (200, 200, 3), dtype=np.uint8))
    file.write_bytes(file.read_bytes()[:-5000])


def no_names(source: Path) -> None:
    (source / "data.yaml").unlink()


def twice_named(source: Path) -> None:
    (source / "data.yaml").write_text("names: [a, a, b]\n")


def both_valid(source: Path) -> None:
    write_image(source / "images/valid/z.png")


def other_class(source: Path) -> None:
    (source / "data.yaml").write_text("names: [detail]\n")


def fine(source: Path) -> None:
    pass


BAD = [
    (no_val, {}, "--val 0.2"),
    (second_stem, {}, "train_1.png"),
    (truncated, {}, "big.jpg"),
    (no_names, {}, "data.yaml"),
    (twice_named, {}, "data.yaml"),
    (both_valid, {}, "a second 'val'"),
    (other_class, {}, "train_1.txt:1"),
    (fine, {"val": "1.5"}, "--val 1.5"),
    (fine, {"pool": "nowhere"}, "--pool nowhere"),
    (fine, {"val": "train"}, "no image is left in train"),
    (fine, {"oracle": True}, "--pool 0.5"),
    (fine, {"pool": "0.25", "baseline": "nowhere/x.pt"}, "nowhere/x.pt"),
]


@pytest.mark.parametrize(("spoil", "options", "says"), BAD, ids=[f"{s.__name__} {o}" for s, o, _ in BAD])
def test_bad_input_is_one_line_and_changes_nothing(fresh, tmp_path, spoil, options, says):
    source = write_source(tmp_path / "source")
    spoil(source)
    with pytest.raises(UserError) as error:
        import_data(Path(), source, ImportOptions(**options))
    assert says in str(error.value)
    assert "\n" not in str(error.value)
    assert sh(fresh, "git", "status", "--porcelain", "-uall") == ""
    assert not (fresh / "data/dataset").exists()


def test_no_source(fresh, tmp_path):
    with pytest.raises(UserError, match="expected a YOLO folder, found no folder"):
        import_data(Path(), tmp_path / "nowhere", ImportOptions())


@pytest.mark.parametrize(
    ("prepare", "says"),
    [
        (lambda root: sh(root, "git", "tag", "iteration-0"), "iteration-0"),
        (lambda root: (root / "params.yaml").write_text("iteration: 0\n"), "params.yaml: expected no uncommitted"),
        (lambda root: write_label(root / "data/dataset/mine.txt", ""), "files of yours"),
        (lambda root: shutil.rmtree(root / ".dvc"), "dvc init"),
        (lambda root: shutil.rmtree(root / ".git"), "git init"),
    ],
)
def test_a_project_that_is_not_fresh_is_refused(fresh, tmp_path, prepare, says):
    prepare(fresh)
    with pytest.raises(UserError, match=says):
        import_data(Path(), write_source(tmp_path / "source"), ImportOptions())


def weights(folder: Path) -> Path:
    """Write a YOLO-26 checkpoint with random weights, in a process of its own, which keeps torch out of this one."""
    folder.mkdir()
    code = "from ultralytics import YOLO; YOLO('yolo26n.yaml').save('base.pt')"
    subprocess.run([sys.executable, "-c", code], cwd=folder, check=True, capture_output=True)
    return folder / "base.pt"


@pytest.mark.slow
def test_an_import_becomes_one_commit(fresh, tmp_path):
    source = write_source(tmp_path / "source", names=NEW_CLASSES)
    before = {file: file.read_bytes() for file in source.rglob("*") if file.is_file()}
    (tmp_path / "list.txt").write_text("train_1.png\nimages/train/train_2.png\n")
    options = ImportOptions(
        pool=str(tmp_path / "list.txt"),
        oracle=True,
        baseline=str(weights(tmp_path / "weights")),
        target="yoloe-26n.yaml",
    )
    said = "\n".join(import_data(Path(), source, options).lines)

    assert {file: file.read_bytes() for file in source.rglob("*") if file.is_file()} == before
    assert sh(fresh, "git", "status", "--porcelain", "-uall") == ""
    assert sh(fresh, "git", "tag").split() == ["dataset-v0"]
    listed = sh(fresh, "git", "ls-files").split()
    assert not {"dvc.lock", "metrics/old.json", "plots/old.csv", "metrics/reports/iteration_00.json"} & set(listed)
    assert {"data/dataset.dvc", "data/oracle.dvc", "models/parent.pt.dvc", "models/target.pt.dvc"} <= set(listed)
    data = fresh / "data/dataset"
    assert {
        split: sorted(file.name for file in (data / split / "images").glob("*")) for split in ("train", "pool")
    } == {
        "train": ["train_0.png", "train_3.png"],
        "pool": ["train_1.png", "train_2.png"],
    }
    assert (data / "train/labels/train_0.txt").read_text() == ""  # no label file: empty, and said so
    assert not (data / "pool/labels").exists()
    assert (fresh / "data/oracle/labels/train_2.txt").read_text() == "1 0.5 0.5 0.2 0.2\n"  # it had the row twice
    assert "warning duplicate-row (3): " in said
    listed = [row[:3] for row in read_manifest(data / "pool/manifest.csv")]
    assert listed == [("train_1.png", 0, "none"), ("train_2.png", 0, "none")]
    for split in ROLES:
        require_as_listed(data / split)
    assert yaml.safe_load((data / "data.yaml").read_text()) == {"names": ["detail", "door"]}
    assert (fresh / "metrics/history.csv").read_text().startswith("iteration,f1,")

    prompts = yaml.safe_load((fresh / "data/prompts.yaml").read_text())["prompts"]
    old = yaml.safe_load((REPO / "data/prompts.yaml").read_text())["prompts"]
    assert prompts == {"detail": old["detail"], "door": "door"}
    assert "train: 1 images without a label file" in said
    assert "dropped, since the class is gone: elevation, title" in said
    assert "held back in data/oracle" in said
    params = yaml.safe_load((fresh / "params.yaml").read_text())
    assert params["classes"] == ["detail", "door"]
    fitting = {"classes": ["detail", "door"], "train.encoder": "wordllama"}  # what an architecture can be told with
    assert flat(params) == {**flat(yaml.safe_load(person_params())), **fitting}
    with pytest.raises(UserError, match=r"found an import \(dataset-v0\)\. .* add --again"):
        import_data(Path(), source, options)
    assert_starts_over(fresh, source, options._replace(oracle=False, pool="0.25"))


def assert_cuts_the_pool(root: Path, source: Path, options: ImportOptions) -> None:
    """Once more, with a large sheet in the pool, whose windows are sheets of one group."""
    large = cv2.resize(picture("large"), (160, 64), interpolation=cv2.INTER_NEAREST)
    assert cv2.imwrite(str(source / "images/train/train_2.png"), large)
    (root / "one.txt").write_text("train_2.png\n")
    cutting = options._replace(pool=str(root / "one.txt"), oracle=True, pool_windows=64)
    said = import_data(Path(), source, cutting, again=True).lines
    (root / "one.txt").unlink()
    assert "1 sheet of the pool became 3 windows of about 64 px, each of which is reviewed by itself; " in "\n".join(
        said
    )
    listed = read_manifest(root / "data/dataset/pool/manifest.csv")
    names = [f"train_2__{x}_0_{x + 70}_64.png" for x in (0, 45, 90)]
    assert {(row.image_id, row.group) for row in listed} == {(name, "train_2") for name in names}
    assert len(list((root / "data/oracle/labels").iterdir())) == 3
    assert yaml.safe_load((root / "params.yaml").read_text())["tile"] == 64
    assert sh(root, "git", "status", "--porcelain", "-uall") == ""


def assert_starts_over(root: Path, source: Path, options: ImportOptions) -> None:
    """With --again another import takes the place of the first; a person's values stay, and nothing is lost."""
    first = sh(root, "git", "rev-parse", "dataset-v0").strip()
    params = (root / "params.yaml").read_text()
    (root / "params.yaml").write_text(params.replace("seed: 0", "seed: 7"))
    (root / "data/review_val").mkdir()
    with pytest.raises(UserError, match=r"expected no review yet, .*yoloop review reset"):
        import_data(Path(), source, options, again=True)
    (root / "data/review_val").rmdir()

    said = import_data(Path(), source, options, again=True).lines
    assert f"the import of before is replaced; it stays in the history as {first[:10]}" in said
    assert [line for line in said if "what you have edited is committed with the import" in line and "0 -> 7" in line]
    assert sh(root, "git", "tag", "--points-at", "HEAD").split() == ["dataset-v0"]
    assert sh(root, "git", "merge-base", "--is-ancestor", first, "HEAD") == ""
    assert sh(root, "git", "status", "--porcelain", "-uall") == ""
    assert not (root / "data/oracle").exists()
    assert len(list((root / "data/dataset/pool/images").iterdir())) == 1
    assert "seed: 7" in (root / "params.yaml").read_text()
    assert_cuts_the_pool(root, source, options)

    def finishes_meanwhile(progress: str) -> None:
        if progress.startswith("copying"):
            sh(root, "git", "tag", "iteration-0")

    before = sh(root, "git", "rev-parse", "HEAD", "dataset-v0")
    with pytest.raises(UserError, match="expected a project that has not begun, found iteration-0"):
        import_data(Path(), source, options, again=True, say=finishes_meanwhile)
    assert sh(root, "git", "rev-parse", "HEAD", "dataset-v0") == before
    with pytest.raises(UserError, match="expected a project that has not begun, found iteration-0"):
        import_data(Path(), source, options, again=True)
