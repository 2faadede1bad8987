"""What a training costs, with numbers worked out by hand."""

import pytest

from stages.detector.rehearsal.step_cost import Training, duration, scaled, work_line

SMALL = Training(sheets=10, epochs=5, batch=4, imgsz=320, prompted=False)


def test_images_and_steps():
    assert SMALL.images == 50
    assert SMALL.steps == 15  # 3 a turn: 4 + 4 + 2 sheets
    assert work_line(SMALL) == "10 sheets x 5 epochs = 50 images, in 15 steps of 4, at 320 px"


@pytest.mark.parametrize(
    ("changes", "seconds"),
    [
        ({}, 60),
        ({"sheets": 20}, 120),
        ({"epochs": 1}, 12),
        ({"imgsz": 640}, 240),  # four times the pixels
        ({"prompted": True}, 120),
        ({"batch": 1}, 60),  # the same images
    ],
)
def test_seconds_grow_with_images_pixels_and_prompts(changes, seconds):
    assert scaled(60, measured=SMALL, wanted=SMALL._replace(**changes)) == pytest.approx(seconds)


def test_from_a_prompted_training_nothing_is_doubled():
    prompted = SMALL._replace(prompted=True)
    assert scaled(60, measured=prompted, wanted=prompted) == pytest.approx(60)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0.2, "less than 1 s"),
        (1, "1 s"),
        (89, "89 s"),
        (90, "2 min"),
        (600, "10 min"),
        (5399, "90 min"),
        (5400, "1.5 h"),
    ],
)
def test_durations(seconds, text):
    assert duration(seconds) == text
