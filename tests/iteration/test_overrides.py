"""`yoloop run --config FILE`, and which switches go together: every refusal is one line and changes nothing."""

from pathlib import Path

import pytest
import yaml

from stages.base.errors import UserError
from stages.iteration.overrides import overridden, read_overrides
from stages.project.repository import git
from tests.fake_project import REPO, person_params, sh
from tests.iteration.test_advance import snapshot
from tests.iteration.test_new_line import refs
from tests.iteration.test_run_loop import in_pipe

SECTIONS = "expected one of train, predict, validate, analyze, converge, sample, review, tile"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "params.yaml").write_text(person_params())
    return tmp_path


def given(folder: Path, text: str) -> Path:
    (folder / "over.yaml").write_text(text)
    return folder / "over.yaml"


def test_only_what_differs_and_comments_stay(root):
    params = yaml.safe_load((root / "params.yaml").read_text())
    same = params["train"]["momentum"]
    file = given(root, f"train:\n  epochs: 7\n  momentum: {same}\n  augment: {{mosaic: 0.25}}\nreview: {{by: page}}\n")
    values = read_overrides(file, root)
    assert values == {"train.epochs": 7, "train.augment.mosaic": 0.25, "review.by": "page"}
    before = (root / "params.yaml").read_text()
    after = overridden(before, values)
    params["train"]["epochs"], params["train"]["augment"]["mosaic"] = 7, 0.25
    params["review"]["by"] = "page"
    assert yaml.safe_load(after) == params
    changed = [line for line in after.splitlines() if line and line not in before.splitlines()]
    assert [line.split("#")[0].strip() for line in changed] == ["epochs: 7", "mosaic: 0.25", "by: page"]
    assert all("#" in line for line in changed)
    assert overridden(before, {}) == before


def test_windows_may_be_asked_for_and_their_comment_stays(root):
    values = read_overrides(given(root, "tile: 1024\n"), root)
    assert values == {"tile": 1024}
    after = overridden((root / "params.yaml").read_text(), values)
    assert after == (root / "params.yaml").read_text().replace("tile: null", "tile: 1024")
    with pytest.raises(UserError, match=r"over.yaml:2: expected tile: null, or the side of a window"):
        read_overrides(given(root, "\ntile: wide\n"), root)


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("train:\n  epochs: 7\n  epoch: 3\n", "over.yaml:3: expected a known key (baseline, "),
        ("train:\n  augment:\n    mosiac: 0.5\n", "over.yaml:3: expected a known key"),
        ("converge:\n  target_f1: high\n", "over.yaml:2: expected converge.target_f1: a valid number, found 'high'"),
        ("predict:\n  confidence_floor: 0.9\n", "over.yaml: expected predict.confidence_floor: at most"),
        ("review:\n  auto_confidence: 1.5\n", "over.yaml:2: expected review.auto_confidence: less than or equal to 1"),
        (
            "\nspeed: 1\n",
            f"over.yaml:2: {SECTIONS}, found 'speed'",
        ),
        ("train: 5\n", "over.yaml:1: expected keys of train below it, found 5"),
        (
            "iteration: 3\n",
            "found 'iteration'. Leave it out: `yoloop advance` raises it; to start over: --start-iteration N",
        ),
        ("classes: [a]\n", "found 'classes'. Leave them out"),
        (
            "on: 1\n",
            f"over.yaml:1: {SECTIONS}, found 'on'",
        ),
        (
            "null: 1\n",
            f"over.yaml: {SECTIONS}, found 'None'",
        ),
        ("train: [\n", "over.yaml:2: expected valid YAML"),
        ("- 1\n", "over.yaml: expected keys and values, found list"),
    ],
)
def test_a_mistake_is_named_with_its_line(root, text, complaint):
    with pytest.raises(UserError) as caught:
        read_overrides(given(root, text), root)
    assert complaint in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_mistake_in_params_has_its_own_line(root):
    text = (root / "params.yaml").read_text()
    (root / "params.yaml").write_text(text.replace("  budget:", "  budgt:"))
    with pytest.raises(UserError, match=r"params\.yaml:\d+: expected a known key"):
        read_overrides(given(root, "sample:\n  budget: 3\n"), root)


