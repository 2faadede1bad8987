import matplotlib as mpl
import pytest

from stages.analysis.styled_figure import CHART_STYLE, drawn_figure


def draw(file, style=CHART_STYLE):
    with drawn_figure(file, 2, 1, style) as figure:
        figure.add_subplot().set_title("cost $1 and $2")
    return file.read_bytes()


def test_a_style_is_all_that_counts(tmp_path):
    plain = draw(tmp_path / "a.png")
    with mpl.rc_context({"font.size": 30, "savefig.dpi": 30}):
        assert draw(tmp_path / "a.png") == plain
        assert mpl.rcParams["font.size"] == 30, "the settings of others stay theirs"
    assert draw(tmp_path / "a.png", {**CHART_STYLE, "font.size": 12}) != plain


def test_a_drawing_that_fails_leaves_the_file_of_before(tmp_path):
    before = draw(tmp_path / "a.png")
    with pytest.raises(ValueError, match="halfway"), drawn_figure(tmp_path / "a.png", 2, 1):
        raise ValueError("halfway")
    assert [file.name for file in tmp_path.iterdir()] == ["a.png"]
    assert (tmp_path / "a.png").read_bytes() == before
