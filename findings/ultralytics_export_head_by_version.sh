#!/usr/bin/env bash
# One export command gives another kind of network in Ultralytics 8.4.140 and in 8.4.145 (and 8.4.190), for YOLO26.
#
# `export(format="onnx")` writes the end-to-end head with 8.4.140: (1, 84, 6), rows of a box, a score and a class, ready to
# use. With 8.4.145 it writes the one-to-many head: (1, 84, 84), a box and 80 scores per anchor, which need NMS. The weights
# are the same, and both shapes even agree in two of three numbers at this size. `nms=False`, which was the default before
# and asks for no NMS inside the file, now asks for the end-to-end head: a program that spells the old default out keeps
# its output, one that relies on it does not.
#
# Seen: "8.4.140 default (1, 84, 6) end2end True", "8.4.145 default (1, 84, 84) end2end False",
#       "8.4.145 nms=False (1, 84, 6) end2end True"
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
pip() { "$folder/venv/bin/pip" install --quiet --disable-pip-version-check "$@"; }
pip torch==2.14.1 torchvision==0.29.1 onnx==1.23.2 ultralytics==8.4.140
pip --no-deps --target "$folder/later" ultralytics==8.4.145
cd "$folder"
export YOLO_CONFIG_DIR="$folder/settings" YOLO_AUTOINSTALL=false YOLO_OFFLINE=true
cat >shape.py <<'PY'
import sys

import onnx
import ultralytics
from ultralytics import YOLO

YOLO("yolo26n.yaml").save("weights.pt")
asked = {"nms": False} if "nms=False" in sys.argv else {}
exported = onnx.load(YOLO("weights.pt").export(format="onnx", imgsz=64, simplify=False, verbose=False, **asked))
shape = tuple(one.dim_value for one in exported.graph.output[0].type.tensor_type.shape.dim)
end = next(one.value for one in exported.metadata_props if one.key == "end2end")
print(ultralytics.__version__, "nms=False" if asked else "default", shape, "end2end", end, file=open("seen", "a"))
PY
"$folder/venv/bin/python" shape.py >log 2>&1 || { cat log >&2; exit 1; }
PYTHONPATH="$folder/later" "$folder/venv/bin/python" shape.py >log 2>&1 || { cat log >&2; exit 1; }
PYTHONPATH="$folder/later" "$folder/venv/bin/python" shape.py nms=False >log 2>&1 || { cat log >&2; exit 1; }
cat seen
diff seen - <<'SEEN' >/dev/null || { echo "this has changed" >&2; exit 1; }
8.4.140 default (1, 84, 6) end2end True
8.4.145 default (1, 84, 84) end2end False
8.4.145 nms=False (1, 84, 6) end2end True
SEEN
