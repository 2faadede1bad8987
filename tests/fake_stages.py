"""The six stages as one small script that DVC runs in the tests: the right files, made-up numbers."""

import hashlib
import json
import shutil
import sys
from collections.abc import Iterable
from pathlib import Path

import pandas as pd
import yaml

PARAMS = yaml.safe_load(Path("params.yaml").read_text())
N = PARAMS["iteration"]
CLASSES = PARAMS["classes"]
PACKET = Path("data/sample/packet")
RULER = {"iou": 0.5, "confidence": 0.25, "imgsz": 640, "filters": {}, "classes": CLASSES, "val_sheets": 2}


def write(name: str, value: object) -> None:
    file = Path(name)
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(value if isinstance(value, str) else json.dumps(value, indent=2) + "\n")


def sheets(split: str) -> list[str]:
    return sorted(file.name for file in Path("data/dataset", split, "images").glob("*"))


def train() -> None:
    prompts = yaml.safe_load(Path("data/prompts.yaml").read_text())["prompts"]
    parent = Path("models/parent.pt").read_bytes()
    if parent.startswith(b"PK"):  # a real checkpoint stays one: it has learned nothing
        Path("models/best.pt").write_bytes(parent)
    else:
        write("models/best.pt", f"iteration {N} from {parent.decode()} with {prompts}")
    write("models/last.pt", f"last of {N}")
    write("models/prompts.npz", f"embeddings of {prompts}")
    write("metrics/train.json", {"epochs": 3, "lr": 0.001 * 0.5**N, "images": len(sheets("train"))})
    write("plots/train/results.csv", "epoch,loss\n1,0.5\n2,0.4\n")


def predict() -> None:
    name = f"boxes of {N} by {digest(Path('models/best.pt'))}"
    row = {"split": "val", "image_id": name, "detection_id": 0, "class_id": 0, "confidence": 0.5}
    table = pd.DataFrame([{**row, "x1": 0.0, "y1": 0.0, "x2": 9.0, "y2": 9.0}])
    Path("data/predict").mkdir(parents=True, exist_ok=True)
    table.astype({"detection_id": "int32", "class_id": "int32"}).to_parquet("data/predict/detections.parquet")


def rates(f1: float) -> dict[str, object]:
    values = {"f1": f1, "precision": 0.9, "recall": 0.8, "ap50": 0.85, "ap50_95": ""}
    ends = {f"{name}{end}": "" for name in values for end in ("_low", "_high")}
    return {**values, **ends, "f1_low": round(f1 - 0.06, 2), "f1_high": round(f1 + 0.06, 2)}


def csv(name: str, rows: list[dict[str, object]]) -> None:
    lines = [",".join(rows[0]), *(",".join(map(str, row.values())) for row in rows)]
    write(name, "\n".join(lines) + "\n")


def validate() -> None:
    f1 = round(0.8 + 0.05 * N, 2)
    splits = [{"split": split, "images": len(sheets(split)), "boxes": 10} for split in ("val", "train", "pool")]
    values = {"f1": f1, "f1_low": round(f1 - 0.06, 2), "f1_high": round(f1 + 0.06, 2), "precision": 0.9, "recall": 0.8}
    rest = {"map50": 0.85, "map50_95": None, "tp": 8, "fp": 1, "fn": 2, "train_f1": f1 + 0.01, "confidence": 0.25}
    copies = {"f1_with_copy": None, "f1_without_copy": f1, "ruler": "3f2a90bc", "ruler_statement": [RULER]}
    splits = [{**one, "labelled": one["images"]} for one in splits]
    write("metrics/validate.json", {**values, **rest, **copies, "splits": splits, "notes": ["2 sheets are few."]})
    for name in ("images", "ground_truth", "matches"):
        write(f"data/validate/{name}.parquet", f"{name} of {N}")
    scores(f1)
    for name in ("pr_curve", "f1_curve", "confusion"):
        write(f"plots/validate/{name}.csv", "x,y\n0,1\n")


