import pytest

from stages.base.errors import UserError
from stages.formats.written_names import by_id
from stages.formats.yolo_folder import read_names


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("names: {0: 02146, 1: 21008, 2: 21010}\n", ("02146", "21008", "21010")),
        ("names: [on, off, no]\n", ("on", "off", "no")),
        ("names: {'0': a, '1': b}\n", ("a", "b")),  # Ultralytics takes keys in quotes
        ("names:\n  1: b\n  0: ' a '\n", ("a", "b")),
        ("names: [1e3, 0x10, 12:30]\n", ("1e3", "0x10", "12:30")),
        ("names: ['door', \"a: b\"]\n", ("door", "a: b")),
    ],
)
def test_names_are_read_as_they_are_written(tmp_path, text, names):
    (tmp_path / "data.yaml").write_text(text)
    assert read_names(tmp_path) == names


@pytest.mark.parametrize(
    "text",
    [
        "names: {1: a, 2: b}\n",
        "names: {a: 0, b: 1}\n",
        "names: [a, a]\n",
        "names: [a, null]\n",
        "names: [a, '']\n",
        "names: [[a], b]\n",
        "names: {0: {x: y}}\n",
        "names: door\n",
        "nc: 3\n",
    ],
)
def test_what_is_no_list_of_names_is_one_line(tmp_path, text):
    (tmp_path / "data.yaml").write_text(text)
    with pytest.raises(UserError, match="expected names: a list of different names"):
        read_names(tmp_path)


def test_by_id():
    assert by_id({"1": "b", "0": "a"}) == ["a", "b"]
    assert by_id({"0": "a", "2": "b"}) is None
    assert by_id(["a"]) == ["a"]
    assert by_id(None) is None
