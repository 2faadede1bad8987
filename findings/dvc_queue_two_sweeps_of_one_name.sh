#!/usr/bin/env bash
# DVC 3.67.1: two sweeps that are queued under one name both run, and the results of the second are nowhere.
#
# `dvc exp run --queue --name sweep --set-param lr=1,2` queues sweep-1 and sweep-2. The same name once more, with other
# values and before the queue has run, is taken without a word and queues sweep-1 and sweep-2 again, though `dvc exp run`
# refuses a name that an experiment has. All four tasks then end as "Success" with exit code 0, but only two experiments
# exist, and nothing says which values are missing.
#
# Seen: "4 tasks Success; experiments: sweep-1 lr=1, sweep-2 lr=2"
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder" 2> /dev/null || { sleep 5; rm -rf "$folder"; }' EXIT  # a worker of the queue may still write
export HOME="$folder" DVC_NO_ANALYTICS=1 DVC_SITE_CACHE_DIR="$folder/site" PATH="$folder/venv/bin:$PATH"
python3 -m venv "$folder/venv"
pip install --quiet --disable-pip-version-check dvc==3.67.1
mkdir "$folder/project"
cd "$folder/project"
git init --quiet
git config user.name someone
git config user.email someone@example.org
dvc init --quiet
printf 'lr: 0\n' > params.yaml
printf 'stages:\n  train:\n    cmd: cp params.yaml used.yaml\n    params: [lr]\n    outs: [used.yaml]\n' > dvc.yaml
git add --all
git commit --quiet --message start
dvc exp run --quiet --queue --name sweep --set-param lr=1,2 >&2
dvc exp run --quiet --queue --name sweep --set-param lr=3,4 >&2
dvc exp run --quiet --run-all >&2
tasks=$(dvc queue status | grep -c Success)
found=$(for name in $(dvc exp list --name-only | sort); do
    commit=$(git for-each-ref --format='%(objectname)' "refs/exps/*/*/$name" | head -n 1)
    printf '%s lr=%s, ' "$name" "$(git show "$commit:params.yaml" | sed 's/lr: //')"
done)
printf '%s tasks Success; experiments: %s\n' "$tasks" "${found%, }" | tee "$folder/out"
printf '%s\n' "4 tasks Success; experiments: sweep-1 lr=1, sweep-2 lr=2" | cmp - "$folder/out" || { echo "this has changed" >&2; exit 1; }
