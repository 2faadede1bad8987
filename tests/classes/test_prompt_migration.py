"""The prompts file goes with its classes: texts, notes, and what a person wrote beside them."""

import yaml

from stages.classes.class_change import merged, removed, renamed, split_up
from stages.classes.prompt_migration import migrated_prompts

CLASSES = ("detail", "elevation", "title")
PROMPTS = {"detail": ("round thing",), "elevation": ("a", "b"), "title": ("bar",)}
FILE = """# What YOLOE is told to look for.
prompts:
  detail: round thing # why
  # below: two texts
  elevation:
  - a
  - b # the better one
  title: bar
notes:
  detail: seen on A sheets
  title: [one, two]
  elevation: [three]
  anything: else
"""


def migrated(change):
    return migrated_prompts(FILE, yaml.safe_load(FILE), change)


def test_a_name_changes_and_comments_stay():
    text = migrated(renamed(CLASSES, PROMPTS, "elevation", "marker"))
    assert [line for line in text.splitlines() if "marker" not in line] == [
        line for line in FILE.splitlines() if "elevation" not in line
    ]
    assert "  marker:\n  - a\n  - b # the better one\n" in text
    assert "  marker: [three]\n" in text


def test_merged_notes_are_put_together():
    found = yaml.safe_load(migrated(merged(CLASSES, PROMPTS, ["elevation", "title"], "title")))
    assert found == {
        "prompts": {"detail": "round thing", "title": ["a", "b", "bar"]},
        "notes": {"detail": "seen on A sheets", "title": ["one", "two", "three"], "anything": "else"},
    }


def test_a_split_and_a_removal():
    found = yaml.safe_load(migrated(split_up(CLASSES, PROMPTS, "detail", ["door", "no"])))
    assert found["prompts"] == {"door": "round thing", "elevation": ["a", "b"], "title": "bar", "no": "no"}
    assert found["notes"]["door"] == "seen on A sheets"
    found = yaml.safe_load(migrated(removed(CLASSES, PROMPTS, "detail")))
    assert list(found["prompts"]) == ["elevation", "title"]
    assert "detail" not in found["notes"]


def test_a_file_without_notes_stays_so():
    text = "prompts: {detail: round thing, elevation: [a, b], title: bar}\nnotes: {}\n"
    after = migrated_prompts(text, yaml.safe_load(text), renamed(CLASSES, PROMPTS, "title", "on"))
    assert yaml.safe_load(after) == {
        "prompts": {"detail": "round thing", "elevation": ["a", "b"], "on": "bar"},
        "notes": {},
    }
