"""What `yoloop simulate` refuses before anything is written."""

from pathlib import Path

import pytest

from stages.base.errors import UserError
from stages.simulation.labelled_source import write_deal, write_source
from stages.simulation.replay_folder import require_same
from stages.simulation.replay_settings import settings_text
from stages.simulation.simulate import Asked, names_in, simulate
from tests.detector.test_weights import evil
from tests.fake_project import REPO
from tests.simulation.test_replay_graph import settings
from tests.toy import write_yolo_folder

ASKED = Asked(("random",), 1, 0, 1, 2, 1, 1, 0, 0, None, "none.pt", "none.pt", None, yields=False)


@pytest.fixture
def sheets(tmp_path: Path) -> Path:
    return write_yolo_folder(tmp_path / "sheets", {"train": 5, "val": 3}, seed=1)


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"strategies": ("hard",)}, "--strategies: expected different ones of earned, uncertain"),
        ({"strategies": ("random", "random")}, "found random,random"),
        ({"strategies": ()}, "found ."),
        ({"iterations": 0}, "--iterations: expected at least 1"),
        ({"start": 5}, "found 8 sheets in all for 7 there"),
    ],
)
def test_what_makes_no_simulation(sheets, tmp_path, changes, says):
    with pytest.raises(UserError, match=says.replace(".", r"\.")):
        simulate(REPO, sheets, tmp_path / "into", ASKED._replace(**changes), workers=1, run=True, say=print)
    assert not (tmp_path / "into").exists()


def test_a_sheet_without_labels_has_no_answer(sheets, tmp_path):
    next((sheets / "val/labels").iterdir()).unlink()
    with pytest.raises(UserError, match="expected a label file for every sheet"):
        simulate(REPO, sheets, tmp_path / "into", ASKED, workers=1, run=True, say=print)


@pytest.mark.slow
def test_weights_that_hold_code_are_not_opened_unless_one_says_so(sheets, tmp_path, monkeypatch):
    """As `data import` reads them; the weights that the cells start from are copied after that."""
    for name in ("HOME", "XDG_CACHE_HOME"):
        monkeypatch.setenv(name, str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)
    Path("mine.pt").write_bytes(evil())
    asked = ASKED._replace(baseline="mine.pt", target=str(REPO / "starter/yoloe-26n.pt"))
    for trusted, said in ((False, "found pathlib.*the same command with --trust-weights$"), (True, "mine.pt")):
        with pytest.raises(UserError, match=said):  # trusted, it has run, and is no detector
            simulate(
                REPO, sheets, tmp_path / "into", asked._replace(trust_weights=trusted), workers=1, run=False, say=print
            )
        assert Path("ran").exists() == trusted
        assert not (tmp_path / "into").exists()


def test_a_folder_of_something_else_stays(tmp_path):
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(UserError, match="found something else in it"):
        require_same(tmp_path, settings())
    assert [file.name for file in tmp_path.iterdir()] == ["notes.txt"]


def test_other_settings_take_another_folder(tmp_path):
    (tmp_path / "stages/simulation").mkdir(parents=True)
    (tmp_path / "params.yaml").write_text(settings_text(settings()))
    with pytest.raises(UserError, match="found another `budget`: 2 before, 3 now"):
        require_same(tmp_path, settings(budget=3))
    assert not require_same(tmp_path, settings())  # nothing is committed: a kill left it half written


def test_names_in_a_list():
    assert names_in(" earned, random,,") == ("earned", "random")


def test_the_labels_of_the_pool_are_held_back(sheets, tmp_path):
    write_source(sheets, tmp_path / "source", group_pattern=None)
    write_deal(tmp_path / "source", {"train": 2, "val": 1, "test": 1, "pool": 4}, 0, tmp_path / "deal")
    found = {
        role: [len(list((tmp_path / "deal/dataset" / role / kind).iterdir())) for kind in ("images", "labels")]
        for role in ("train", "val", "test", "pool")
    }
    assert found == {"train": [2, 2], "val": [1, 1], "test": [1, 1], "pool": [4, 0]}
    assert len(list((tmp_path / "deal/oracle/labels").iterdir())) == 4
    with pytest.raises(UserError, match="found none in pool, out of 8"):
        write_deal(tmp_path / "source", {"train": 6, "val": 1, "test": 1, "pool": 4}, 0, tmp_path / "other")


def test_boxes_that_an_import_refuses_are_refused_here_too(sheets, tmp_path):
    for file in sheets.glob("*/labels/*.txt"):
        rows = [line.split() for line in file.read_text().splitlines()]
        file.write_text("".join(f"{class_id} 0.98 {y} 0.3 {h}\n" for class_id, _, y, _, h in rows))
    with pytest.raises(UserError, match="that stick out"):
        write_source(sheets, tmp_path / "source", group_pattern=None)
    assert not (tmp_path / "source").exists()
