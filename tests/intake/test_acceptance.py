"""A change of the dataset by hand becomes official by `yoloop data accept` alone, and never lets val into train."""

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import cv2
import pytest

from stages.base.errors import UserError
from stages.dataset.sheets.manifest import MANIFEST, read_manifest, write_manifest
from stages.dataset.sheets.split_folder import require_as_listed
from stages.intake.acceptance import accept
from stages.intake.dataset_check import check_data
from stages.iteration.advance import advance
from stages.iteration.status import status_lines
from stages.project.repository.transaction import recover
from tests.fake_project import REPO, dvc, picture, sh
from tests.iteration.test_advance import assert_cache_whole, snapshot
from tests.killing import run_killed

pytestmark = pytest.mark.slow

DATA = Path("data/dataset")
SPLITS = ("train", "val", "test", "pool")


@pytest.fixture
def reading(project: Callable[[], Path]) -> Path:
    """A project whose iteration 0 has run, and whose stages read their splits as the real ones do."""
    root = project()
    script = root / "fake_stages.py"
    text = script.read_text().replace(
        'return sorted(file.name for file in Path("data/dataset", split, "images").glob("*"))',
        "return sorted(sheet.image_id for sheet in read_split(split))",
    )
    text = text.replace("import yaml\n", "import yaml\n\nfrom stages.base.command import exit_cleanly\n", 1)
    text = text.replace(
        "import exit_cleanly\n", "import exit_cleanly\nfrom stages.dataset.sheets.split_folder import read_split\n", 1
    )
    script.write_text(text.replace("globals()[sys.argv[1]]()", "exit_cleanly(globals()[sys.argv[1]])"))
    sh(root, "git", "commit", "-qam", "Read as the real stages do")
    return root


def repro(root: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "dvc", "repro"]
    env = {**os.environ, "PYTHONPATH": str(REPO)}
    return subprocess.run(command, cwd=root, capture_output=True, text=True, check=False, env=env)


def plant(root: Path, split: str, name: str, *, of: str = "v1", quality: int = 30) -> Path:
    """Write a re-encoded copy of the sheet `of` into `split` under another name."""
    file = root / DATA / split / "images" / name
    assert cv2.imwrite(str(file), picture(of), [cv2.IMWRITE_JPEG_QUALITY, quality])
    return file


@pytest.mark.parametrize("split", ["train", "pool"])
def test_a_copy_of_a_val_sheet_gets_in_by_no_way(reading: Path, split: str) -> None:
    root = reading
    file = plant(root, split, "harmless.jpg")
    (root / DATA / split / "labels/harmless.txt").write_text("0 0.5 0.5 0.2 0.2\n")
    done = repro(root)
    assert done.returncode != 0
    line = next(line for line in done.stderr.splitlines() if line.startswith("error: "))
    assert line.startswith(f"error: {DATA / split / 'images/harmless.jpg'}: expected a sheet that ")
    before = snapshot(root)
    with pytest.raises(UserError) as caught:
        accept(root)
    assert str(caught.value).startswith(f"{root / DATA / 'val/images/v1.jpg'}: expected no sheet of val in {split}")
    assert f"found {file}, a copy of it" in str(caught.value)
    assert "\n" not in str(caught.value)
    assert snapshot(root) == before
    dvc(root, "add", "-q", str(DATA))  # past yoloop: DVC takes it, the stages still do not
    assert repro(root).returncode != 0


def test_a_label_by_hand_is_refused_then_accepted_then_used(reading: Path) -> None:
    root = reading
    label = root / DATA / "train/labels/t1.txt"
    label.write_text("0 0.5 0.5 0.25 0.25\n")
    done = repro(root)
    assert done.returncode != 0
    assert f"error: {DATA}/train/labels/t1.txt: expected the content that" in done.stderr
    assert "or make it official: yoloop data accept" in done.stderr
    said = accept(root)
    assert said == [
        "train: 1 with other labels (t1.jpg)",
        "Next: `yoloop run`, or `dvc repro` and then `yoloop finish`.",
    ]
    assert label.read_text() == "0 0.5 0.5 0.25 0.25\n"
    assert sh(root, "git", "show", "--stat", "--format=%s").split("\n")[0].endswith("by hand: train +0 -0 ~1")
    assert "up to date" in dvc(root, "status", "data/dataset.dvc")
    done = repro(root)
    assert done.returncode == 0, done.stderr
    assert_cache_whole(root)
    assert accept(root) == ["Nothing to accept: the dataset is as its manifests list it."]


