"""Hands blocks of sheets to the workers of a Ray cluster, and returns what they see in the order of the sheets.

The only module that knows Ray. Actors, and not Ray Data: which sheets make a batch, and that the first block is seen
before all others (`CheckedEngine`), decide the last digits, and its blocks are cut and handed out by other rules. A
sheet travels as the bytes of its file, so that no other machine needs the dataset.
"""

import os
import socket
from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import stages
from stages.base.decoding import picture_bytes
from stages.base.errors import UserError, problem
from stages.dataset.sheets.split_folder import Labels
from stages.detector.model.runtime import start_ultralytics
from stages.detector.prediction.prediction_params import PredictParams
from stages.detector.prediction.predictor import Prediction, told_model
from stages.detector.prediction.ray_worker import RayWorker, SentSheet, Told, sent, threads_here, versions_here
from stages.detector.prediction.tiles.sheet_views import block_size, count_views
from stages.detector.prediction.tiles.windows import Tiling
from stages.prompts.texts.prompt_file import Prompts

_WHERE = "params.yaml: predict.run_on"
_RETRIES = 3  # times that a block is seen again because its worker was lost; a sheet that kills each worker ends there
_PATIENCE = 600.0  # seconds without any answer: a cluster that grows by itself needs minutes to start a machine
_ANSWER = 10.0  # seconds in which the head of a cluster takes a connection
_FAREWELL = 10.0  # seconds for workers to clean up; what they leave is swept a day later
_SHOWN = ("CPU", "GPU")  # of a cluster's resources: what a worker asks for
_AHEAD = 2  # blocks that a worker has: the next is there when the last is done


def predict_on_ray(
    weights: Path,
    images: Sequence[Path],
    *,
    classes: Sequence[str],
    prompts: Prompts,
    params: PredictParams,
    labels: Sequence[Labels | None] | None = None,
    tiling: Tiling | None = None,
) -> Iterator[Prediction]:
    """Yield what `predict` yields, to the last bit where processors and packages are the same, from workers.

    They are of the cluster at RAY_ADDRESS, or of one that lives as long as this run. Workers join as the cluster finds
    room for them, and a lost one is replaced. Raises `UserError` as `predict` does, where Ray is not installed, where
    there is no cluster, and where a worker has other packages or is lost again and again.
    """
    ray = _ray()
    start_ultralytics()
    model, threads = sent(told_model(weights, classes, prompts)), threads_here()
    drawn = labels or [None] * len(images)
    sheets = ((file, picture_bytes(file), one) for file, one in zip(images, drawn, strict=True))
    with _cluster(ray, cores=params.ray_workers * threads), _plain_errors(ray):
        gpus = float(ray.cluster_resources().get("GPU", 0))
        device, views = worker_device(params.device, gpus), count_views(images, tiling)
        told = Told(tuple(classes), params, device, threads, versions_here(), views, weights, tiling)
        # Held to the end: Ray forgets what nobody holds, and a worker in place of a lost one asks for it.
        shared = ray.put(model)
        joining = {worker.join.remote(): worker for worker in _workers(ray, shared, told)}
        yield from _in_order(ray, joining, blocks(sheets, block_size(params.batch)))


def worker_device(asked: str, gpus: float) -> str:
    """Return the device of each worker, of a cluster that has `gpus`: Ray shows a worker one GPU, which is its 0.

    Raises `UserError` where a GPU was asked for and the cluster has none.
    """
    if asked.isdecimal() and gpus < 1:
        raise problem("ray_run.gpus", "params.yaml: predict.device", asked=asked)
    return "0" if asked.isdecimal() or (asked == "auto" and gpus >= 1) else "cpu" if asked == "auto" else asked


def blocks(sheets: Iterable[SentSheet], size: int) -> Iterator[list[SentSheet]]:
    """Yield `sheets` in runs of `size`, the last one shorter; no sheet is read before its run is asked for."""
    coming = iter(sheets)
    while block := list(islice(coming, size)):
        yield block


def _ray() -> Any:
    try:
        import ray
    except ImportError as error:
        raise problem("ray_run.package", _WHERE) from error
    return ray


