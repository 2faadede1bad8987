"""What is replayed: params.yaml of a simulation's folder, which is written once and never changes."""

from pathlib import Path
from typing import Any

import yaml
from pydantic import Field

from stages.base.params import PARAMS, Strict, check, read_yaml
from stages.picking.strategies.strategy_list import SheetStrategy

_HEAD = "# What is replayed here; written by `yoloop simulate` and never changed: other settings, another folder.\n"


class DealSizes(Strict):
    """Sheets of each role; the last may be fewer where the dataset ends."""

    train: int = Field(ge=1)
    val: int = Field(ge=1)
    test: int = Field(ge=1)
    pool: int = Field(ge=1)


class ReplaySettings(Strict):
    """All that the cells of a simulation read besides the dataset and the weights."""

    dataset: str  # folder, absolute
    group_pattern: str | None  # as of `yoloop data import`
    classes: list[str]
    prompts: dict[str, str | list[str]]
    strategies: list[SheetStrategy]
    seeds: int = Field(ge=1)
    first_seed: int = Field(default=0, ge=0)
    iterations: int = Field(ge=0)  # after iteration 0
    deal: DealSizes
    budget: int = Field(ge=1)  # sheets a packet, besides those drawn at random
    yields: bool  # only what packets yield: iterations with chance alone, and none of the arms
    project: dict[str, Any]  # the sections of params.yaml, but for what a cell sets

    def seed_numbers(self) -> range:
        """Return the seeds that are replayed here."""
        return range(self.first_seed, self.first_seed + self.seeds)


def settings_text(settings: ReplaySettings) -> str:
    """Return `settings` as params.yaml of the simulation."""
    return _HEAD + yaml.safe_dump(settings.model_dump(), sort_keys=False, allow_unicode=True, width=4096)


def read_settings(folder: Path = Path()) -> ReplaySettings:
    """Return the settings of the simulation in `folder`; raise `UserError` with the line of a mistake."""
    file = folder / PARAMS
    return check(ReplaySettings, read_yaml(file), file=file)
