"""The arms of a simulation, and what each of their cells sets in the params.yaml of the loop."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

START, FULL = "start", "full"  # the iteration 0 that all share, and the whole pool labelled at once
REPLAYS = ("random-a", "random-b")  # of `random`: how far apart chance alone puts two arms
OTHER = 1000  # added to the seed of draws and trainings in the second replay


class ReplayArm(NamedTuple):
    """A replay of the loop: its name, how it picks, and what is added to the seed of its draws and trainings."""

    name: str
    strategy: str
    shift: int = 0


def arms_of(strategies: Sequence[str]) -> tuple[ReplayArm, ...]:
    """Return the arms of `strategies`: one each, two of `random`."""
    doubled = [ReplayArm(REPLAYS[0], "random"), ReplayArm(REPLAYS[1], "random", OTHER)]
    return tuple(arm for name in strategies for arm in (doubled if name == "random" else [ReplayArm(name, name)]))


def arm_of(name: str) -> ReplayArm:
    """Return the arm of that name; `full` and `start` are arms, too."""
    if name in (FULL, START):
        return ReplayArm(name, "random")
    return next((arm for arm in arms_of(["random"]) if arm.name == name), ReplayArm(name, name))


def cell_params(
    project: Mapping[str, Any], classes: Sequence[str], *, arm: str, seed: int, iteration: int, budget: int, epochs: int
) -> dict[str, Any]:
    """Return params.yaml of the loop for a cell: `project` with what the arm, the seed and the iteration say.

    `budget`: sheets that are picked; `epochs`: how often `train.epochs` is trained, 1 but for `full`, which sees its
    sheets as often in one training as the arms see those that they start with in all of theirs.
    """
    of = arm_of(arm)
    own_seed = seed + of.shift
    train = {**project["train"], "seed": own_seed, "epochs": project["train"]["epochs"] * epochs}
    picking = {"strategy": of.strategy, "unit": "sheets", "budget": float(budget), "seed": own_seed}
    whole = {"random_share": 0.0} if arm == FULL else {}
    sample = {**project["sample"], **picking, **whole}
    return {"iteration": iteration, "classes": list(classes), **project, "train": train, "sample": sample}