def test_sheets_come_go_and_move_and_a_change_of_the_ruler_is_said(reading: Path) -> None:
    root = reading
    data = root / DATA
    plant(root, "train", "new.jpg", of="a new one")
    (data / "train/labels/new.txt").write_text("1 0.5 0.5 0.2 0.2\n")
    (data / "pool/images/p3.jpg").unlink()
    for kind, name in (("images", "p4.jpg"), ("labels", "p4.txt")):
        (data / "pool" / kind / name).rename(data / "val" / kind / name)
    (data / "train/labels.cache").write_text("of Ultralytics")
    said = accept(root)
    assert said[:3] == [
        "train: 1 added (new.jpg)",
        "val: 1 added (p4.jpg)",
        "pool: 2 removed (p3.jpg, p4.jpg)",
    ]
    assert said[3].startswith("val has changed, and with it the ruler")
    assert next(row[:3] for row in read_manifest(data / "val" / MANIFEST)) == ("p4.jpg", 0, "import")
    assert ("new.jpg", 0, "import") in [row[:3] for row in read_manifest(data / "train" / MANIFEST)]
    for split in SPLITS:
        require_as_listed(data / split)
    sh(root, "git", "checkout", "-q", "HEAD~1")
    dvc(root, "checkout", "-q")
    assert (data / "pool/images/p3.jpg").is_file()  # nothing is lost: the old version is one checkout away


def test_a_group_belongs_to_one_side(reading: Path) -> None:
    root = reading
    (root / "groups.csv").write_text("image,group\nt1,tower\nv2.jpg,tower\np1.jpg,bridge\n")
    before = snapshot(root)
    with pytest.raises(UserError, match=r"v2\.jpg: expected no sheet of val in train, found .*t1\.jpg, of the group"):
        accept(root, groups=root / "groups.csv")
    assert snapshot(root) == before
    accept(root, group_pattern="^(p|t)")
    rows = {row.image_id: row.group for split in SPLITS for row in read_manifest(root / DATA / split / MANIFEST)}
    assert (rows["p1.jpg"], rows["t1.jpg"], rows["v1.jpg"]) == ("p", "t", "")


def deeper(root: Path) -> None:
    """Put a new sheet into a folder of its own, where no stage looks."""
    (root / DATA / "train/images/more").mkdir()
    assert cv2.imwrite(str(root / DATA / "train/images/more/new.jpg"), picture("new"))


def write(name: str, text: str) -> Callable[[Path], object]:
    return lambda root: (root / DATA / name).write_text(text)


@pytest.mark.parametrize(
    ("spoil", "where"),
    [
        (write("train/labels/t1.txt", "0 0.5 0.5\n"), "train/labels/t1.txt:1"),
        (write("train/labels/t1.txt", "7 0.5 0.5 0.1 0.1\n"), "train/labels/t1.txt:1"),
        (write("train/images/t1.jpg", ""), "train/images/t1.jpg"),
        (write("data.yaml", "names: [title, detail, elevation]\n"), "data.yaml"),
        (write("val/labels/nobody.txt", ""), "val/labels/nobody.txt"),
        (write("pool/manifest.csv", "nonsense\n"), "pool/manifest.csv"),
        (deeper, "train/images/more/new.jpg"),
        (lambda root: (root / DATA / "train/images/more").symlink_to("../../val/images"), "train/images/more"),
        (lambda root: (root / DATA / "val/manifest.csv").unlink(), "val/manifest.csv"),
        *((lambda root, split=split: shutil.rmtree(root / DATA / split), split) for split in SPLITS),
    ],
)
def test_what_no_import_would_take_is_refused_and_stays(reading: Path, spoil, where: str) -> None:
    spoil(reading)
    before = snapshot(reading)
    with pytest.raises(UserError) as caught:
        accept(reading)
    assert str(caught.value).startswith(f"{reading / DATA / where}: expected ")
    assert "\n" not in str(caught.value)
    assert snapshot(reading) == before


def test_a_list_from_before_contents_and_one_written_by_hand_are_mended(reading: Path) -> None:
    root = reading
    (root / DATA / "train" / MANIFEST).write_text("image_id,added_iteration,label_source\nt1.jpg,0,oracle\n")
    rows = read_manifest(root / DATA / "pool" / MANIFEST)
    write_manifest([row._replace(label_sha256="0" * 64) for row in rows], root / DATA / "pool" / MANIFEST)
    accept(root)
    found = [row[:3] for row in read_manifest(root / DATA / "train" / MANIFEST)]
    assert found == [("t1.jpg", 0, "oracle"), ("t2.jpg", 0, "import"), ("t3.jpg", 0, "import")]
    for split in SPLITS:
        require_as_listed(root / DATA / split)


def test_no_copy_of_a_val_sheet_leaves_the_pool(finished: Callable[[], Path]) -> None:
    """A pool that was made before there was a firewall: its list names the copy, and the packet holds it."""
    root = finished()
    data = root / DATA
    shutil.copy(plant(root, "pool", "p1.jpg", of="x1", quality=50), root / "kept.jpg")
    rows = read_manifest(data / "pool" / MANIFEST)
    digest = sh(root, "sha256sum", str(data / "pool/images/p1.jpg")).split()[0]
    write_manifest(
        [row._replace(image_sha256=digest) if row.image_id == "p1.jpg" else row for row in rows],
        data / "pool" / MANIFEST,
    )
    dvc(root, "add", "-q", str(DATA))
    dvc(root, "repro", "-q")
    sh(root, "git", "commit", "-qam", "As it was")
    sh(root, "git", "tag", "-f", "iteration-0")
    before = snapshot(root)
    with pytest.raises(UserError, match=r"pool/images/p1\.jpg: expected no sheet of val or test.*a copy of .*x1\.jpg"):
        advance(root, reviewer="oracle")
    assert snapshot(root) == before