@pytest.fixture
def here(project, monkeypatch) -> Path:
    monkeypatch.setenv("PYTHONPATH", str(REPO))
    return project()


@pytest.mark.slow
def test_the_values_hold_for_this_and_later_runs_and_git_keeps_them(here, tmp_path):
    file = given(tmp_path, "sample:\n  budget: 13\n")
    done = in_pipe(here, "--config", str(file))
    assert (done.returncode, done.stderr) == (0, "")
    assert "Written into params.yaml: sample.budget " in done.stdout
    assert "[STEP 6/6] Choosing what to review..." in done.stdout
    assert yaml.safe_load(git.content(here, "iteration-0", "params.yaml") or b"")["sample"]["budget"] == 13
    assert sh(here, "git", "status", "--porcelain") == ""

    again = in_pipe(here, "--config", str(file))  # the same words again, in the pause: nothing differs
    assert (again.returncode, again.stderr) == (0, "")
    assert "Written" not in again.stdout

    late = in_pipe(here, "--config", str(given(tmp_path, "train: {epochs: 3, epochs_baseline: 3}\n")))
    assert (late.returncode, late.stderr) == (0, "")
    assert "train.epochs 100 -> 3. That counts from iteration 1 on" in late.stdout
    assert "MANUAL REVIEW - iteration 0" in late.stdout  # what is finished is not run again

    harmless = in_pipe(here, "--config", str(given(tmp_path, "review: {auto_confidence: 0.75}\n")))
    assert (harmless.returncode, harmless.stderr) == (0, "")
    assert "review.auto_confidence 0.5 -> 0.75" in harmless.stdout


@pytest.mark.slow
@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (["--config", "nowhere.yaml"], "nowhere.yaml: expected a YAML file (--config), found no file"),
        (["--auto", "--review", "person"], "--auto: expected one reviewer, found --review person too"),
        (["--auto-confidence", "0.5"], "--auto-confidence: expected the reviewer auto, found person"),
        (["--dry-run", "--start-iteration", "0"], "and ends before the review, found --start-iteration"),
        (["--dry-run", "--auto"], "--dry-run: expected nothing beside it but --config"),
        (["--dry-run", "--review", "oracle"], "found --review"),
        (["--start-iteration", "0", "--auto-confidence", "0.5"], "--auto-confidence: expected the reviewer auto"),
    ],
)
def test_what_does_not_go_together_is_one_line(here, words, complaint):
    before = snapshot(here)
    done = in_pipe(here, *words)
    assert done.returncode == 2
    assert complaint in done.stderr
    assert done.stderr.startswith("error: ")
    assert done.stderr.count("\n") == 1
    assert snapshot(here) == before


@pytest.mark.slow
@pytest.mark.parametrize(
    "words", [["--start-iteration", "-1"], ["--auto", "--auto-confidence", "2"], ["--start-iteration", "x"]]
)
def test_numbers_out_of_range(here, words):
    done = in_pipe(here, *words)
    assert done.returncode == 2
    assert "Traceback" not in done.stderr


@pytest.mark.slow
def test_starting_over_with_other_values(finished, monkeypatch, tmp_path):
    """The values go into the new line only."""
    monkeypatch.setenv("PYTHONPATH", str(REPO))
    root = finished()
    sh(root, "git", "commit", "-q", "--allow-empty", "-m", "Go on")
    before = refs(root)
    file = given(tmp_path, "sample: {budget: 13}\n")
    done = in_pipe(root, "--start-iteration", "0", "--config", str(file))
    assert (done.returncode, done.stderr) == (0, "")
    assert before.items() <= refs(root).items()
    budgets = {
        rev: yaml.safe_load(git.content(root, rev, "params.yaml") or b"")["sample"]["budget"]
        for rev in ("main", "again-1/dataset-v0", "again-1/iteration-0")
    }
    assert budgets["main"] == budgets["again-1/dataset-v0"] != 13
    assert budgets["again-1/iteration-0"] == 13
