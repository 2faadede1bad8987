"""What is silently done with prompts elsewhere is said, of real models."""

from pathlib import Path

import pytest

from stages.detector.audit.head_facts import HeadFacts, head_facts, head_lines
from stages.detector.model.checkpoint import load_model, save_model
from tests.detector.conftest import PROMPTS, prompted
from tests.toy import CLASSES

FUSED = HeadFacts("fused", CLASSES, "wordllama", None)


@pytest.mark.slow
def test_the_kinds_of_heads(toy_weights, images, workplace):
    weights = prompted(toy_weights, images)
    ours = head_facts(load_model(weights))
    assert ours == HeadFacts("promptable", CLASSES, "wordllama", PROMPTS)
    assert head_lines(ours, CLASSES) == ["Text decides what it looks for (encoder wordllama)."]
    fused = load_model(weights)
    fused.model[-1].fuse(fused.pe)
    save_model(fused, Path("fused.pt"), imgsz=128)
    assert head_facts(load_model(Path("fused.pt"))).kind == "fused"
    baseline = head_facts(load_model(toy_weights))
    assert (baseline.kind, baseline.encoder) == ("no text", None)
    assert head_lines(baseline, CLASSES)[0].startswith("No effect: a detector without prompts")


@pytest.mark.parametrize(
    ("classes", "said"),
    [
        (CLASSES, []),  # other texts for the same classes
        ((*CLASSES, "door"), ["would erase 3 learned classes"]),  # three old ones and one new
        (("a", "b", "c", "d"), ["would erase 3 learned classes"]),  # three renamed and one new
        (("a", *CLASSES[1:]), [f"'a' would have that of '{CLASSES[0]}'"]),
        ((CLASSES[1], CLASSES[0], CLASSES[2]), [f"Class order: {CLASSES[1]}, {CLASSES[0]}"]),
        ((CLASSES[1], "a", CLASSES[2]), ["Class order"]),
    ],
)
def test_what_an_edit_would_do_to_a_fused_head(classes, said):
    first, *lines = head_lines(FUSED, classes)
    assert first.startswith("No effect: the head is fused")
    assert len(lines) == len(said)
    assert all(part in line for part, line in zip(said, lines, strict=True))
