"""Other texts for a class, tried on real weights with the sheets of a real split."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from stages.audit.wordings import MOST_SHEETS, WordingTrial, sheets_with, with_candidates
from stages.dataset.sheets.split_folder import Labels, Sheet, SplitSheet, read_labels
from tests.detector.conftest import PROMPTS, prompted, toy_params
from tests.toy import CLASSES

PARAMS = toy_params(batch=1)


def sheet(split, number, class_ids, *, labelled=True):
    file = Path(f"{split}{number}.png")
    labels = Labels(np.array(class_ids, np.int32), np.full((len(class_ids), 4), 0.5))
    return SplitSheet(split, Sheet(file, file.with_suffix(".txt")), labels if labelled else None)


def test_words_are_tried_on_labelled_sheets_with_the_class_and_never_on_val():
    sheets = [
        sheet("train", 0, [1]),
        sheet("train", 1, [0]),
        sheet("pool", 2, [0, 1]),
        sheet("pool", 3, [1], labelled=False),
        sheet("val", 4, [1]),
    ]
    assert [one.sheet.image_id for one in sheets_with(sheets, {1})] == ["train0.png", "pool2.png"]
    assert sheets_with(sheets, {2}) == []


def test_many_sheets_are_thinned_evenly():
    found = sheets_with([sheet("train", number, [0]) for number in range(1000)], {0})
    assert len(found) == MOST_SHEETS
    assert (found[0].sheet.image_id, found[-1].sheet.image_id) == ("train0.png", "train999.png")


@pytest.fixture
def labelled(easy_sheets):
    folder = easy_sheets / "train"
    files = sorted((folder / "images").iterdir())
    pairs = [Sheet(file, folder / "labels" / f"{file.stem}.txt") for file in files]
    return [SplitSheet("train", one, read_labels(one.label, CLASSES)) for one in pairs]


def tried(weights, labelled, prompts):
    truth = pd.DataFrame(
        [
            {"class_id": class_id, "size": "small", "position": "center", "x1": 0.0, "y1": 0.0, "x2": 9.0, "y2": 9.0}
            for one in labelled
            for class_id in one.labels.class_id.tolist()
        ]
    )
    suggestions = [{"class_name": "title", "mostly": {"contrast": None}, "suggestions": [{"rule": "look"}]}]
    trial = WordingTrial(PARAMS, weights, None, 0.5, 0.25)
    groups = {one.sheet.image_id: "" for one in labelled}
    return with_candidates(suggestions, labelled, truth, groups, prompts, trial)[0]


@pytest.mark.slow
def test_other_texts_are_measured_and_the_best_comes_first(toy_weights, images, labelled):
    weights = prompted(toy_weights, images)
    row = tried(
        weights, labelled, {**PROMPTS, "title": ("flat red bar with a purple elephant, seventeen loud bananas",)}
    )
    best, *others = row["candidates"]
    assert [one["number"] for one in row["candidates"]] == list(range(1, len(others) + 2))
    values = [one["f1"]["value"] for one in row["candidates"]]
    assert values == sorted(values, reverse=True)
    titles = [(one.labels.class_id == CLASSES.index("title")).sum() for one in labelled]
    assert (best["sheets"], best["boxes"]) == (np.count_nonzero(titles), sum(titles))
    assert best["says"].startswith("expected effect on F1 of 'title': ")
    assert (best["rule"], best["texts"]) == ("shorter", "flat red bar")
    assert best["f1"]["value"] > 0.2
    right = tried(weights, labelled, {**PROMPTS, "title": ("flat red bar in a drawing",)})["candidates"]
    values = {one["rule"]: one["f1"]["value"] for one in right}
    assert max(values.values()) <= 0.05  # nothing beats what was learned by much
    assert values["shorter"] > values["name"]  # "flat red bar" is what was learned; "title" is not


@pytest.mark.slow
def test_weights_that_read_no_text_measure_nothing(toy_weights, labelled):
    assert "candidates" not in tried(toy_weights, labelled, PROMPTS)
