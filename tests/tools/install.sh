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

environment readers datumaro==1.13.12 supervision==0.31.2
environment roboflow roboflow==1.7.3
environment label-studio label-studio==1.23.2
environment cvat cvat-sdk==2.80.0
