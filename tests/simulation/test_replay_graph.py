"""The cells and the dvc.yaml of a simulation."""

import pytest
import yaml

from stages.simulation.replay_arms import arms_of, cell_params
from stages.simulation.replay_graph import cells_of, graph_of
from stages.simulation.replay_settings import DealSizes, ReplaySettings, read_settings, settings_text

PROJECT = {
    "train": {"seed": 0, "epochs": 4},
    "sample": {"strategy": "hard", "unit": "objects", "budget": 20, "seed": 0, "random_share": 0.1},
    "validate": {"iou": 0.5},
}


def settings(**changes) -> ReplaySettings:
    values = {
        "dataset": "/data/set",
        "group_pattern": None,
        "classes": ["on", "off"],
        "prompts": {"on": "lit", "off": "dark"},
        "strategies": ["earned", "random"],
        "seeds": 2,
        "iterations": 2,
        "deal": DealSizes(train=4, val=3, test=3, pool=9),
        "budget": 2,
        "yields": False,
        "project": PROJECT,
    }
    return ReplaySettings(**{**values, **changes})


def resolved(graph: dict) -> dict[str, dict]:
    """Return the stages that DVC makes of a graph with `matrix`, by target."""
    found = {}
    for name, stage in graph["stages"].items():
        matrix = stage.get("matrix", {})
        combinations = [{}]
        for key, values in matrix.items():
            combinations = [{**one, key: value} for one in combinations for value in values]
        for one in combinations:
            text = yaml.safe_dump({key: value for key, value in stage.items() if key != "matrix"})
            for key, value in one.items():
                text = text.replace(f"${{item.{key}}}", str(value))
            target = f"{name}@{'-'.join(str(value) for value in one.values())}" if one else name
            found[target] = yaml.safe_load(text)
    return found


def paths(stage: dict, *kinds: str) -> list[str]:
    return [one if isinstance(one, str) else next(iter(one)) for kind in kinds for one in stage.get(kind, [])]


def test_random_has_two_replays():
    assert [arm.name for arm in arms_of(["earned", "random"])] == ["earned", "random-a", "random-b"]


@pytest.mark.parametrize(
    "changes", [{}, {"yields": True}, {"yields": True, "iterations": 0}, {"iterations": 1}, {"strategies": ["crowd"]}]
)
def test_dvc_and_the_pool_know_the_same_cells(changes):
    asked = settings(**changes)
    stages, cells = resolved(graph_of(asked)), {cell.target: cell for cell in cells_of(asked)}
    assert set(stages) == {*cells, "summary"}
    for target, cell in cells.items():
        assert stages[target]["cmd"].split()[3:] == list(cell.words)
        assert paths(stages[target], "outs", "metrics") == list(cell.makes)
        before = {made for other in cell.needs for made in cells[other].makes}
        assert bool(before) == bool(before & set(paths(stages[target], "deps")))  # DVC waits for the same


@pytest.mark.parametrize("yields", [False, True])
def test_whatever_a_cell_reads_another_makes_or_the_folder_has(yields):
    stages = resolved(graph_of(settings(yields=yields)))
    made = {path for stage in stages.values() for path in paths(stage, "outs", "metrics", "plots")}
    read = {path for stage in stages.values() for path in paths(stage, "deps")}
    assert read - made == {"/data/set", "stages", "weights"}
    assert len(made) > 3


def test_how_many_cells_there_are():
    # a source; two seeds of deal, start and full; two iterations of three arms, and two looks at what packets yield
    assert len(cells_of(settings())) == 1 + 2 * (3 + 2 * 3 + 2)
    # no iteration of chance, so only the first packet; and the other way round
    assert len(cells_of(settings(strategies=["crowd"]))) == 1 + 2 * (3 + 2 + 1)
    assert len(cells_of(settings(yields=True))) == 1 + 2 * (2 + 2 + 3)


def test_seeds_may_begin_elsewhere():
    assert {cell.seed for cell in cells_of(settings(first_seed=3))} == {None, 3, 4}


def test_an_iteration_follows_the_one_of_its_own_arm_and_seed():
    cells = {cell.target: cell for cell in cells_of(settings())}
    assert cells["iteration-2@random-b-1"].needs == ("iteration-1@random-b-1",)
    assert cells["iteration-1@random-b-1"].needs == ("iteration-0@1",) == cells["full@1"].needs
    assert cells["yields-1@1"].needs == ("iteration-1@random-a-1",)


def of(arm: str, epochs: int = 1) -> dict:
    return cell_params(PROJECT, ["on", "off"], arm=arm, seed=3, iteration=1, budget=5, epochs=epochs)


def test_arms_differ_by_what_they_pick_and_the_second_replay_by_its_seeds():
    assert [of(arm)["sample"]["strategy"] for arm in ("earned", "random-a", "random-b")] == ["earned", *["random"] * 2]
    assert [of(arm)["train"]["seed"] for arm in ("earned", "random-a", "random-b")] == [3, 3, 1003]
    assert of("random-b")["sample"]["seed"] == 1003
    assert of("earned")["sample"]["random_share"] == 0.1


def test_full_takes_all_and_sees_it_as_often_as_the_arms_see_their_start():
    assert of("full", epochs=2)["train"]["epochs"] == 8
    assert of("full")["sample"]["random_share"] == 0.0
    assert PROJECT["train"]["epochs"] == 4  # as it was


def test_settings_come_back_from_their_file(tmp_path):
    (tmp_path / "params.yaml").write_text(settings_text(settings()))
    assert read_settings(tmp_path) == settings()
