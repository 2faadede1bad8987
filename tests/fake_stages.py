"""The five stages as one small script that DVC runs in the tests: the right files, made-up numbers."""

import hashlib
import json
import sys
from pathlib import Path

import yaml

PARAMS = yaml.safe_load(Path("params.yaml").read_text())
N = PARAMS["iteration"]
CLASSES = PARAMS["classes"]


def write(name: str, value: object) -> None:
    file = Path(name)
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(value if isinstance(value, str) else json.dumps(value, indent=2) + "\n")


def sheets(split: str) -> list[str]:
    return sorted(file.name for file in Path("data/dataset", split, "images").glob("*"))


def train() -> None:
    prompts = yaml.safe_load(Path("data/prompts.yaml").read_text())["prompts"]
    write("models/best.pt", f"iteration {N} from {Path('models/parent.pt').read_text()} with {prompts}")
    write("models/last.pt", f"last of {N}")
    write("metrics/train.json", {"epochs": 3, "lr": 0.001 * 0.5**N, "images": len(sheets("train"))})
    write("plots/train/results.csv", "epoch,loss\n1,0.5\n2,0.4\n")


def numbers(f1: float, split: str) -> dict[str, object]:
    images = len(sheets(split))
    counts = {"tp": 8, "fp": 1, "fn": 2, "images": images, "boxes": 10}
    return {"f1": f1, "precision": 0.9, "recall": 0.8, "map50": 0.85, "map50_95": None, **counts}


def validate() -> None:
    f1 = 0.8 + 0.05 * N
    per = {name: {"f1": f1, "precision": None, "recall": 0.8, "ap50": 0.8, "ap50_95": 0.5} for name in CLASSES}
    per = {name: {**row, "tp": 3, "fp": 0, "fn": 1, "boxes": 4} for name, row in per.items()}
    pool = {"images": len(sheets("pool")), "labelled": 1}
    values = {"val": numbers(f1, "val"), "train": numbers(f1 + 0.01, "train"), "pool": pool}
    write("metrics/validate.json", {**values, "per_class": {"val": per, "train": per}})
    write("data/validate/images.parquet", f"tables of {N}")
    for name in ("pr_curve", "f1_curve", "confusion"):
        write(f"plots/validate/{name}.csv", "x,y\n0,1\n")


def analyze() -> None:
    write("data/analyze/crops.txt", f"crops of {N}")  # no findings: a page has no pictures then
    write("metrics/analyze.json", {"fn": 2})
    write("metrics/prompt_suggestions.json", {"title": "add: underlined"})
    write("plots/analyze/fn_by_size.png", "png")


def converge() -> None:
    stop = PARAMS["converge"]["max_iterations"] <= N + 1
    verdict, rule = ("stop", "max_iterations") if stop else ("go on", "")
    f1 = f"{0.8 + 0.05 * N:g}"
    row = [N, f1, 0.9, 0.8, 0.85, "", 8, 1, 2, 0.81, len(sheets("train")), 10, len(sheets("pool"))]
    cells = [*row, *[f1] * 3, *[1] * 3, verdict, rule, ""]
    write(
        "plots/converge/history.csv",
        Path("metrics/history.csv").read_text() + ",".join(map(str, cells)) + "\n",
    )
    write("plots/converge/classes.csv", "iteration,class_name,f1,fn\n")
    reason = f"{N + 1} of {PARAMS['converge']['max_iterations']} iterations are done."
    write(
        "metrics/converge.json",
        {"verdict": verdict, "rule": rule or None, "reason": reason, "gain": 0.05, "gap": 0.01},
    )


def sample() -> None:
    packet = sheets("pool")[:2]
    header = "rank,image_id,image_sha256,kind,class_name,x1,y1,x2,y2,confidence,score,"
    header += "class_balance,size_diversity,spatial_diversity,uncertainty,reason,crop\n"
    rest = "missed,title,1,2,3,4,,0.5,0.5,0.5,0.5,0.5,why,crops/x.jpg"
    rows = [f"{rank},{name},{digest(name)},{rest}\n" for rank, name in enumerate(packet, 1)]
    write("data/sample/packet/manifest.csv", header + "".join(rows))
    write("data/sample/candidates.csv", header)
    counts = {"candidates": 5, "missed": 3, "uncertain": 2, "nothing_seen": 0}
    chosen = {"chosen_objects": len(packet), "packet_sheets": len(packet), "pool_sheets": len(sheets("pool"))}
    write("metrics/sample.json", {**counts, **chosen})


def digest(name: str) -> str:
    return hashlib.sha256(Path("data/dataset/pool/images", name).read_bytes()).hexdigest()


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
