"""The page and the plots of an iteration that real stages made, in a real browser."""

import re
import shutil

import pandas as pd
import pytest

from tests.browser import CHROMIUM, look
from tests.real_project import Project

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def closed(ran: Project, tmp_path_factory: pytest.TempPathFactory) -> tuple[Project, str]:
    """A project after `yoloop finish`, and what that said."""
    folder = tmp_path_factory.mktemp("closed")
    shutil.copytree(ran.root, folder / "project", symlinks=True)
    project = Project(folder / "project", ran.root.parent / "home")
    return project, project.yoloop("finish").stdout


def test_the_page_shows_what_the_stages_found(closed: tuple[Project, str]) -> None:
    project, said = closed
    page = project.root / said.splitlines()[-1].removeprefix("Page to open: ")
    text = page.read_text(encoding="utf-8")
    findings = pd.read_parquet(project.root / "data/analyze/findings.parquet")
    missed = findings[(findings["split"] == "val") & (findings["outcome"] == "fn")]
    packet = pd.read_csv(project.root / "data/sample/packet/focus.csv")
    assert len(missed)
    assert text.count("<figure>") == len(missed) + text.count("% sure</span>") - text.count("nearly found: ") + len(
        packet
    )
    assert text.count('<img src="data:image/jpeg;base64,') == text.count("<figure>")
    assert re.search(r"<td>together</td>.*<td>\d+</td></tr></tfoot>", text)  # the seconds of the training
    assert all(reason in text for reason in packet["reason"])


def test_from_the_cache_it_is_the_same_page(closed: tuple[Project, str]) -> None:
    project, _ = closed
    page = project.root / "reports/iteration_00.html"
    before = page.read_bytes()
    page.unlink()
    shutil.rmtree(project.root / "data/analyze")
    assert project.yoloop("report", "0").stdout.strip() == page.as_uri()
    assert page.read_bytes() == before


@pytest.mark.skipif(CHROMIUM is None, reason="needs Chromium")
def test_a_browser_shows_it_whole(closed: tuple[Project, str]) -> None:
    page = closed[0].root / "reports/iteration_00.html"
    asking = {"broken": "[...document.images].filter(image => !image.naturalWidth).length"}
    seen = look(page, asking=asking)
    assert (seen.requests, seen.errors, seen.answers) == ([], [], {"broken": 0})


@pytest.mark.skipif(CHROMIUM is None, reason="needs Chromium")
def test_a_browser_draws_all_plots(closed: tuple[Project, str]) -> None:
    project, _ = closed
    uri = project.yoloop("plots", "iteration-0", "workspace").stdout.strip()
    page = project.root / "dvc_plots/index.html"
    assert uri == page.as_uri()
    plots = page.read_text(encoding="utf-8").count("vegaEmbed('#")
    asking = {
        "blank": """[...document.querySelectorAll('main canvas')].filter(canvas =>
            new Set(canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data).size < 8).length""",
        "drawn": "document.querySelectorAll('main canvas').length",
    }
    seen = look(page, asking=asking)
    assert plots > 8
    assert seen.answers == {"drawn": plots, "blank": 0}
    assert [url for url in seen.requests if not url.startswith(page.parent.as_uri())] == []