@contextmanager
def _cluster(ray: Any, *, cores: int) -> Iterator[None]:
    """Hold a connection to the cluster at RAY_ADDRESS, or a cluster of this machine that ends with the block."""
    address = os.environ.get("RAY_ADDRESS") or "local"  # "local" lest Ray takes a cluster that it finds here
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    own = {"num_cpus": cores, "include_dashboard": False} if address == "local" else {}
    code = {"py_modules": [str(Path(stages.__file__).parent)]}  # so that every worker runs this very code
    _require_head(address)
    try:
        ray.init(address=address, runtime_env=code, log_to_driver=False, logging_level="ERROR", **own)
    except Exception as error:  # Ray raises what it likes, a bare Exception too
        raise problem("ray_run.cluster", f"RAY_ADDRESS={address}", found=_first_line(error)) from error
    try:
        yield
    finally:
        ray.shutdown()


def _require_head(address: str) -> None:
    """Raise `UserError` where nothing answers at an address HOST:PORT: Ray itself asks again for ten minutes."""
    place = urlsplit(address if "://" in address else f"//{address}")
    try:
        if place.port is not None:
            socket.create_connection((place.hostname, place.port), timeout=_ANSWER).close()
    except (OSError, ValueError) as error:
        raise problem("ray_run.cluster", f"RAY_ADDRESS={address}", found=_first_line(error)) from error


@contextmanager
def _plain_errors(ray: Any) -> Iterator[None]:
    """Raise what a worker raised as it was raised there, and one line for workers that are lost."""
    try:
        yield
    except ray.exceptions.RayTaskError as error:
        if isinstance(error.cause, UserError):
            raise error.cause from None
        raise
    except ray.exceptions.RayError as error:  # died while it started, or more often than it was replaced
        raise problem("ray_run.lost", _WHERE, found=_first_line(error), retries=_RETRIES) from error


def _workers(ray: Any, shared: Any, told: Told) -> list[Any]:
    """Start the workers; `shared` is what holds the bytes of the model."""
    settings = {
        "num_cpus": told.threads if told.device == "cpu" else 1,
        "num_gpus": 1 if told.device == "0" else 0,
        "max_restarts": -1,
        "max_task_retries": _RETRIES,
    }
    kind = ray.remote(**settings)(RayWorker)
    return [kind.remote(shared, told) for _ in range(told.params.ray_workers)]


def _in_order(ray: Any, joining: dict[Any, Any], coming: Iterator[list[SentSheet]]) -> Iterator[Prediction]:
    """Yield what workers see, block after block; the first is seen alone, for it decides what the others run.

    `joining` has a worker for each answer that is still to come from one.
    """
    at_work: dict[Any, tuple[int, Any]] = {}  # what is being seen -> its place, and by whom
    done: dict[int, list[Prediction]] = {}
    idle: deque[Any] = deque()
    handed = shown = 0
    trusted: bool | None = None
    block = next(coming, None)
    while block is not None or at_work or done:
        while idle and block is not None and (trusted is not None or handed == 0):
            worker = idle.popleft()
            at_work[worker.see.remote(block, trusted)] = handed, worker
            handed, block = handed + 1, next(coming, None)
        for ready in _ready(ray, joining, at_work):
            if ready in joining:
                ray.get(ready)
                idle.extend([joining.pop(ready)] * _AHEAD)
                continue
            place, worker = at_work.pop(ready)
            done[place], found = ray.get(ready)
            trusted = found if trusted is None else trusted
            idle.append(worker)
        while shown in done:
            yield from done.pop(shown)
            shown += 1
    if left := [worker.leave.remote() for worker in set(idle)]:
        ray.wait(left, num_returns=len(left), timeout=_FAREWELL)


def _ready(ray: Any, joining: Mapping[Any, Any], at_work: Mapping[Any, Any]) -> list[Any]:
    """Return something that is ready; raise `UserError` where no worker comes, and say so where none answers."""
    while True:
        ready, _ = ray.wait([*at_work, *joining], num_returns=1, timeout=_PATIENCE)
        if ready:
            return list(ready)
        has = ", ".join(f"{key} {value:g}" for key, value in sorted(ray.cluster_resources().items()) if key in _SHOWN)
        if not at_work:
            raise problem("ray_run.no_room", _WHERE, seconds=round(_PATIENCE), found=has or "nothing")
        print(f"no worker has answered for {_PATIENCE:.0f} s; the cluster has {has or 'nothing'}", flush=True)


def _first_line(error: Exception) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return (lines[0] if lines else type(error).__name__)[:200].rstrip(".")
