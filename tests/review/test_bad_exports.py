"""Every known way in which an export is bad: one line says so, and not a byte of the project changes."""

import subprocess
import sys
from pathlib import Path

import pytest

from stages.base.errors import UserError
from stages.picking.packet import PACKET, read_packet
from stages.review.review_import import SCRATCH, import_review
from tests import fake_project
from tests.refusal import contents, refs
from tests.review.bad_exports import ROWS, Case


def pinned() -> dict[str, str]:
    """Return the line for each bad export; "…" in it is the folder that the export lies in, PACKET the packet's id."""
    lines = (Path(__file__).parent / "bad_exports.txt").read_text(encoding="utf-8").splitlines()
    return {name: line.strip() for name, line in zip(lines[::2], lines[1::2], strict=True)}


@pytest.fixture
def root(under_review: Path, clean_env: None) -> Path:
    """One project for all rows: none of them changes it."""
    return under_review


def plain(line: str, root: Path, folder: Path) -> str:
    """Return a message without what differs from one run to the next."""
    packet_id = read_packet(root / PACKET).packet_id
    return line.replace(str(folder), "…").replace(str(root), "PROJECT").replace(packet_id, "PACKET")


def made(root: Path, folder: Path, make) -> Path:
    return make(Case(read_packet(root / PACKET), root, folder))


def test_every_row_has_its_line():
    assert [name for name, *_ in ROWS] == list(pinned())
    assert len(ROWS) >= 25


@pytest.mark.parametrize(("name", "make", "options"), [pytest.param(*row, id=row[0]) for row in ROWS])
def test_it_is_refused_in_one_line_and_nothing_changes(root, tmp_path, name, make, options):
    export = made(root, tmp_path, make)
    before = (contents(root), refs(root), contents(tmp_path))
    with pytest.raises(UserError) as caught:
        import_review(root, export, say=lambda text: None, **options)
    assert plain(str(caught.value), root, tmp_path) == pinned()[name]
    assert (contents(root), refs(root), contents(tmp_path)) == before
    assert not (root / SCRATCH).exists()
    assert not (root / "data/review").exists()


@pytest.mark.parametrize("name", ["unknown class", "archive that leads out", "pickle"])
def test_the_command_ends_with_that_line_and_code_2(root, tmp_path, name):
    export = made(root, tmp_path, next(make for row, make, _ in ROWS if row == name))
    before = (contents(root), refs(root))
    done = subprocess.run(
        [sys.executable, "-m", "stages.loop", "review", "import", str(export)],
        cwd=root,
        env={**fake_project.environment(tmp_path), "PYTHONPATH": str(fake_project.REPO)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2, done.stderr
    assert plain(done.stderr, root, tmp_path) == f"error: {pinned()[name]}\n"
    assert (contents(root), refs(root)) == before
