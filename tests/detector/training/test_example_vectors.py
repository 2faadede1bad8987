"""Labelled boxes in place of words: the vector of one brings out what it looks like."""

from pathlib import Path

import numpy as np
import pytest

from stages.base.errors import UserError
from stages.dataset.sheets.split_folder import Sheet, read_labels
from stages.detector.model.checkpoint import load_model, save_model
from stages.detector.model.encoders import (
    UNTRAINED,
    encode,
    known_examples,
    mark_encoder,
    set_prompts,
    understood,
    vectors_of,
)
from stages.detector.training.example_vectors import example_vectors
from stages.detector.training.told_prompts import remember, remembered
from stages.prompts.texts.examples import DrawnExample, example_of, example_text, is_example
from tests.detector.conftest import PROMPTS, prompted
from tests.toy import CLASSES


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("example:a b#1.png#12", DrawnExample("a b#1.png", 12)),
        ("example:a.png", None),
        ("example:#3", None),
        ("example:a.png#0", None),
        ("example:a.png#x", None),
        ("a.png#3", None),
    ],
)
def test_an_example_is_a_sheet_and_a_row(text, found):
    assert example_of(text) == found
    assert found is None or example_text(found) == text
    assert is_example(text) == text.startswith("example:")


@pytest.fixture
def sheets(easy_sheets):
    folder = easy_sheets / "train"
    return [Sheet(file, folder / f"labels/{file.stem}.txt") for file in sorted((folder / "images").iterdir())]


def boxes_of(sheets, name):
    """Return the boxes of a class, in the order of the sheets."""
    ids = {sheet.image_id: read_labels(sheet.label, CLASSES).class_id for sheet in sheets}
    rows = [(image_id, row) for image_id, found in ids.items() for row, one in enumerate(found.tolist(), 1)
            if one == CLASSES.index(name)]  # fmt: skip
    return [example_text(DrawnExample(*one)) for one in rows]


@pytest.mark.slow
def test_boxes_of_one_class_are_nearer_to_each_other_than_to_another(toy_weights, images, sheets):
    """The detector was told texts alone; what it makes of boxes is read off its class branch."""
    model = load_model(prompted(toy_weights, images))
    shown = {name: tuple(boxes_of(sheets, name)[:4]) for name in CLASSES}
    vectors = example_vectors(model, shown, sheets, CLASSES, imgsz=128)
    assert set(vectors) == {text for texts in shown.values() for text in texts}
    assert all(float(one.norm()) == pytest.approx(1, abs=1e-5) for one in vectors.values())
    averages = understood(model, vectors_of("wordllama", CLASSES, shown, examples=vectors).prompts).numpy()
    for name, average in zip(CLASSES, averages, strict=True):
        text = boxes_of(sheets, name)[5]
        one = example_vectors(model, {name: (text,)}, sheets, CLASSES, imgsz=128)[text]
        likeness = averages @ understood(model, one[None]).numpy()[0]
        assert likeness.argmax() == CLASSES.index(name)
        assert likeness.max() > 0.6
        assert average @ average == pytest.approx(1, abs=1e-4)


@pytest.mark.slow
def test_a_checkpoint_goes_with_its_examples(toy_weights, images, sheets, workplace):
    weights = prompted(toy_weights, images)
    model = load_model(weights)
    prompts = {**PROMPTS, "title": tuple(boxes_of(sheets, "title")[:2])}
    with pytest.raises(UserError, match="an example that the weights were trained with"):
        set_prompts(model, CLASSES, prompts)
    examples = example_vectors(model, prompts, sheets, CLASSES, imgsz=128)
    remember(model, prompts, examples)
    save_model(model, Path("shown.pt"), imgsz=128)
    again = load_model(Path("shown.pt"))
    assert remembered(again) == prompts
    vectors = encode("wordllama", CLASSES, prompts, known_examples(again))
    np.testing.assert_allclose(vectors, encode("wordllama", CLASSES, prompts, examples), atol=1e-6)
    set_prompts(again, CLASSES, prompts)


@pytest.mark.slow
def test_weights_with_a_visual_path_of_their_own_are_asked_through_it(toy_weights, images, sheets):
    model = load_model(prompted(toy_weights, images))
    text = boxes_of(sheets, "detail")[0]
    mark_encoder(model, "mobileclip2")
    theirs = example_vectors(model, {"detail": (text,)}, sheets, CLASSES, imgsz=128)[text]
    mark_encoder(model, UNTRAINED)
    ours = example_vectors(model, {"detail": (text,)}, sheets, CLASSES, imgsz=128)[text]
    assert abs(float(theirs @ ours)) < 0.5


@pytest.mark.parametrize("text", ["example:none.png#1", "example:{sheet}#99", "example:{sheet}#{other}"])
def test_what_is_no_box_of_the_class_is_one_line(sheets, text):
    ids = read_labels(sheets[0].label, CLASSES).class_id.tolist()
    other = next(row for row, one in enumerate(ids, 1) if one != CLASSES.index("detail"))
    asked = text.format(sheet=sheets[0].image_id, other=other)
    with pytest.raises(UserError, match="expected a labelled box of 'detail'"):
        example_vectors(None, {"detail": (asked,)}, sheets, CLASSES, imgsz=128)
