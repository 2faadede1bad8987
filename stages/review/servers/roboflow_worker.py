"""Talks to Roboflow with Roboflow's own package, in the environment that this package has for itself.

`roboflow_api.py` starts it as a program of that environment, so it imports nothing of ours. The request is JSON on
stdin; what happens is a line of JSON each on stdout. The key is in the environment, and never in an answer.
"""

import json
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

KEY = "ROBOFLOW_API_KEY"
_RETRIES = 5  # of an upload; the package waits between them, in all some seconds
_FORMAT = "coco"  # the only one that keeps the names that pictures were uploaded with
_CHUNK = 1 << 20
_TIMEOUT = (60, 300)  # seconds to connect, and between two parts of a file

Request = dict[str, Any]
Answer = Callable[..., None]


class WrongError(Exception):
    """What a person can mend: what was expected, what was found, and what to do."""


def upload(request: Request, answer: Answer) -> None:
    """Upload the sheets in their order, each with its boxes as a prediction, which a person has to approve.

    A sheet that is there already, as Roboflow finds by its content, stays as it is, and so do its boxes.
    """
    project, sheets, batch = _project(request), request["sheets"], request["batch"]
    for number, sheet in enumerate(sheets, 1):
        image, *_ = project.upload_image(
            sheet["image"],
            split="train",
            batch_name=batch,
            sequence_number=number,
            sequence_size=len(sheets),
            num_retry_uploads=_RETRIES,
        )
        said = "was there already" if image.get("duplicate") else "uploaded"
        if sheet["rows"] and not (image.get("duplicate") and _has_boxes(project, image["id"])):
            # The name goes into the URL as it is, so it is not the sheet's.
            rows = {"name": f"sheet_{number:03d}.txt", "rawText": sheet["rows"]}
            labels = dict(enumerate(request["classes"]))
            saved, *_ = project.save_annotation(
                rows, labels, image["id"], job_name=batch, is_prediction=True, num_retry_uploads=_RETRIES
            )
            said += ", has boxes already" if saved.get("warn") else ", with its boxes"
        answer(number=number, said=said)


def download(request: Request, answer: Answer) -> None:
    """Download a version (the newest, if none is named) as one archive."""
    from roboflow.adapters import rfapi  # type: ignore[import-not-found]
    from roboflow.util import http  # type: ignore[import-not-found]

    project = _project(request)
    versions = {int(str(one["id"]).rsplit("/", 1)[-1]): one for one in project.get_version_information()}
    number = request["version"] or max(versions, default=0)
    _require_version(versions, number)
    answer(version=number, images=versions[number].get("images"), preprocessing=versions[number].get("preprocessing"))
    project.version(number).export(_FORMAT)  # returns when it is made
    made = rfapi.get_version_export(os.environ[KEY], *request["project"].split("/"), str(number), _FORMAT)
    with http.get(made["export"]["link"], stream=True, timeout=_TIMEOUT) as response:
        if response.status_code != 200:
            raise WrongError("the version's archive", f"HTTP status {response.status_code}", "Try again.")
        with Path(request["file"]).open("xb") as file:
            for chunk in response.iter_content(_CHUNK):
                file.write(chunk)
    answer(done=True)


def _project(request: Request) -> Any:
    import roboflow  # type: ignore[import-not-found]

    workspace, name = request["project"].split("/")
    return roboflow.Roboflow(api_key=os.environ[KEY]).workspace(workspace).project(name)


def _has_boxes(project: Any, image_id: str) -> bool:
    """Say whether a sheet has boxes already; where Roboflow does not tell, it refuses a second set itself."""
    try:
        return bool(project.image(image_id).get("annotation"))
    except RuntimeError:
        return False


def _require_version(versions: dict[int, Any], number: int) -> None:
    create = "Versions > Create New Version, without Resize and without augmentation."
    if number not in versions:
        listed = ", ".join(map(str, sorted(versions))) or "none"
        expected = f"version {number}" if number else "a version"
        raise WrongError(expected, f"{listed} in the project", f"Give one that is there, or make one: {create}")
    if versions[number].get("augmentation"):
        found = f"version {number} with augmentation: {', '.join(versions[number]['augmentation'])}"
        raise WrongError("sheets as they were sent", found, create)
    if not versions[number].get("images"):
        raise WrongError(
            "a version with sheets", f"none in version {number}", f"Add the sheets to the Dataset, then: {create}"
        )


def _words(error: Exception) -> str:
    """Return what went wrong in one line, without the key, which the package's messages hold as part of a URL."""
    text = str(error)
    try:
        content = json.loads(text)
        inner = content.get("error", content) if isinstance(content, dict) else content
        text = str(inner.get("message", inner) if isinstance(inner, dict) else inner)
    except ValueError:
        pass
    text = text.replace(os.environ[KEY], "***")
    return " ".join(text.split())[:300].rstrip(".") or type(error).__name__


def main() -> int:
    """Do what stdin asks for; return 1 when it could not be done, after a line that says why."""
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # the package prints what it does

    def answer(**values: Any) -> None:
        print(json.dumps(values), file=answers, flush=True)

    try:
        request = json.loads(sys.stdin.buffer.read())
        {"upload": upload, "download": download}[request["do"]](request, answer)
    except WrongError as error:
        expected, found, mend = error.args
        answer(error=True, expected=expected, found=found, mend=mend)
        return 1
    except ModuleNotFoundError as error:
        answer(error=True, expected="the package roboflow", found=str(error), mend="")
        return 1
    except Exception as error:  # whatever the package, or the network, raises
        mend = "Look at the project's name, at the key, and at the network; what was uploaded stays, so run it again."
        answer(error=True, expected="that Roboflow does it", found=_words(error), mend=mend)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
