from stages.audit.text_cuts import cut_lines, kept_words

LONG = " ".join(f"word{i}" for i in range(90))


def test_a_long_text_is_cut_where_the_encoder_has_a_limit():
    (line,) = cut_lines({"door": (LONG,), "window": ("short",)}, encoder="mobileclip2")
    assert line.startswith("door: 'word0 word1")
    assert f"is cut after '{kept_words(LONG).split()[-1]}'" in line
    assert kept_words(LONG).split()[-1] == "word74"  # 75 words, and the marks of start and end
    assert list(cut_lines({"door": (LONG,)}, encoder="wordllama")) == []


def test_a_stroke_is_read_here_and_cut_elsewhere():
    (line,) = cut_lines({"detail": ("detail / section bubble",)}, encoder="wordllama")
    assert "after 'detail'" in line
    assert "read whole here" in line


def test_the_first_word_stays_however_long_it_is():
    assert kept_words("x" * 2000) == "x" * 2000
