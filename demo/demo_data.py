"""`python -m demo draw`: the demo's sheets and weights, drawn and copied with exactly the hashes that Git holds."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from demo.drawing.sets import DEFAULT_COUNTS, NamedSheet, draw_set
from demo.drawing.sheet import CLASSES
from demo.png import png_bytes
from stages.base.atomic import replacing
from stages.base.boxes import xyxy_to_xywhn
from stages.base.errors import UserError
from stages.base.params import PARAMS, read_iteration
from stages.dataset.new_dataset import write_description
from stages.dataset.sheets.split_folder import label_text
from stages.intake.dataset_import import Start, require_unchanged_data, stage_start
from stages.intake.demo_values import drawn_params, is_drawn
from stages.intake.import_source import ImportOptions, Read, read_sheets
from stages.project.preconditions import DEMO, holds_demo
from stages.project.repository import dvc, git
from stages.project.repository.transaction import staging

SEED = 0  # of the sheets
BASELINE, TARGET = "starter/yolo26n.pt", "starter/yoloe-26n.pt"


def draw_demo(root: Path, *, renew: bool = False) -> str:
    """Put the demo's dataset, held-back labels and starter weights into the project; return what to print.

    The demo's values go into params.yaml. `renew` writes the .dvc files anew, for who has changed the drawing. Raises
    `UserError`, with nothing changed, when the project does not hold the demo, when a person has changed params.yaml,
    or when another version of the code drew what the .dvc files name.
    """
    require_demo(root)
    _require_own_params(root)
    with staging(root) as (data, models):
        source = write_source(data / "source", draw_set(SEED, DEFAULT_COUNTS))
        read = read_sheets(source, _options(root))
        start = stage_start(root, data, models, read, _options(root))
        changed = [path for path, content in start.files.items() if _bytes(root / path) != content]
        if changed and not renew:
            raise UserError(
                f"{root / changed[0]}: expected the hashes of what this version draws, found others. "
                "Restore it: git checkout -- data models; or, after changing the drawing: make lock"
            )
        for path in changed:
            with replacing(root / path) as temporary:
                temporary.write_bytes(start.files[path])
    try:
        dvc.checkout(root, *(path for path in start.files if path.endswith(".dvc")))
    except UserError:
        require_unchanged_data(root)  # what is in no cache is not overwritten
        raise
    return _said(read, start) + _take_values(root)


def write_source(folder: Path, splits: Mapping[str, Sequence[NamedSheet]]) -> Path:
    """Write drawn sheets as a YOLO folder, as any tool would export it, and return the folder."""
    for split, sheets in splits.items():
        for kind in ("images", "labels"):
            (folder / kind / split).mkdir(parents=True)
        for stem, sheet in sheets:
            (folder / "images" / split / f"{stem}.png").write_bytes(png_bytes(sheet.pixels))
            height, width = sheet.pixels.shape
            text = label_text(sheet.class_id, xyxy_to_xywhn(sheet.xyxy, width=width, height=height))
            (folder / "labels" / split / f"{stem}.txt").write_text(text, encoding="utf-8")
    write_description(folder, CLASSES)
    return folder


def require_demo(root: Path) -> None:
    """Raise `UserError` unless the project at `root` holds the demo, at iteration 0."""
    git.require_repository(root)
    dvc.require_repository(root)
    if not holds_demo(root):
        raise UserError(
            f"{root.resolve()}: expected a project that holds the demo ({DEMO}), found one with its own sheets. "
            "Type it in a fresh clone."
        )
    iteration = read_iteration(root / PARAMS)
    if iteration > 0:
        raise UserError(
            f"{root / PARAMS}: expected the demo at iteration 0, which the drawn sheets belong to, "
            f"found iteration {iteration}. Its sheets are in DVC's cache: dvc checkout"
        )


def _require_own_params(root: Path) -> None:
    """Raise `UserError` when params.yaml holds what a person typed: it is in no commit yet."""
    if git.changed(root, [str(PARAMS)]) and not is_drawn(root):
        raise UserError(
            f"{root / PARAMS}: expected no uncommitted changes where the demo's values go, found changes of yours. "
            "Commit them, or put them aside: git stash"
        )


def _take_values(root: Path) -> str:
    """Write the demo's values into params.yaml, and return a line that says so if they were not there."""
    _require_own_params(root)  # still: drawing took a while
    text = drawn_params(root)
    if (root / PARAMS).read_text(encoding="utf-8-sig") == text:
        return ""
    with replacing(root / PARAMS) as temporary:
        temporary.write_text(text, encoding="utf-8")
    return f"\n{PARAMS} has the demo's values now; to put a person's back: git checkout {PARAMS}"


def _options(root: Path) -> ImportOptions:
    return ImportOptions(oracle=True, baseline=str(root / BASELINE), target=str(root / TARGET))


def _said(read: Read, start: Start) -> str:
    counts = ", ".join(f"{split} {len(names)}" for split, names in read.assignment.roles.items())
    return "\n".join([f"Drawn: {counts} sheets; the labels of the pool are held back.", *start.lines])


def _bytes(file: Path) -> bytes | None:
    return file.read_bytes() if file.is_file() else None
