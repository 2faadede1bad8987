import numpy as np
import pytest

from stages.detector.training.prompt_changes import change_lines, near_lines, near_pairs, prompt_changes


def unit(*values):
    vector = np.array(values, np.float32)
    return vector / np.linalg.norm(vector)


OLD = {"door": unit(1, 0, 0), "window": unit(0, 1, 0)}
TEXTS = {"door": ("an arc",), "window": ("an opening",)}


def kinds(after, texts, *, before=OLD, texts_before=TEXTS):
    changes = prompt_changes(before=before, after=after, texts_before=texts_before, texts_after=texts)
    return changes, {one.class_name: one.kind for one in changes}


def test_what_became_of_every_class():
    after = {"window": unit(0, 1, 1), "stair": unit(0, 0, 1)}
    changes, found = kinds(after, {"window": ("a hole",), "stair": ("steps",)})
    assert found == {"window": "reworded", "stair": "new", "door": "gone"}
    assert changes[0].cosine == pytest.approx(2**-0.5)
    assert change_lines(changes) == [
        "window: 'an opening' -> 'a hole' (cosine of the embeddings 0.707)",
        "stair: new, told 'steps'; nothing was learned for it yet",
        "door: is no class any more",
    ]


def test_the_same_texts_change_nothing_in_any_order():
    changes, found = kinds(dict(reversed(OLD.items())), TEXTS)
    assert set(found.values()) == {"same"}
    assert change_lines(changes) == []


def test_without_texts_the_embeddings_decide():
    """A checkpoint of others: its prompts are known as numbers alone."""
    after = {"door": unit(1, 0, 0), "window": unit(0, 1, 0.5)}
    changes, found = kinds(after, TEXTS, texts_before=None)
    assert found == {"door": "same", "window": "reworded"}
    assert change_lines(changes) == ["window: 'an opening' (cosine of the embeddings 0.894)"]


def test_classes_that_mean_the_same_are_named_the_nearest_first():
    pairs = near_pairs({"a": unit(1, 0), "b": unit(1, 0.1), "c": unit(0, 1), "d": unit(1, 0.09)})
    assert [(one.one, one.other) for one in pairs] == [("b", "d"), ("a", "d"), ("a", "b")]
    assert near_lines(pairs[:1])[0].startswith("'b' and 'd' mean almost the same to the text encoder (cosine 1.000)")
