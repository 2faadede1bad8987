import pytest

from stages.base.errors import UserError
from stages.prompts.texts.prompt_file import plain, read_prompts, shown


def write(tmp_path, text):
    file = tmp_path / "prompts.yaml"
    file.write_text(text)
    return file


def test_prompts_come_in_class_order(tmp_path):
    file = write(tmp_path, "prompts:\n  b: ' second '\n  a: first\nnotes: {a: anything}\n")
    assert list(read_prompts(["a", "b"], file).items()) == [("a", ("first",)), ("b", ("second",))]


def test_a_class_may_have_several_texts(tmp_path):
    file = write(tmp_path, "prompts:\n  a: [one , two]\n  b:\n    - three\n")
    prompts = read_prompts(["a", "b"], file)
    assert prompts == {"a": ("one", "two"), "b": ("three",)}
    assert [plain(prompts["a"]), plain(prompts["b"])] == [["one", "two"], "three"]
    assert shown(prompts["a"]) == "one | two"


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("prompts: {a: x}\n", "none for 'b'"),
        ("prompts: {a: x, b: ''}\n", "none for 'b'"),
        ("prompts: {a: x, b: 3}\n", "none for 'b'"),
        ("prompts: {a: x, b: y, c: z}\n", "one for 'c', which is no class"),
        ("notes: {}\n", "none for 'a'"),
        ("prompts: {a: [], b: y}\n", "none for 'a'"),
        ("prompts: {a: [x, ''], b: y}\n", "none for 'a'"),
        ("prompts: {a: [x, 3], b: y}\n", "none for 'a'"),
        ("prompts: {a: [x, z], b: [y, Z ]}\n", "the same one for 'a' and 'b'"),
        ("prompts: {a: [x, X], b: y}\n", "of 'a' that differ"),
    ],
)
def test_wrong_prompts(tmp_path, text, found):
    with pytest.raises(UserError, match=found):
        read_prompts(["a", "b"], write(tmp_path, text))
