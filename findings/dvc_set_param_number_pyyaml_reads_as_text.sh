#!/usr/bin/env bash
# DVC 3.67.1 with PyYAML 6.0.3: `dvc exp run -S train.lr=0.00001` writes a learning rate that PyYAML reads as a text.
#
# DVC writes params.yaml by ruamel.yaml, which spells small floats as Python does, `1e-05`: a float in YAML 1.2. PyYAML
# keeps to YAML 1.1, where a number with an exponent needs a point, and gives the string "1e-05". So a sweep over
# learning rates passes for 0.0001 and hands a text to the stage from 0.00001 on, while `dvc params diff` and
# `dvc exp show`, which read by ruamel, show numbers.
#
# Seen: "0.0001 -> float 0.0001" and "0.00001 -> str '1e-05'"
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
export HOME="$folder" DVC_NO_ANALYTICS=1 DVC_SITE_CACHE_DIR="$folder/site" PATH="$folder/venv/bin:$PATH"
python3 -m venv "$folder/venv"
pip install --quiet --disable-pip-version-check dvc==3.67.1 PyYAML==6.0.3 ruamel.yaml==0.19.1
mkdir "$folder/project"
cd "$folder/project"
git init --quiet
git config user.name someone
git config user.email someone@example.org
dvc init --quiet
printf 'train:\n  lr: 0.001\n' > params.yaml
printf 'stages:\n  train:\n    cmd: cp params.yaml used.yaml\n    params: [train]\n    outs: [used.yaml]\n' > dvc.yaml
git add --all
git commit --quiet --message start
for rate in 0.0001 0.00001; do
    dvc exp run --quiet --set-param "train.lr=$rate" >&2
    python - "$rate" <<'PY'
import sys

import yaml

with open("params.yaml") as file:
    value = yaml.safe_load(file)["train"]["lr"]
print(f"{sys.argv[1]} -> {type(value).__name__} {value!r}")
PY
done | tee "$folder/out"
printf '%s\n' "0.0001 -> float 0.0001" "0.00001 -> str '1e-05'" | cmp - "$folder/out" || { echo "this has changed" >&2; exit 1; }
