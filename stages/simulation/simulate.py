"""`yoloop simulate`: replays the loop on a dataset that is labelled throughout, to see what picking is worth."""

import tempfile
from collections.abc import Callable, Mapping
from math import ceil
from pathlib import Path
from typing import Any, NamedTuple

from stages.base.errors import problem
from stages.base.params import PARAMS, read_params, read_yaml
from stages.formats.source_sheets import Dataset
from stages.iteration.overrides import read_overrides
from stages.picking.strategies.strategy_list import SHEET_STRATEGIES
from stages.project.repository import dvc
from stages.project.yaml_edits import flat
from stages.prompts.texts.prompt_file import PROMPTS, plain, texts_of
from stages.simulation.cell_pool import run_cells
from stages.simulation.labelled_source import read_labelled
from stages.simulation.replay_folder import keep, require_same, write_folder
from stages.simulation.replay_graph import SUMMARY, TABLE, cells_of
from stages.simulation.replay_settings import DealSizes, ReplaySettings
from stages.wording.quantities import counted

_ITERATIONS = 3  # after iteration 0, of every arm
_SHARE = 6  # one sheet of the pool in so many goes into a packet, where nobody says how many


class Asked(NamedTuple):
    """What was typed; 0 sheets: as many as there are, or a share; None: the usual number."""

    strategies: tuple[str, ...]
    seeds: int
    first_seed: int
    iterations: int | None
    start: int
    val: int
    test: int
    pool: int
    budget: int
    params: Path | None
    baseline: str
    target: str
    group_pattern: str | None
    yields: bool
    trust_weights: bool = False


def simulate(
    root: Path, dataset: Path, folder: Path, asked: Asked, *, workers: int, run: bool, say: Callable[[str], None]
) -> None:
    """Write the simulation of `dataset` into `folder`, unless it lies there, and run what is not done.

    The project at `root` gives params, prompts and code, and stays as it is. Raises `UserError` for settings that make
    no simulation, for a folder of another one, and when a cell fails.
    """
    settings = _settings(root, read_labelled(dataset), asked)
    with tempfile.TemporaryDirectory(prefix="yoloop-simulate-") as fetched:
        encoder = _weights(Path(fetched), asked)
        if encoder:
            settings.project["train"]["encoder"] = encoder
        if not require_same(folder, settings):
            write_folder(folder, settings, Path(fetched))
    cells = cells_of(settings)
    say(f"{folder}: {_deal_line(settings.deal)}; {counted(len(cells), 'cell')}")
    if not run:
        say(f"Next: cd {folder} && dvc repro; side by side: the same command without --no-run")
        return
    try:
        run_cells(folder, cells, workers=workers, say=say)
        dvc.run(folder, "repro")
    finally:
        keep(folder, "Keep the results of the cells that are done")
    say((folder / TABLE).read_text(encoding="utf-8"))
    say(f"All numbers: {folder / SUMMARY}")


def _settings(root: Path, dataset: Dataset, asked: Asked) -> ReplaySettings:
    unknown = [name for name in asked.strategies if name not in SHEET_STRATEGIES]
    if unknown or not asked.strategies or len(set(asked.strategies)) < len(asked.strategies):
        raise problem(
            "simulate.strategies", "--strategies", known=", ".join(SHEET_STRATEGIES), found=",".join(asked.strategies)
        )
    sheets, folder, classes = len(dataset.sheets), dataset.source.folder, dataset.source.classes
    rest = sheets - asked.start - asked.val - asked.test
    pool = min(asked.pool or rest, rest)
    if pool < 2:
        raise problem("simulate.sheets", folder, sheets=sheets, roles=sheets - rest)
    budget = asked.budget or ceil(pool / _SHARE)
    found = read_yaml(root / PROMPTS).get("prompts")
    prompts = found if isinstance(found, dict) else {}
    return ReplaySettings(
        dataset=str(folder.resolve()),
        group_pattern=asked.group_pattern,
        classes=list(classes),
        prompts={name: plain(texts_of(prompts.get(name)) or (name,)) for name in classes},
        strategies=list(asked.strategies),  # type: ignore[arg-type]
        seeds=asked.seeds,
        first_seed=asked.first_seed,
        iterations=_iterations(asked),
        deal=DealSizes(train=asked.start, val=asked.val, test=asked.test, pool=pool),
        budget=budget,
        yields=asked.yields,
        project=_project(root, asked.params),
    )


def _iterations(asked: Asked) -> int:
    if asked.iterations is None:
        return 0 if asked.yields else _ITERATIONS
    if not asked.iterations and not asked.yields:
        raise problem("simulate.iterations", "--iterations")
    return asked.iterations


def _project(root: Path, overlay: Path | None) -> dict[str, Any]:
    """Return the sections of the project's params.yaml, and `tile`, with the values of `overlay`."""
    values = read_overrides(overlay, root) if overlay else {}
    params = read_params(root / PARAMS)
    kept = {key: value for key, value in params.items() if isinstance(value, dict) or key == "tile"}
    return _nested({**flat(kept), **values})


def _nested(values: Mapping[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for path, value in values.items():
        *parents, key = path.split(".")
        node = found
        for parent in parents:
            node = node.setdefault(parent, {})
        node[key] = value
    return found


def _weights(folder: Path, asked: Asked) -> str | None:
    """Put both weights into `folder`; return the text encoder that the target wants."""
    from stages.detector.weights import resolve

    trusted = asked.trust_weights
    resolve(asked.baseline, folder / "parent.pt", kind="baseline", seed=0, trusted=trusted)
    return resolve(asked.target, folder / "target.pt", kind="target", seed=0, trusted=trusted).encoder


def _deal_line(deal: DealSizes) -> str:
    return ", ".join(f"{counted(number, 'sheet')} in {role}" for role, number in deal.model_dump().items())


def names_in(text: str) -> tuple[str, ...]:
    """Return the names in a list with commas."""
    return tuple(name.strip() for name in text.split(",") if name.strip())
