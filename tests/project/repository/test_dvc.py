"""What DVC says reaches a person: why it failed, and what it has not refused."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from stages.base.errors import UserError
from stages.project.repository import dvc

pytestmark = pytest.mark.slow


def test_why_dvc_could_not_add_is_said(project: Callable[[], Path]) -> None:
    root = project()
    (root / "data/new").write_text("new")
    shutil.rmtree(root / ".dvc/cache")
    (root / ".dvc/cache").write_text("no folder")
    with pytest.raises(UserError, match=r"^dvc add: .*(Not a directory|File exists)"):
        dvc.add(root, Path("data/new"))


def test_why_dvc_could_not_check_out_is_said(project: Callable[[], Path]) -> None:
    root = project()
    (root / "models/parent.pt").unlink()
    shutil.rmtree(root / ".dvc/cache")
    with pytest.raises(UserError, match=r"^dvc checkout: Checkout failed for following targets: models/parent.pt"):
        dvc.checkout(root, "models/parent.pt.dvc")
