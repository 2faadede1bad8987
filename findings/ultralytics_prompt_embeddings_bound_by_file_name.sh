#!/usr/bin/env bash
# Prompt embeddings of YOLOE are bound to the name of the weights' file, not to the weights, in Ultralytics 8.4.190.
#
# `save_prompt_embeddings` writes the stem of the checkpoint's path into the NPZ, and `load_prompt_embeddings` refuses
# another one ("model-bound", "belongs to a different YOLOE architecture"). Every training calls its checkpoint best.pt: so
# the embeddings of one training load into another one without a word, though an embedding is the output of a layer that
# was trained (its class then has another direction than its text), while a copy of the very same weights under a name of
# its own, as for deployment, is refused. Compare a digest of the weights yourself.
#
# Seen: "other weights, same name: loaded, cosine to what these weights make of the text under 0.5: True",
#       "same weights, other name: Prompt embeddings for model 'best' cannot be loaded into 'deployed'."
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check torch==2.14.1 torchvision==0.29.1 ultralytics==8.4.190 \
  clip-anytorch==2.6.0 "setuptools<81"
cd "$folder"
export YOLO_CONFIG_DIR="$folder/settings" YOLO_AUTOINSTALL=false YOLO_OFFLINE=true
cat >bound.py <<'PY'
import shutil
from pathlib import Path

import torch
from ultralytics import YOLOE

text = torch.nn.functional.normalize(torch.ones(1, 1, 512), dim=-1)  # what a text encoder gave for "door"


def training(folder, seed):
    """Write a checkpoint called best.pt, as every training does, that was told `text`."""
    torch.manual_seed(seed)
    model = YOLOE("yoloe-26n.yaml").model
    with torch.no_grad():
        model.model[-1].reprta.m.w3.weight.normal_(0, 3)  # a layer that training moves
        model.eval().set_classes(["door"], model.model[-1].get_tpe(text))
    Path(folder).mkdir()
    torch.save({"model": model, "train_args": {"task": "detect", "imgsz": 64}}, f"{folder}/best.pt")
    return YOLOE(f"{folder}/best.pt")


first, second = training("monday", 0), training("tuesday", 1)
first.save_prompt_embeddings("monday/prompts.npz")
second.load_prompt_embeddings("monday/prompts.npz")
own = second.model.model[-1].get_tpe(text.to(second.model.pe.dtype))
cosine = torch.nn.functional.cosine_similarity(second.model.pe.flatten(), own.flatten(), dim=0)
print(f"other weights, same name: loaded, cosine to what these weights make of the text under 0.5: {bool(cosine < 0.5)}")
shutil.copyfile("monday/best.pt", "deployed.pt")
try:
    YOLOE("deployed.pt").load_prompt_embeddings("monday/prompts.npz")
    print("same weights, other name: loaded")
except ValueError as error:
    print(f"same weights, other name: {error}")
PY
"$folder/venv/bin/python" -W ignore bound.py >seen 2>log || { cat log >&2; exit 1; }
grep weights, seen
diff <(grep weights, seen) - <<'SEEN' >/dev/null || { echo "this has changed" >&2; exit 1; }
other weights, same name: loaded, cosine to what these weights make of the text under 0.5: True
same weights, other name: Prompt embeddings for model 'best' cannot be loaded into 'deployed'.
SEEN
