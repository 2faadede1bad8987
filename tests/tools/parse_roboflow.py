"""Runs in the environment of Roboflow's package, as a program: prints what its own parser makes of a folder."""

import json
import sys

from roboflow.util import folderparser

images = folderparser.parsefolder(sys.argv[1])["images"]
print(json.dumps([{key: image.get(key) for key in ("name", "split", "annotationfile")} for image in images]))
