import pytest

from stages.wording.rates import gain_in, rate_in


@pytest.mark.parametrize(
    ("value", "low", "high", "text"),
    [
        (0.8642, 0.815, 0.904, "0.864 (0.81 to 0.90)"),
        (1.0, 0.9, 1.0, "1.000 (0.90 to 1.00)"),
        (0.5, None, None, "0.500"),  # one sheet: no interval
        (None, None, None, "–"),
    ],
)
def test_a_rate_with_its_interval(value, low, high, text):
    assert rate_in(value, low, high) == text


@pytest.mark.parametrize(
    ("gain", "low", "high", "text"),
    [
        (0.02, -0.014, 0.05, "+0.020 (-0.01 to 0.05)"),
        (-0.02, -0.05, -0.001, "-0.020 (-0.05 to 0.00)"),  # never -0.00
        (0.0, None, None, "+0.000"),
        (None, None, None, "–"),
    ],
)
def test_a_gain_has_its_sign(gain, low, high, text):
    assert gain_in(gain, low, high) == text
