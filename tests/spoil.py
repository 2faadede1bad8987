"""Ways in which a person's project goes wrong, each as a function of its folder."""

import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import cv2

from stages.dataset.sheets.manifest import MANIFEST, manifest_row, read_manifest, write_manifest

Spoil = Callable[[Path], object]


def line_of(file: Path, text: str) -> int:
    """Return the number of the first line that starts with `text`, blanks aside."""
    lines = file.read_text().splitlines()
    return next(number for number, line in enumerate(lines, 1) if line.strip().startswith(text))


def replaced(name: str, old: str, new: str) -> Spoil:
    """Replace the first `old` in the file `name`."""

    def spoil(root: Path) -> None:
        text = (root / name).read_text()
        assert old in text, (name, old)
        (root / name).write_text(text.replace(old, new, 1))

    return spoil


def param(section: str, key: str, value: object) -> Spoil:
    """Give `section.key` of params.yaml another value, or with "KEY: VALUE" another name, too."""

    def spoil(root: Path) -> None:
        file = root / "params.yaml"
        head, tail = file.read_text().split(f"\n{section}:", 1)
        line = value if isinstance(value, str) and ": " in value else f"{key}: {value}"
        tail, count = re.subn(rf"(?m)^  {key}: *\S+", lambda _: f"  {line}", tail, count=1)
        assert count == 1, (section, key)
        file.write_text(f"{head}\n{section}:{tail}")

    return spoil


def removed(*names: str) -> Spoil:
    """Remove files and folders."""

    def spoil(root: Path) -> None:
        for name in names:
            shutil.rmtree(root / name) if (root / name).is_dir() else (root / name).unlink()

    return spoil


def written(name: str, data: bytes) -> Spoil:
    """Write a file."""
    return lambda root: (root / name).write_bytes(data)


def cut(name: str) -> Spoil:
    """Cut a file in half."""
    return lambda root: (root / name).write_bytes((root / name).read_bytes()[: (root / name).stat().st_size // 2])


def copied(source: Path | str, name: str) -> Spoil:
    """Copy a file over another; a relative `source` lies in the project."""
    return lambda root: shutil.copyfile(root / source, root / name)


def truncated_jpeg(split: str, stem: str) -> Spoil:
    """Turn a sheet into a JPEG that ends in the middle."""

    def spoil(root: Path) -> None:
        sheet = root / f"data/dataset/{split}/images/{stem}.png"
        data = cv2.imencode(".jpg", cv2.imread(str(sheet)))[1].tobytes()
        sheet.with_suffix(".jpg").write_bytes(data[: len(data) // 2])
        sheet.unlink()

    return spoil


def extra_label(split: str, stem: str, row: str) -> Spoil:
    """Add a row to the labels of a sheet."""

    def spoil(root: Path) -> None:
        file = root / f"data/dataset/{split}/labels/{stem}.txt"
        file.write_text(file.read_text() + row)

    return spoil


def all_of(*spoils: Spoil) -> Spoil:
    """Do one after the other."""
    return lambda root: [spoil(root) for spoil in spoils]


def list_again(root: Path) -> None:
    """List what lies in each split now, so that a stage gets as far as looking at it."""
    for folder in sorted((root / "data/dataset").glob("*/")):
        if not (folder / MANIFEST).is_file():
            continue
        before = {Path(row.image_id).stem: row for row in read_manifest(folder / MANIFEST)}
        rows = [
            manifest_row(
                image,
                folder / "labels" / f"{image.stem}.txt",
                added_iteration=before[image.stem].added_iteration,
                label_source=before[image.stem].label_source,
            )
            for image in (folder / "images").glob("*")
        ]
        write_manifest(rows, folder / MANIFEST)


def at_iteration_1(root: Path) -> None:
    """Carry by hand what `yoloop advance` would, as far as the stage train looks at it."""
    shutil.copyfile(root / "plots/converge/history.csv", root / "metrics/history.csv")
    shutil.copyfile(root / "metrics/converge_sheets.json", root / "metrics/history_sheets.json")
    shutil.copyfile(root / "metrics/converge_outcomes.json", root / "metrics/parent_outcomes.json")
    shutil.copyfile(root / "models/best.pt", root / "models/parent.pt")
    replaced("params.yaml", "iteration: 0", "iteration: 1")(root)


def not_imported(root: Path) -> None:
    """Go back to the commit before the import, with nothing of it left behind."""
    for command in (
        ["reset", "-q", "--hard", "HEAD~1"],
        ["tag", "-d", "dataset-v0"],
        ["clean", "-q", "-fdx", "-e", ".dvc"],
    ):
        subprocess.run(["git", *command], cwd=root, check=True, capture_output=True)
