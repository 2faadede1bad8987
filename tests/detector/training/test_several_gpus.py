"""What Ultralytics starts for several GPUs: a script that builds our trainer anew, in processes of its own."""

import subprocess
import sys
from pathlib import Path

import pytest
import torch

from stages.base.errors import UserError
from stages.dataset.sheets.split_folder import sheets_in
from stages.detector.model.checkpoint import save_model
from stages.detector.model.encoders import mark_encoder, vectors_of
from stages.detector.model.runtime import start_ultralytics
from stages.detector.training import fitting
from stages.detector.training.fitting import Job, fit
from stages.detector.training.training_params import require_even_shares
from stages.detector.training.training_view import write_view
from tests.detector.conftest import PROMPTS
from tests.toy import CLASSES
from tests.toy_weights import SETTINGS


def promptable(file: Path) -> Path:
    """Write a promptable network of random weights to `file`."""
    from ultralytics.nn.tasks import YOLOEModel

    model = YOLOEModel("yoloe-26n.yaml", nc=len(CLASSES), verbose=False)
    model.names = dict(enumerate(CLASSES))
    mark_encoder(model, "wordllama")
    save_model(model, file, imgsz=128)
    return file.resolve()


def handed_over(trainer):
    """Do what Ultralytics does where it sees several GPUs, with one process and no launcher."""
    from ultralytics.utils.dist import ddp_cleanup, generate_ddp_command

    _, file = generate_ddp_command(trainer)  # empties the folder of the run
    subprocess.run([sys.executable, file], check=True, timeout=500)
    ddp_cleanup(trainer, file)


@pytest.mark.slow
def test_the_script_trains_with_our_trainer_our_prompts_and_our_settings(easy_sheets, monkeypatch):
    """There are no GPUs here: the script itself is Ultralytics', and its one process trains on the CPU."""
    pytest.importorskip("cloudpickle")
    start_ultralytics()
    from stages.detector.training.trainer import PromptTrainer

    torch.manual_seed(0)
    start = promptable(Path("start.pt"))
    data = write_view(Path("view"), {"train": sheets_in(easy_sheets / "train")[:4]}, CLASSES)
    settings = {**SETTINGS, "epochs": 1, "batch": 2, "lr0": 0.00123}
    text = vectors_of("wordllama", CLASSES, PROMPTS)
    monkeypatch.setattr(PromptTrainer, "train", handed_over)
    done = fit(Job(start, data, Path("scratch/run").resolve(), settings, "last", text))
    assert done.used["lr"] == 0.00123
    assert (done.used["batch"], done.used["epochs_run"]) == (2, 1)
    told = done.last.pe.float()  # only our trainer tells the prompts when it saves
    assert told.shape == (1, len(CLASSES), 512)
    with torch.no_grad():
        assert torch.allclose(told, done.last.float().model[-1].get_tpe(text.prompts.unsqueeze(0)), atol=1e-2)


def test_a_failed_process_of_several_is_one_line(tmp_path, monkeypatch):
    start_ultralytics()
    from stages.detector.training.trainer import BaselineTrainer

    def failing(trainer):
        subprocess.run([sys.executable, "-c", "raise SystemExit(3)"], check=True)

    monkeypatch.setattr(BaselineTrainer, "__init__", lambda self, overrides: None)
    monkeypatch.setattr(BaselineTrainer, "train", failing)
    job = Job(Path("start.pt"), Path("data.yaml"), tmp_path / "run", {"epochs": 1, "device": "0,1"}, "last")
    with pytest.raises(UserError, match=r"train\.device: expected a training on the GPUs 0,1 .* exit code 3"):
        fitting.fit(job)


@pytest.mark.parametrize(("batch", "device"), [(1, "cpu"), (3, "0"), (2, "0,1"), (6, "0,1,2")])
def test_a_batch_that_can_be_shared_is(batch, device):
    require_even_shares(batch, device)


@pytest.mark.parametrize(("batch", "device"), [(1, "0,1"), (3, "0,1"), (4, "0,1,2")])
def test_a_batch_that_cannot_be_shared_is_refused(batch, device):
    with pytest.raises(UserError, match=rf"train\.batch: expected a multiple of .* found {batch}"):
        require_even_shares(batch, device)
