"""`yoloop plots`: DVC's plots on a page that needs no network."""

import re
from collections.abc import Sequence
from pathlib import Path

from stages.base.atomic import replacing
from stages.base.errors import problem
from stages.project.repository import dvc, git

TEMPLATE = Path(__file__).parent / "vega/plots.html"
_DATA = re.compile(r"(?<=var spec = )\{.*?\}(?=;\s*\n\s*vegaEmbed\()", re.DOTALL)
_WORKSPACE = "workspace"  # as DVC calls what lies in the folder


def make_plots(root: Path, revisions: Sequence[str] = ()) -> str:
    """Draw the plots of the workspace, or those of `revisions` over each other; return the page's URI.

    A revision is a commit, tag, branch or experiment; a single one is compared with the workspace. Raises
    `UserError` for an unknown one, and when there is nothing to draw.
    """
    git.require_repository(root)
    dvc.require_repository(root)
    for revision in revisions:
        _require_known(root, revision)
    # Given here as well as in .dvc/config, which an older commit or a person's own settings may not hold.
    template = ["--html-template", str(TEMPLATE)]
    said = dvc.run(root, "plots", *(["diff", *template, *revisions] if revisions else ["show", *template]))
    pages, page = [line for line in said.splitlines() if line.startswith("file:")], root / "dvc_plots/index.html"
    if not pages or not _has_plots(page):
        raise problem("plots_page.plots_draw", "dvc.yaml")
    with replacing(page) as temporary:
        temporary.write_text(without_markup(page.read_text(encoding="utf-8")), encoding="utf-8")
    return pages[-1]


def without_markup(page: str) -> str:
    """Return DVC's page with no markup in its data: DVC writes names into a script as they are, and a `</script>` in
    one would end it there. What is drawn stays the same."""
    return _DATA.sub(lambda found: found[0].replace("<", r"\u003c"), page)


def _has_plots(page: Path) -> bool:
    """Say whether something was drawn: for a plot without data DVC writes `var spec = {};`."""
    drawn = page.read_text(encoding="utf-8").rpartition("<main>")[2]
    return 'var spec = {"' in drawn or "<img " in drawn


def _require_known(root: Path, revision: str) -> None:
    experiments = git.run(root, "for-each-ref", "--format=%(refname:lstrip=4)", "refs/exps").split()
    if revision in (_WORKSPACE, *experiments) or git.resolve(root, revision):
        return
    tags = git.run(root, "tag", "--list", "--sort=version:refname", "iteration-*").split()
    raise problem(
        "plots_page.commits_tags_branches", "yoloop plots", revision=revision, value=", ".join(tags) or "none yet"
    )
