"""An import keeps the prompts that a person has written, and tells a new class by its name."""

from pathlib import Path

import pytest
import yaml

from stages.base.errors import UserError
from stages.intake.import_prompts import new_prompts
from tests.fake_project import sh

FILE = "data/prompts.yaml"


@pytest.fixture
def clone(clean_env: None, tmp_path: Path) -> Path:
    (tmp_path / "data").mkdir()
    told(tmp_path, detail="a circle", title="a bar")
    sh(tmp_path, "git", "init", "-q")
    sh(tmp_path, "git", "add", ".")
    sh(tmp_path, "git", "commit", "-qm", "A clone")
    return tmp_path


def told(root: Path, **prompts: str) -> None:
    (root / FILE).write_text(yaml.safe_dump({"prompts": prompts}))


def test_texts_that_are_not_committed_are_taken_along(clone: Path) -> None:
    told(clone, detail="a circle", door="an arc")  # title goes, and stays in the history
    text, said = new_prompts(clone, ("detail", "door"))
    assert yaml.safe_load(text)["prompts"] == {"detail": "a circle", "door": "an arc"}
    assert said == ["data/prompts.yaml: what you have edited is committed with the import: door"]


def test_what_git_has_is_dropped_with_its_class_and_named(clone: Path) -> None:
    assert new_prompts(clone, ("detail",))[1] == ["prompts: dropped, since the class is gone: title"]


def test_a_text_that_git_lacks_is_never_dropped(clone: Path) -> None:
    told(clone, detail="a circle", title="a bar under a view")
    with pytest.raises(
        UserError, match=r"prompts\.yaml: expected prompts of classes of the import, found one for 'title'"
    ):
        new_prompts(clone, ("detail",))


@pytest.mark.parametrize("text", ["prompts: [round]\n", "prompts:\n", "notes: {}\n"])
def test_prompts_that_are_no_mapping_are_written_anew(tmp_path, text):
    (tmp_path / "data").mkdir()
    (tmp_path / "data/prompts.yaml").write_text(text)
    new, said = new_prompts(tmp_path, ("detail", "door tag [a]"))
    assert yaml.safe_load(new)["prompts"] == {"detail": "detail", "door tag [a]": "door tag [a]"}
    assert said[0].startswith("prompts: the class name itself for detail, door tag [a]")