def scores(f1: float) -> None:
    names = [("all", "all"), *(("class", name) for name in CLASSES), ("size", "tiny")]
    counts = {"images": 2, "boxes": 4, "tp": 3, "fp": 0, "fn": 1}
    both = [(split, part, name) for split in ("val", "train") for part, name in names]
    rows = [{"split": split, "part": part, "name": name, **counts, **rates(f1)} for split, part, name in both]
    csv("data/validate/scores.csv", rows)
    one = {"split": "val", "group": "", "confidence": 0.25, "tp": 4, "fp": 0, "fn": 1}
    columns = ["split", "image_id", "group", "confidence", "tp", "fp", "fn"]
    lines = [{**one, "image_id": name} for name in sheets("val")]
    csv("data/validate/sheets.csv", [{name: line[name] for name in columns} for line in lines])
    fates = {"found": 8, "filter": 0, "merge": 0, "max_det": 0, "suppressed": 0, "taken": 0, "under_threshold": 1}
    fates = {**fates, "wrong_class": 0, "badly_placed": 0, "under_floor": 0, "never_proposed": 1}
    csv("data/validate/ledger.csv", [{"split": "val", "class_name": "all", "boxes": 10, **fates}])
    costs = {"count": 1, "d_f1": 0.05, "d_ap50": ""}
    csv("data/validate/errors.csv", [{"split": "val", "error": kind, **costs} for kind in ("bkg", "miss")])


def analyze() -> None:
    write("data/analyze/crops.txt", f"crops of {N}")  # no findings: a page has no pictures then
    write("metrics/analyze.json", {"fn": 2})
    csv("data/analyze/counts.csv", [{"split": "val", "kind": "size", "name": "tiny", "fn": 2}])
    write("metrics/prompt_suggestions.json", {"title": "add: underlined"})
    write("plots/analyze/fn_by_size.png", "png")


def converge() -> None:
    stop = PARAMS["converge"]["max_iterations"] <= N + 1
    verdict, rule = ("stop", "max_iterations") if stop else ("go on", "")
    f1 = round(0.8 + 0.05 * N, 2)
    size = [len(sheets("train")), 10, len(sheets("pool"))]
    row = [N, f1, round(f1 - 0.06, 2), round(f1 + 0.06, 2), 0.9, 0.8, 0.85, "", 8, 1, 2, 0.25, 0.81, *size]
    statement = json.dumps(RULER).replace('"', '""')
    cells = [*row, *[f1] * len(CLASSES), *[1] * len(CLASSES), "3f2a90bc", f'"{statement}"', verdict, rule, "", ""]
    write(
        "plots/converge/history.csv",
        Path("metrics/history.csv").read_text() + ",".join(map(str, cells)) + "\n",
    )
    carried = json.loads(Path("metrics/history_sheets.json").read_text())["iterations"]
    now = {"iteration": N, "ruler": "3f2a90bc", "sheets": [[name, 4, 0, 1] for name in sheets("val")]}
    write("metrics/converge_sheets.json", {"iterations": [*carried, now]})
    found = [[name, [0, 1, 2, 3], [0] * len(CLASSES)] for name in sheets("val")]
    write("metrics/converge_outcomes.json", {"outcomes": [{**now, "sheets": found}]})
    write("plots/converge/classes.csv", "iteration,class_name,f1,fn\n")
    write("plots/converge/packets.csv", "iteration,expected,low,high,found\n")
    reason = f"{N + 1} of {PARAMS['converge']['max_iterations']} iterations are done."
    ends = {"gain_low": 0.01, "gain_high": 0.09}
    gains = [{"since": N - 1, "gain": 0.05, "low": 0.01, "high": 0.09, "other_ruler": ""}] if N else []
    values = {"verdict": verdict, "rule": rule or None, "reason": reason, "gain": 0.05, **ends, "gap": 0.01}
    write("metrics/converge.json", {**values, "ruler_changed": False, "gains": gains, "regression": regression()})


def regression() -> dict[str, object]:
    """Return what was lost: with an `overfit_gap` of 0.13 the class `title`, and nothing else."""
    lost = PARAMS["converge"]["overfit_gap"] == 0.13
    ends = {"change": -0.2, "change_low": -0.3, "change_high": -0.1, "significant": lost}
    counts = {"boxes": 40, "lost": 14, "won": 2, "lost_sheets": 9, "alarms": 1, "before": 0.9, "now": 0.7, **ends}
    parts = [("all", "all"), ("class", "title")]
    rows = [{"part": part, "name": name, "rate": "f1", **counts} for part, name in parts]
    rows[0]["significant"] = False
    box = {"object_id": 0, "class_name": "title", "size": "tiny"}
    changed = [{"image_id": "v2.jpg", "group": "", "lost": [box], "won": []}]
    return {"since": max(N - 1, 0), "note": "", "parts": rows, "sheets": changed}


