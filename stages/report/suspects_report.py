"""`yoloop suspects`: the page of the labels that look wrong in the iteration in the workspace."""

from pathlib import Path

from stages.analysis.analysis_tables import SUSPECTS
from stages.base.atomic import replacing
from stages.base.params import PARAMS, read_classes, read_iteration
from stages.base.tables import read_table
from stages.dataset.sheets.split_folder import DATASET
from stages.report.pages.rendering import suspects_html
from stages.report.suspect_pictures import Boxes, make_pairs
from stages.ruler.matching.matching import counting
from stages.ruler.pairing.box_tables import DETECTIONS, PREDICTED
from stages.ruler.schemas import GROUND_TRUTH, IMAGES

MOST = 120  # suspects on the page, which keeps it under some 5 MB
PAGES = Path("reports")  # beside Git and DVC: every page can be made again
TABLES, SUSPECTS_FILE = Path("data/validate"), Path("data/analyze/suspects.parquet")


def make_page(root: Path) -> Path:
    """Write reports/suspects_NN.html and return its path; raise `UserError` when `analyze` has not run."""
    classes, iteration = read_classes(root / PARAMS), read_iteration(root / PARAMS)
    suspects = read_table(root / SUSPECTS_FILE, SUSPECTS)
    images = read_table(root / TABLES / "images.parquet", IMAGES)
    detections = read_table(root / PREDICTED / "detections.parquet", DETECTIONS)
    boxes = Boxes(
        read_table(root / TABLES / "ground_truth.parquet", GROUND_TRUTH),
        detections[counting(detections, images=images)],
    )
    blamed = suspects[suspects["judgement"] != "model"].sort_values("score", ascending=False, kind="stable")
    pairs = make_pairs(blamed[:MOST], boxes, classes, dataset=root / DATASET)
    file = root / suspects_file(iteration)
    with replacing(file) as temporary:
        temporary.write_text(suspects_html(iteration, suspects, pairs), encoding="utf-8")
    return file


def suspects_file(iteration: int) -> Path:
    """Return where the page of the suspects of an iteration lies."""
    return PAGES / f"suspects_{iteration:02d}.html"