def test_a_kill_after_any_dvc_call_leaves_old_or_new(reading: Path, tmp_path: Path) -> None:
    fakes = tmp_path / "fakes"
    script = (
        "import sys; from pathlib import Path; from stages.intake.acceptance import accept; accept(Path(sys.argv[1]))"
    )
    (reading / DATA / "train/labels/t1.txt").write_text("0 0.5 0.5 0.25 0.25\n")
    head = sh(reading, "git", "rev-parse", "HEAD")
    seen = []
    for at in range(1, 9):
        root = Path(shutil.copytree(reading, tmp_path / f"run{at}", symlinks=True))
        ended = run_killed(script, str(root), fakes=fakes, at=at)
        if ended == 0:
            break
        assert ended == -signal.SIGKILL
        recover(root)
        new = sh(root, "git", "rev-parse", "HEAD") != head
        seen.append(new)
        assert (root / DATA / "train/labels/t1.txt").read_text() == "0 0.5 0.5 0.25 0.25\n"  # the person's work
        assert not (root / "data/.advance").exists()
        if new:
            require_as_listed(root / DATA / "train")
            assert "up to date" in dvc(root, "status", "data/dataset.dvc")
    assert seen == [False, False, True]  # twice add, checkout


def test_a_finished_iteration_keeps_its_dataset_until_advance(finished: Callable[[], Path]) -> None:
    """With another dataset nobody could advance from its results, and the packet out for review would be another."""
    root = finished()
    (root / DATA / "train/labels/t1.txt").write_text("0 0.5 0.5 0.25 0.25\n")
    before = snapshot(root)
    with pytest.raises(UserError, match=r"iteration 0: expected one that is not finished.*after `yoloop advance`"):
        accept(root)
    assert snapshot(root) == before
    assert (root / DATA / "train/labels/t1.txt").read_text() == "0 0.5 0.5 0.25 0.25\n"  # the person's work
    said = "\n".join(status_lines(root))
    assert "next     copy what you changed elsewhere, then put them back: dvc checkout --force data/dataset" in said


def test_what_is_taken_with_a_warning_is_said(reading: Path) -> None:
    (reading / DATA / "train/labels/t1.txt").write_text("0 0.5 0.5 1.2 0.1\n")
    said = accept(reading)
    assert said[0] == "warning sticks-out (1)"
    assert "t1.txt:1: expected a box inside the image" in said[1]


def test_data_check_says_all_that_is_wrong_and_what_is_not_official(reading: Path) -> None:
    (reading / DATA / "train/labels/t1.txt").write_text("0 0.5 0.5 1.2 0.1\n")
    checked = check_data(reading, None)
    assert checked.refused
    assert "warning sticks-out (1)" in checked.lines
    (line,) = [line for line in checked.lines if line.startswith("not official: ")]
    assert "train/labels/t1.txt: expected the content" in line
    assert "yoloop data accept" in line


def test_a_repaired_copy_says_that_a_leak_is_still_in_it(reading: Path, tmp_path: Path) -> None:
    plant(reading, "train", "harmless.jpg")
    checked = check_data(reading, None, fix=tmp_path / "mended")
    assert checked.lines[-1] == "not repaired: 1 leak; import it with --regroup"


def test_an_edit_that_dvc_does_not_see_is_refused_put_back_and_made_official(reading):
    """A label of the same length with the time of before, as `cp -p` and some editors leave it."""
    label = reading / DATA / "train/labels/t1.txt"
    assert "up to date" in dvc(reading, "status", "data/dataset.dvc")  # from now on it knows size and time
    old, times = label.read_text(), label.stat()

    def edit() -> None:
        label.write_text(old.replace("0.2", "0.3"))
        os.utime(label, ns=(times.st_atime_ns, times.st_mtime_ns))

    edit()
    assert "up to date" in dvc(reading, "status", "data/dataset.dvc")
    with pytest.raises(UserError, match=r"t1\.txt.*Put it back: touch it, then dvc checkout --force data/dataset"):
        require_as_listed(reading / DATA / "train")
    label.touch()
    dvc(reading, "checkout", "--force", "data/dataset")
    assert label.read_text() == old
    require_as_listed(reading / DATA / "train")

    times = label.stat()
    edit()
    accept(reading)
    assert label.read_text() != old
    require_as_listed(reading / DATA / "train")
    shutil.rmtree(reading / DATA)
    dvc(reading, "checkout", "data/dataset")
    assert label.read_text() == old.replace("0.2", "0.3")
