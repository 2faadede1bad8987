"""The vocabulary of the starter weights: many symbols, each its own, and none that the demo asks for."""

import numpy as np
import pytest

from starter.pretrain import SYMBOLS
from starter.vocabulary import FRAMES, ROUND, STRIPS, Symbol, _asked_for, vocabulary


@pytest.fixture(scope="module")
def symbols() -> list[Symbol]:
    return vocabulary(SYMBOLS, np.random.default_rng(0))


def test_hundreds_of_symbols_with_different_names_and_prompts(symbols):
    assert len(symbols) == 240
    assert len({symbol.name for symbol in symbols}) == len({symbol.prompt for symbol in symbols}) == 240


def test_every_frame_and_every_strip_is_there(symbols):
    assert {symbol.frame for symbol in symbols} == {*FRAMES, *STRIPS}


def test_the_same_seed_gives_the_same_vocabulary(symbols):
    assert vocabulary(SYMBOLS, np.random.default_rng(0)) == symbols
    assert vocabulary(SYMBOLS, np.random.default_rng(1)) != symbols


CALLOUT = Symbol("", "", "circle", "thin", "horizontal bar", "number", "")
MARKER = Symbol("", "", "double circle", "thin", "", "letter", "filled triangle")


def test_what_the_demo_asks_for_is_left_out(symbols):
    assert _asked_for(CALLOUT)
    assert _asked_for(MARKER)
    round_ones = [symbol for symbol in symbols if symbol.frame in ROUND]
    assert not any(symbol.split == "horizontal bar" or symbol.side == "filled triangle" for symbol in round_ones)
    assert not any("underlined" in symbol.prompt for symbol in symbols)


def test_a_prompt_says_what_is_drawn():
    symbol = vocabulary(60, np.random.default_rng(3))[-1]
    parts = (symbol.stroke, symbol.frame, symbol.split, symbol.mark, symbol.side)
    assert all(part in symbol.prompt for part in parts)
