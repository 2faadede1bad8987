import pytest

from stages.wording.rates import gain_in, rate_in


@pytest.mark.parametrize(
    ("value", "low", "high", "text"),
    [
        (0.8642, 0.815, 0.904, "0.864 (0.81 to 0.90)"),
        (1.0, 0.9, 1.0, "1.000 (0.90 to 1.00)"),
        (0.5, None, None, "0.500"),  # one sheet: no interval
        (None, None, None, "–"),
        (0.009, 0.0061, 0.0138, "0.009 (0.006 to 0.014)"),  # a narrow one keeps its ends apart
        (0.5, 0.49, 0.51, "0.500 (0.49 to 0.51)"),
        (0.0004, 0.00031, 0.00062, "0.000 (0.0003 to 0.0006)"),
        (1.0, 1.0, 1.0, "1.000 (1.00 to 1.00)"),
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
        (0.001, -0.0024, 0.004, "+0.001 (-0.002 to 0.004)"),
        (None, None, None, "–"),
    ],
)
def test_a_gain_has_its_sign(gain, low, high, text):
    assert gain_in(gain, low, high) == text
