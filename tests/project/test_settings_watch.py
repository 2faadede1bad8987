"""An edit of what a running step has read is named at once, and once."""

from pathlib import Path

from stages.project.settings_watch import SettingsWatch

GRAPH = "stages: {train: {params: [train], deps: [data, code.py]}, sample: {params: [sample]}}\n"


def test_an_edit_is_named_once_and_for_the_step_that_reads_it(tmp_path: Path) -> None:
    (tmp_path / "dvc.yaml").write_text(GRAPH)
    params = tmp_path / "params.yaml"
    params.write_text("{train: 1, sample: 1}")
    watch = SettingsWatch(tmp_path)
    assert watch.line() is None
    watch.begins("train")
    assert watch.line() is None
    params.write_text("{train: 1, sample: 22}  # for later")
    assert watch.line() is None
    params.write_text("{train: 2, sample: 2}")
    assert str(watch.line()).startswith("train in params.yaml was edited while train runs")
    assert watch.line() is None
    watch.begins("sample")
    params.write_text("{train: 3, sample: 2}")
    assert watch.line() is None


def test_a_file_is_named_once_and_looked_at_now_and_then(tmp_path: Path) -> None:
    (tmp_path / "dvc.yaml").write_text(GRAPH)
    (tmp_path / "data").mkdir()
    (tmp_path / "data/a.txt").write_text("one")
    seldom, often = SettingsWatch(tmp_path), SettingsWatch(tmp_path, pause=0)
    for watch in (seldom, often):
        watch.begins("train")
        assert watch.line() is None
    (tmp_path / "data/a.txt").write_text("another")
    assert seldom.line() is None
    assert str(often.line()).startswith("data/a.txt was changed while train runs, which may have read it already")
    assert often.line() is None
    often.begins("train")
    assert often.line() is None
