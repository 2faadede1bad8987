"""Every known way in which a dataset is bad: one line says so, the source stays, and a repaired copy is good."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from stages.base.errors import UserError
from stages.intake.dataset_check import check_data
from stages.intake.import_source import ImportOptions, read_sheets
from tests.fake_project import REPO, sh
from tests.intake.contract import datasets as s
from tests.intake.contract.bad_rows import ROWS

NO_COPY = ("corners", "undecided", "two-lists", "nothing-left", "nothing-read", "most-stick-out")  # it would be a guess


def pinned() -> dict[str, str]:
    """Return the line for each bad dataset; "…" in it is the dataset's folder."""
    lines = (Path(__file__).parent / "bad_datasets.txt").read_text(encoding="utf-8").splitlines()
    return {name: line.strip() for name, line in zip(lines[::2], lines[1::2], strict=True)}


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project in which nothing has begun."""
    root = tmp_path_factory.mktemp("project")
    shutil.copy(REPO / "params.yaml", root)
    sh(root, "git", "init", "-q")
    return root


def said(root: Path, source: Path) -> list[str]:
    """Return what `data check` says, each finding as one line; of what cannot be read, the error."""
    try:
        return list(_flat(check_data(root, source, every=True).lines))
    except UserError as error:
        return [f"error: {error}"]


def _flat(lines: list[str]) -> Iterator[str]:
    kind = ""
    for line in lines:
        if line.startswith("  "):
            yield f"{kind}: {line.strip()}"
        else:
            kind = line.rpartition(" (")[0]


def refusal(source: Path) -> str:
    """Return the line with which `data import` refuses `source`; nothing if it takes it."""
    has_val = any((source / name).exists() for name in ("images/val", "valid", "val"))
    try:
        read_sheets(source, ImportOptions(val=None if has_val else "0.5"))
    except UserError as error:
        return str(error)
    return ""


def test_every_row_has_its_line():
    assert [name for name, *_ in ROWS] == list(pinned())
    assert len(ROWS) >= 40


@pytest.mark.parametrize("kind", s.BUILD)
def test_a_good_one_is_good(root, tmp_path, kind):
    source = s.BUILD[kind](tmp_path / "SET")
    assert [line for line in said(root, source) if not line.startswith("note parent-category")] == []
    assert refusal(source) == ""


@pytest.mark.parametrize(("name", "kind", "spoil"), [pytest.param(*row, id=row[0]) for row in ROWS])
def test_it_is_said_in_one_line_and_a_copy_is_repaired(root, tmp_path, name, kind, spoil):
    source, target = s.BUILD[kind](tmp_path / "SET"), tmp_path / "repaired"
    spoil(source)
    before = s.tree(tmp_path)
    line = pinned()[name].replace("…", str(source))

    lines = said(root, source)
    assert line in lines
    assert any(one.startswith("error") for one in lines) == line.startswith("error")
    assert bool(refusal(source)) == line.startswith("error")
    assert refusal(source).startswith(line.partition(": ")[2] if line.startswith("error") else "")
    assert s.tree(tmp_path) == before

    if line.startswith(("error: ", *(f"error {code}: " for code in NO_COPY))):  # nobody could say how
        with pytest.raises(UserError):
            check_data(root, source, fix=target)
        assert s.tree(tmp_path) == before
        return
    check_data(root, source, fix=target)
    assert {path: digest for path, digest in s.tree(tmp_path).items() if not path.startswith("repaired")} == before
    left = ("note", "warning no-val", "warning tiles")  # what no copy could be without
    assert [one for one in said(root, target) if not one.startswith(left)] == []
    assert (target / "report.md").read_text().startswith("# Repaired copy of SET\n")