def sample() -> None:
    arms = dict(zip(sheets("pool")[:2], ("picked", "random"), strict=False))
    beside = {"recheck": PARAMS["sample"].get("recheck_share"), "repeat": PARAMS["sample"].get("repeat_every")}
    arms |= dict(zip(sheets("train"), [arm for arm, asked in beside.items() if asked], strict=False)) if arms else {}
    names = list(arms)
    fill_packet(names)
    facts = {"width": 64, "height": 64, "labels_from": "model", "group": ""}
    listed = [
        {"order": place, "image_id": name, "sha256": digest(PACKET / "images" / name), **facts}
        for place, name in enumerate(names, 1)
    ]
    files = {file.relative_to(PACKET).as_posix(): digest(file) for file in sorted(PACKET.rglob("*.*"))}
    head = {"classes": CLASSES, "iteration": N, "seed": 0, "ruler": "3f2a90bc", "sheets": listed, "files": files}
    packet = hashlib.sha256(json.dumps(head, ensure_ascii=False, sort_keys=True).encode()).hexdigest()[:12]
    write(f"{PACKET}/packet.json", {"packet": packet, **head})
    write("data/sample/arms.csv", table("image_id,arm", arms.items()))
    write("data/sample/candidates.csv", "rank,arm,image_id\n")
    counts = {"candidates": 5, "missed": 3, "uncertain": 2, "nothing_seen": 0, "labels_to_check": 0}
    chosen = {"chosen_objects": len(names), "packet_sheets": len(names), "pool_sheets": len(sheets("pool"))}
    write("metrics/sample.json", {**counts, **chosen, "random_sheets": list(arms.values()).count("random")})


def fill_packet(names: list[str]) -> None:
    """Write what a packet holds beside its head: on each sheet one box to start from, and one to look at."""
    shutil.rmtree(PACKET, ignore_errors=True)
    for name in names:
        for folder in ("images", "crops"):
            (PACKET / folder).mkdir(parents=True, exist_ok=True)
            shutil.copy(next(Path("data/dataset").glob(f"*/images/{name}")), PACKET / folder / name)
        write(f"{PACKET}/labels/{Path(name).stem}.txt", "2 0.250000 0.250000 0.250000 0.250000\n")
    places = list(enumerate(names, 1))
    last = CLASSES[2]  # `title`, whatever it is called
    boxes = [[name, f"{place}-1", last, 8, 8, 24, 24, 0.6] for place, name in places]
    seen = [
        [name, f"{place}-1", "uncertain", last, 8, 8, 24, 24, 0.6, "why", f"crops/{name}"] for place, name in places
    ]
    write(f"{PACKET}/prelabels.csv", table("image_id,prelabel_id,class_name,x1,y1,x2,y2,confidence", boxes))
    write(f"{PACKET}/focus.csv", table("image_id,focus_id,kind,class_name,x1,y1,x2,y2,confidence,reason,crop", seen))
    write(f"{PACKET}/data.yaml", f"names: {json.dumps(CLASSES)}\n")


def table(head: str, rows: Iterable[Iterable[object]]) -> str:
    return "".join(f"{line}\n" for line in [head, *(",".join(map(str, row)) for row in rows)])


def digest(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()


def fill(stage: str) -> None:
    """Write what else dvc.yaml declares for the stage, so that a new figure there breaks no test here."""
    graph = yaml.safe_load(Path("dvc.yaml").read_text())["stages"][stage]
    for entry in [*graph.get("outs", []), *graph.get("metrics", []), *graph.get("plots", [])]:
        name = next(iter(entry)) if isinstance(entry, dict) else entry
        if not Path(name).exists():
            write(name if Path(name).suffix else f"{name}/figure.png", {})


if __name__ == "__main__":
    globals()[sys.argv[1]]()
    fill(sys.argv[1])
