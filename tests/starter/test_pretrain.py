"""Pre-training that is killed goes on where it was."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pandas as pd
import pytest

from starter.pretrain import YOLO, YOLOE
from tests.fake_project import REPO

pytestmark = pytest.mark.slow
EPOCHS = 4


def start(folder: Path) -> subprocess.Popen:
    sizes = ["--pages", "48", "--epochs", str(EPOCHS), "--prompt-epochs", "1"]
    places = ["--folder", str(folder / "work"), "--out", str(folder / "out")]
    env = {**os.environ, "PYTHONPATH": str(REPO), "OMP_NUM_THREADS": "1"}
    command = [sys.executable, "-m", "starter.pretrain", *sizes, *places]
    return subprocess.Popen(command, cwd=folder, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


def test_a_killed_pretraining_goes_on_from_its_last_epoch(tmp_path: Path):
    curves = tmp_path / "work/yolo/results.csv"
    process = start(tmp_path)
    deadline = time.monotonic() + 240
    while not (curves.is_file() and len(pd.read_csv(curves)) >= 2) and time.monotonic() < deadline:
        time.sleep(0.02)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    done = len(pd.read_csv(curves))
    assert 2 <= done < EPOCHS
    drawn = {file.name: file.stat().st_mtime_ns for file in (tmp_path / "work").glob("pages-*/images/*")}
    assert len(drawn) == 48

    said, _ = start(tmp_path).communicate(timeout=400)
    assert "Resuming training" in said, said[-2000:]
    assert pd.read_csv(curves)["epoch"].drop_duplicates().tolist() == [*range(1, EPOCHS + 1)]
    assert {file.name: file.stat().st_mtime_ns for file in (tmp_path / "work").glob("pages-*/images/*")} == drawn
    assert {file.name for file in (tmp_path / "out").iterdir()} == {YOLO, YOLOE}
