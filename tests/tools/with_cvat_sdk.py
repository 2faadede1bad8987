"""Runs in the environment of CVAT's own client, as a program: prints the labels of a file as its model takes them.

The model refuses fields, types and shapes of labels that CVAT's server does not know.
"""

import json
import sys
from pathlib import Path

from cvat_sdk.api_client.configuration import Configuration
from cvat_sdk.models import PatchedLabelRequest

STRICT = {"_check_type": True, "_configuration": Configuration(discard_unknown_keys=False)}

labels = [
    PatchedLabelRequest._from_openapi_data(**one, **STRICT)
    for one in json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
]
print(json.dumps([[one.name, str(one.type), [attribute.name for attribute in one.attributes]] for one in labels]))
