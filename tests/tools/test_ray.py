"""Stage `predict` on real Ray workers: the same bytes, whatever becomes of a worker."""

import signal
import time

import psutil
import pytest

from tests.tools.ray_project import TABLES, PredictProject, waits_for, workers_of

pytestmark = pytest.mark.tools

COUNTS = {"train": 20, "val": 8, "pool": 60}


@pytest.fixture
def project(tmp_path, toy_weights):
    """A project whose pool has sheets of several shapes: which sheets make a batch then depends on their order."""
    made = PredictProject(tmp_path / "project", toy_weights, COUNTS)
    made.narrow_some("pool")
    return made


@pytest.mark.parametrize(("engine", "batch"), [("torch", 1), ("torch", 3), ("onnx", 1), ("onnx", 3)])
def test_both_write_the_same_bytes(project, engine, batch):
    project.ask(engine=engine, batch=batch, run_on="local")
    ours, _ = project.predict()
    assert tuple(ours) == TABLES
    for workers in (1, 2):
        project.ask(engine=engine, batch=batch, run_on="ray", ray_workers=workers)
        assert project.predict()[0] == ours


def test_a_lost_worker_costs_time_and_nothing_else(project):
    project.ask(run_on="local", engine="onnx")
    ours, _ = project.predict()
    project.ask(run_on="ray", engine="onnx", ray_workers=2)
    with project.begun() as process:
        waits_for("train: 20 of 20", process)
        workers = workers_of(process)
        assert workers
        for worker in workers:  # all that are there
            worker.kill()
        _, said = process.communicate()
    assert process.returncode == 0, said
    assert project.tables() == ours


def test_a_killed_stage_leaves_no_table_and_no_worker(project):
    project.ask(run_on="ray", engine="torch", ray_workers=2)
    with project.begun() as process:
        waits_for("train: 20 of 20", process)
        below = psutil.Process(process.pid).children(recursive=True)
        process.send_signal(signal.SIGKILL)
        process.wait()
        assert project.tables() == {}
        psutil.wait_procs(below, timeout=60)
    until = time.monotonic() + 60
    while any(one.is_running() and one.status() != psutil.STATUS_ZOMBIE for one in below):
        assert time.monotonic() < until, [one.name() for one in below if one.is_running()]
        time.sleep(1)


def test_a_damaged_sheet_is_the_line_that_it_is_here(project):
    file = project.root / "models/best.pt"
    whole = file.read_bytes()
    file.write_bytes(whole[:1000])
    project.ask(run_on="ray")
    assert "best.pt: expected an Ultralytics checkpoint" in project.predict(code=2)[1]
    file.write_bytes(whole)
    sheet = next((project.root / "data/dataset/pool/images").glob("*"))
    lines = []
    for where in ("local", "ray"):
        project.ask(run_on=where)
        content = sheet.read_bytes()
        sheet.write_bytes(content[:40])
        project.list_again("pool")
        tables, said = project.predict(code=2)
        assert tables == {}
        lines.append(said.splitlines()[-1])
        sheet.write_bytes(content)
    assert lines[0] == lines[1]
    assert lines[0].startswith(f"error: data/dataset/pool/images/{sheet.name}: expected")


def test_a_cluster_that_is_not_there_is_one_line(project):
    project.ask(run_on="ray")
    project.env["RAY_ADDRESS"] = "127.0.0.1:1"
    tables, said = project.predict(code=2)
    assert tables == {}
    assert said.splitlines()[-1].startswith("error: RAY_ADDRESS=127.0.0.1:1: expected a Ray cluster, found")
