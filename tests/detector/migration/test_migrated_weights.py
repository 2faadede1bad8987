"""Real detectors with another list of classes see what they saw: what was learned goes with its class, by name."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from stages.base.errors import UserError
from stages.classes.class_change import added, merged, removed, renamed, row_sources, split_up
from stages.detector.migration.migrated_weights import migrate_weights
from stages.detector.model.checkpoint import class_names, load_model, save_model
from stages.detector.model.encoders import encode, set_prompts
from stages.detector.model.runtime import start_ultralytics
from stages.detector.prediction.filters import Filters
from stages.detector.prediction.prediction_params import FilterParams, PredictParams
from stages.detector.prediction.predictor import Prediction, predict
from stages.detector.training.fitting import Job, fit
from stages.detector.training.starting_model import baseline_start, letterboxed, prompt_start
from stages.detector.training.told_prompts import prompts_sha256, remember, remembered
from stages.detector.training.training_view import write_view
from stages.detector.weights import resolve
from tests.detector.conftest import PROMPTS
from tests.toy import CLASSES
from tests.toy_weights import SETTINGS

pytestmark = pytest.mark.slow
Told = Mapping[str, tuple[str, ...]]


@pytest.fixture
def images(easy_sheets: Path) -> list[Path]:
    return sorted((easy_sheets / "train/images").iterdir())


@pytest.fixture
def promptable(toy_weights: Path, images: list[Path]) -> Path:
    """A promptable detector that finds toy shapes, and remembers what it was told."""
    resolve("yoloe-26n.yaml", Path("target.pt"), kind="target", seed=0)
    how = {"encoder": "wordllama", "vectors": encode("wordllama", CLASSES, PROMPTS), "carry": "all"}
    model = prompt_start(toy_weights, Path("target.pt"), CLASSES, **how, images=letterboxed(images[:8], 128)).model
    set_prompts(model, CLASSES, PROMPTS)
    remember(model, PROMPTS)
    save_model(model, Path("parent.pt"), imgsz=128)
    return Path("parent.pt")


def moved(
    source: Path, told: Told, origins: Mapping[str, str], rows: Mapping[str, str | None] | None = None, **how: Any
) -> Path:
    """Return the weights for the classes of `told`; `origins` maps those that stayed to their old names."""
    taken = {name: origins.get(name) for name in told} if rows is None else rows
    migrate_weights(
        source, Path("moved.pt"), CLASSES, told=told, rows=taken, origins=origins, **{"baseline": False, **how}
    )
    return Path("moved.pt")


def found(weights: Path, images: Sequence[Path], told: Told) -> list[Prediction]:
    how = {"imgsz": 128, "batch": 1, "device": "cpu", "engine": "torch", "confidence_floor": 0.2, "max_det": 100}
    params = PredictParams(**how, filters=FilterParams(**Filters()._asdict()))
    return list(predict(weights, images, classes=list(told), prompts=told, params=params))


def scores(weights: Path, images: Sequence[Path], told: Told) -> Any:
    """Return the scores of every place on the sheets before anything is dropped, (sheets, places, classes)."""
    import torch

    model = load_model(weights)
    if hasattr(model.model[-1], "reprta"):
        set_prompts(model, list(told), told)
    head, seen = model.model[-1], []
    head.end2end = False
    with torch.no_grad():
        for batch in letterboxed(images, 128):
            seen.append(model(batch)[0][:, 4:].transpose(1, 2))
    return torch.cat(seen).numpy()


def assert_alike(before: list[Prediction], after: list[Prediction], *, off: float) -> None:
    """Check that `after` has the boxes of `before` and none more of their classes; `off` is by how much at most."""
    assert sum(len(one.class_id) for one in before) > 20
    for one, other in zip(before, after, strict=True):
        kept = other.class_id < len(CLASSES)
        np.testing.assert_array_equal(one.class_id, other.class_id[kept])
        np.testing.assert_allclose(one.confidence, other.confidence[kept], rtol=0, atol=off)
        np.testing.assert_allclose(one.xyxy, other.xyxy[kept], rtol=0, atol=off * 128)


LISTS = {  # new classes -> what they were called before; in their order
    "one renamed": {"callout": "detail", "elevation": "elevation", "title": "title"},
    "names rotated": {"elevation": "detail", "title": "elevation", "detail": "title"},
    "another order": {"title": "title", "detail": "detail", "elevation": "elevation"},
    "three old and one new": {"detail": "detail", "elevation": "elevation", "title": "title", "door": None},
    "three renamed and one new": {"a": "detail", "b": "elevation", "c": "title", "door": None},
    "one new in front": {"door": None, "detail": "detail", "elevation": "elevation", "title": "title"},
    "one gone": {"title": "title", "detail": "detail"},
}


@pytest.mark.parametrize("origins", LISTS.values(), ids=LISTS)
@pytest.mark.parametrize("kind", ["texts", "rows"])
def test_every_class_that_stays_is_seen_as_before(toy_weights, promptable, images, origins, kind):
    """Whatever it is called and wherever it stands: YOLOE by its text, YOLO-26 by its row.

    A renaming changes no bit. Among more classes or in another order the same numbers are added up in another order.
    """
    off = 0.0 if tuple(origins.values()) == CLASSES else 1e-5
    source = promptable if kind == "texts" else toy_weights
    told = {name: ("violet hexagon",) if old is None else PROMPTS[old] for name, old in origins.items()}
    stayed = {name: old for name, old in origins.items() if old}
    weights = moved(source, told, stayed)
    assert class_names(load_model(weights)) == tuple(told)
    before, after = scores(source, images, PROMPTS), scores(weights, images, told)
    for place, old in enumerate(origins.values()):
        if old:
            one, other = before[..., CLASSES.index(old)], after[..., place]
            np.testing.assert_allclose(one, other, rtol=0, atol=off)
    # NMS sets classes apart by their ids, and rounds there: with other ids a box at its very threshold comes or goes.
    if tuple(origins.values())[: len(CLASSES)] == CLASSES:
        assert_alike(found(source, images, PROMPTS), found(weights, images, told), off=off)


def test_a_promptable_checkpoint_keeps_its_tensors_and_says_what_it_was_told(promptable, images):
    told = {"title": PROMPTS["title"], "callout": PROMPTS["detail"], "door": ("violet hexagon", "a door")}
    weights = moved(promptable, told, {"title": "title", "callout": "detail"})
    old, new = load_model(promptable), load_model(weights)
    assert all(value.equal(old.state_dict()[name]) for name, value in new.state_dict().items())
    assert (new.names, new.model[-1].nc, tuple(new.pe.shape)) == (dict(enumerate(told)), 3, (1, 3, 512))
    assert new.pe[0, 0].equal(old.pe[0, 2])
    assert new.pe[0, 1].equal(old.pe[0, 0])
    set_prompts(old, list(told), told)  # as `predict` would
    np.testing.assert_allclose(new.pe[0, 2], old.pe[0, 2], atol=1e-6)
    assert remembered(new) == told
    assert new.prompts["sha256"] == prompts_sha256(told, "wordllama")


def test_a_class_keeps_the_text_that_it_was_trained_with(promptable):
    """The prompts may have been edited since: the checkpoint was told the old ones."""
    told = {**PROMPTS, "detail": ("something else",), "door": ("violet hexagon",)}
    weights = load_model(moved(promptable, told, {name: name for name in CLASSES}))
    assert remembered(weights) == {**PROMPTS, "door": ("violet hexagon",)}
    assert weights.pe[0, 0].equal(load_model(promptable).pe[0, 0])


def test_plain_ultralytics_sees_the_new_names(promptable, images):
    ultralytics = start_ultralytics()
    told = {"title": PROMPTS["title"], "callout": PROMPTS["detail"], "elevation": PROMPTS["elevation"]}
    model = ultralytics.YOLO(str(moved(promptable, told, {**{n: n for n in told}, "callout": "detail"})))
    ours = found(Path("moved.pt"), images, told)
    for one in ours:
        seen = model.predict(
            str(one.image), imgsz=128, conf=0.2, agnostic_nms=False, verbose=False, save=False, device="cpu"
        )[0]
        assert seen.names == dict(enumerate(told))
        np.testing.assert_array_equal(one.class_id, seen.boxes.cls.numpy())


def rows_of(weights: Path) -> list[Any]:
    """Return weight and bias of every row of the class branch, each (classes, numbers), one per level and branch."""
    head = load_model(weights).model[-1]
    layers = [one[-1] for branch in (head.cv3, head.one2one_cv3) for one in branch]
    return [np.c_[one.weight.detach().flatten(1).numpy(), one.bias.detach().numpy()] for one in layers]


def test_where_ultralytics_drops_what_was_learned_it_is_kept(toy_weights, workplace):
    """Its own way to another number of classes knows a row by the name alone: of three renamed ones none is left."""
    names = ("a", "b", "c", "door")
    weights = moved(toy_weights, dict.fromkeys(names, ("x",)), dict(zip(names, CLASSES, strict=False)))
    from ultralytics.nn.tasks import DetectionModel

    theirs = DetectionModel("yolo26n.yaml", nc=4, verbose=False)
    theirs.names = dict(enumerate(names))
    theirs.load(load_model(toy_weights), verbose=False)
    old, own = rows_of(toy_weights)[0], theirs.model[-1].cv3[0][-1].weight.detach().flatten(1).numpy()
    assert not any(np.allclose(row, own[place], atol=1e-3) for place, row in enumerate(old[:, :-1]))
    np.testing.assert_array_equal(rows_of(weights)[0][:3], old)


def test_merged_classes_take_the_row_of_the_one_with_most_boxes(toy_weights, workplace):
    change = merged(CLASSES, PROMPTS, ["detail", "title"], "mark")
    rows = row_sources(change, {"detail": 3, "title": 8, "elevation": 20})
    weights = moved(toy_weights, change.prompts, {"elevation": "elevation"}, rows)
    for old, new in zip(rows_of(toy_weights), rows_of(weights), strict=True):
        np.testing.assert_array_equal(new, old[[2, 1]])


def test_a_split_class_gives_its_row_to_each(toy_weights, workplace):
    change = split_up(CLASSES, PROMPTS, "elevation", ["elevation", "section"])
    weights = moved(toy_weights, change.prompts, {}, row_sources(change, {}))
    for old, new in zip(rows_of(toy_weights), rows_of(weights), strict=True):
        np.testing.assert_array_equal(new, old[[0, 1, 2, 1]])


def test_a_fresh_row_is_one_of_a_new_model(toy_weights, workplace):
    change = added(CLASSES, PROMPTS, "door")
    weights = moved(toy_weights, change.prompts, {}, row_sources(change, {}))
    from ultralytics.nn.tasks import DetectionModel

    head, fresh = load_model(weights).model[-1], DetectionModel("yolo26n.yaml", nc=4, verbose=False).model[-1]
    assert (head.nc, head.no) == (fresh.nc, fresh.no)
    for ours, theirs in zip(head.cv3, fresh.cv3, strict=True):
        assert ours[-1].weight.shape == theirs[-1].weight.shape
        assert float(ours[-1].bias[3].detach()) == pytest.approx(
            float(theirs[-1].bias[3].detach()), abs=5e-3
        )  # kept in half precision
        assert 0 < float(ours[-1].weight[3].detach().abs().max()) <= float(theirs[-1].weight.detach().abs().max()) * 1.1
    first = weights.read_bytes()
    assert moved(toy_weights, change.prompts, {}, row_sources(change, {})).read_bytes() == first


@pytest.mark.parametrize("kind", ["texts", "rows"])
def test_a_training_begins_from_what_was_kept(toy_weights, promptable, images, easy_sheets, kind):
    """Trained at a rate of 0 in four classes it finds what it found in three: nothing was dropped on the way."""
    from stages.dataset.sheets.split_folder import sheets_in
    from stages.detector.model.encoders import vectors_of

    change = added(renamed(CLASSES, PROMPTS, "detail", "callout").new, {}, "door")
    told = {"callout": PROMPTS["detail"], "elevation": PROMPTS["elevation"], "title": PROMPTS["title"]}
    told |= {"door": ("violet hexagon",)}
    assert change.new == tuple(told)
    stayed = {"callout": "detail", "elevation": "elevation", "title": "title"}
    weights = moved(promptable if kind == "texts" else toy_weights, told, stayed)
    if kind == "texts":
        text = vectors_of("wordllama", list(told), told)
        how = {"encoder": "wordllama", "vectors": text.prompts, "carry": "all", "images": []}
        start = prompt_start(weights, Path("target.pt"), list(told), **how)
    else:
        text, start = None, baseline_start(weights, list(told))
    assert not start.new_classes
    data = write_view(Path("view"), {"train": sheets_in(easy_sheets / "train")}, list(told))
    still = {"epochs": 1, "lr0": 0.0, "warmup_epochs": 0.0, "warmup_bias_lr": 0.0, "weight_decay": 0.0, "scale": 0.0}
    result = fit(Job(weights.resolve(), data, Path("run").resolve(), {**SETTINGS, **still}, "last", text))
    save_model(result.last, Path("trained.pt"), imgsz=128)
    assert class_names(load_model(Path("trained.pt"))) == tuple(told)
    before, after = (scores(one, images, told).max(axis=1) for one in (weights, Path("trained.pt")))
    assert before[..., :3].max() > 0.5
    np.testing.assert_allclose(before[..., :3], after[..., :3], atol=0.05)  # the statistics of its norms have moved


def test_the_first_prompts_take_a_migrated_class_branch_over(toy_weights, promptable, images):
    """Iteration 1 after a change: YOLO-26 in four classes, expressed through four texts."""
    told = {**PROMPTS, "door": ("violet hexagon",)}
    weights = moved(toy_weights, told, {name: name for name in CLASSES})
    vectors = encode("wordllama", list(told), told)
    batches = letterboxed(images[:8], 128)
    how = {"encoder": "wordllama", "vectors": vectors, "carry": "all", "images": batches}
    save_model(prompt_start(weights, Path("target.pt"), list(told), **how).model, Path("start.pt"), imgsz=128)
    for one, other in zip(found(toy_weights, images, PROMPTS), found(Path("start.pt"), images, told), strict=True):
        np.testing.assert_array_equal(one.class_id, other.class_id)
        np.testing.assert_allclose(one.confidence, other.confidence, atol=0.02)


def test_fused_prompts_are_refused(promptable, workplace):
    model = load_model(promptable)
    model.model[-1].fuse(model.pe)
    save_model(model, Path("fused.pt"), imgsz=128)
    with pytest.raises(UserError, match=r"^fused\.pt: expected weights whose prompts are still text, found prompts f"):
        moved(Path("fused.pt"), {"callout": ("x",)}, {})
    assert not Path("moved.pt").exists()


def test_a_baseline_of_other_classes_is_left_alone_and_any_other_one_refused(toy_weights, workplace):
    model = load_model(toy_weights)
    model.names = {0: "cat", 1: "dog", 2: "bird"}
    save_model(model, Path("cats.pt"), imgsz=128)
    change = removed(CLASSES, PROMPTS, "title")
    how = {"told": change.prompts, "rows": row_sources(change, {}), "origins": {}}
    assert migrate_weights(Path("cats.pt"), Path("moved.pt"), CLASSES, **how, baseline=True) == "none"
    with pytest.raises(UserError, match=r"^cats\.pt: expected the classes of params\.yaml .*, found cat, dog, bird"):
        migrate_weights(Path("cats.pt"), Path("moved.pt"), CLASSES, **how, baseline=False)
    assert not Path("moved.pt").exists()
