"""`yoloop plots` and plain `dvc plots` draw in a browser that has no network."""

import hashlib
import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from stages.base.errors import UserError
from stages.report.plots_page import TEMPLATE, make_plots
from tests.browser import CHROMIUM, look
from tests.fake_project import REPO, dvc, sh

MOST_BYTES = 1_500_000  # of the page without plots: it lies in Git
# The last plot of the page again, as SVG: its points say in words what a canvas only shows.
POINTS = """
const place = document.body.appendChild(document.createElement('div'));
vegaEmbed(place, window.spec, {renderer: 'svg'}).then(() =>
    [...place.querySelectorAll('[aria-roledescription=point]')].map(point => point.getAttribute('aria-label')))
"""
CANVASES = "document.querySelectorAll('main canvas').length"


def outside(page: Path) -> list[str]:
    return re.findall(r"""(?:src|href)\s*=\s*["']?(?:https?:)?//[^"'> ]+""", page.read_text(encoding="utf-8"))


def test_the_scripts_are_those_that_the_readme_names() -> None:
    said = re.findall(
        r"\| (vega[\w-]*) \| ([\d.]+) \| \S+ \| ([0-9a-f]{64}) \|", (TEMPLATE.parent / "README.md").read_text()
    )
    scripts = re.findall(r"<script>(.*?)</script>", TEMPLATE.read_text(encoding="utf-8"), flags=re.DOTALL)
    assert [name for name, _, _ in said] == ["vega", "vega-lite", "vega-embed"]
    assert [digest for _, _, digest in said] == [hashlib.sha256(script.encode()).hexdigest() for script in scripts]
    for (_, version, _), script in zip(said, scripts, strict=True):
        assert f'"{version}"' in script
    assert {f"LICENSE.{name}" for name, _, _ in said} <= {file.name for file in TEMPLATE.parent.iterdir()}
    assert TEMPLATE.stat().st_size < MOST_BYTES
    assert outside(TEMPLATE) == []


def test_the_project_is_set_to_that_page() -> None:
    folder = REPO / ".dvc"
    setting = re.search(r"html_template = (.+)", (folder / "config").read_text())
    assert setting
    assert (folder / setting[1]).resolve() == TEMPLATE.resolve()


@pytest.fixture
def two(finished: Callable[[], Path]) -> Path:
    """A finished iteration, and in the workspace the history of one more."""
    root = finished()
    history = root / "plots/converge/history.csv"
    row = history.read_text().splitlines()[-1].replace("0,0.8,", "1,0.9,", 1)
    history.write_text(f"{history.read_text()}{row}\n")
    shutil.copytree(REPO / ".dvc/plots", root / ".dvc/plots")
    return root


@pytest.mark.slow
def test_both_revisions_are_on_the_page(two: Path) -> None:
    page = two / "dvc_plots/index.html"
    assert make_plots(two, ["iteration-0", "workspace"]) == page.as_uri()
    assert '"rev": "iteration-0"' in page.read_text()
    assert '"rev": "workspace"' in page.read_text()
    assert outside(page) == []
    assert sh(two, "git", "status", "--porcelain", "dvc_plots") == ""
    with pytest.raises(UserError, match=r"expected commits.*found 'iteration-9'\. Finished iterations: iteration-0\."):
        make_plots(two, ["iteration-0", "iteration-9"])


@pytest.mark.slow
def test_a_name_is_never_code(two: Path) -> None:
    name = "</script><script>document.title='run'</script>"
    (two / "plots/validate/confusion.csv").write_text(f"actual,predicted\n{name},title\n")
    make_plots(two)
    page = (two / "dvc_plots/index.html").read_text()
    assert name not in page
    (spec,) = [line for line in page.splitlines() if "var spec" in line and "document.title=" in line]
    assert name in str(json.loads(spec.strip().removeprefix("var spec = ").removesuffix(";")))


@pytest.mark.slow
@pytest.mark.skipif(CHROMIUM is None, reason="needs Chromium")
def test_a_browser_without_a_network_draws_them(two: Path) -> None:
    shutil.copyfile(REPO / ".dvc/config", two / ".dvc/config")
    shutil.copytree(TEMPLATE.parent, two / "stages/report/vega")
    # by the project's own setting, without yoloop
    dvc(two, "plots", "diff", "iteration-0", "--targets", "plots/converge/history.csv")
    page = two / "dvc_plots/index.html"
    seen = look(page, asking={"canvases": CANVASES, "points": POINTS})
    assert [url for url in seen.requests if not url.startswith(page.parent.as_uri())] == []  # only DVC's pictures
    assert seen.errors == []
    assert seen.answers["canvases"] == 1
    assert sorted(seen.answers["points"]) == [
        "iteration: 0; f1: 0.8; series: f1; revision: iteration-0",
        "iteration: 0; f1: 0.8; series: f1; revision: workspace",
        "iteration: 1; f1: 0.9; series: f1; revision: workspace",
    ]
