"""Weights come from a path, a release or an architecture; everything else is one line."""

import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pytest

from stages.base.errors import UserError
from stages.detector.model.checkpoint import check_classes, check_order, digest, load_model, save_model
from stages.detector.model.encoders import MOBILECLIP2_FILE, UNTRAINED, encode, encoder_of
from stages.detector.model.runtime import cache_folder
from stages.detector.weights import resolve
from tests.detector.conftest import PROMPTS
from tests.toy import CLASSES

pytestmark = pytest.mark.slow


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *args: object) -> None:
        pass


@pytest.fixture
def release(tmp_path: Path) -> Iterator[tuple[Path, str]]:
    """A folder that a local server offers, and its address: a stand-in for the releases of Ultralytics."""
    folder = tmp_path / "release"
    folder.mkdir()
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(_Quiet, directory=str(folder)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield folder, f"http://127.0.0.1:{server.server_port}"
    server.shutdown()


def test_a_path_is_copied_byte_for_byte(toy_weights, workplace):
    text, encoder = resolve(str(toy_weights), Path("models/parent.pt"), kind="baseline", seed=0)
    assert Path("models/parent.pt").read_bytes() == toy_weights.read_bytes()
    assert "3 classes" in text
    assert encoder is None


def test_a_released_name_is_downloaded_once(toy_weights, workplace, release):
    folder, url = release
    (folder / "yolo26n.pt").write_bytes(toy_weights.read_bytes())
    resolve("yolo26n.pt", Path("a.pt"), kind="baseline", seed=0, base_url=url)
    (folder / "yolo26n.pt").unlink()
    resolve("yolo26n.pt", Path("b.pt"), kind="baseline", seed=0, base_url=url)
    assert Path("a.pt").read_bytes() == Path("b.pt").read_bytes() == toy_weights.read_bytes()


def test_a_failed_download_says_where_to_get_the_file(workplace, release):
    with pytest.raises(UserError, match=r"yolo26n\.pt: expected a download.*Download http://127"):
        resolve("yolo26n.pt", Path("a.pt"), kind="baseline", seed=0, base_url=release[1])
    assert not Path("a.pt").exists()
    assert not list(cache_folder().glob("*.pt"))


def test_an_architecture_gives_the_same_bytes_for_the_same_seed(workplace):
    for name, seed in (("a.pt", 0), ("b.pt", 0), ("c.pt", 1)):
        assert resolve("yoloe-26n.yaml", Path(name), kind="target", seed=seed).encoder == "wordllama"
    assert Path("a.pt").read_bytes() == Path("b.pt").read_bytes() != Path("c.pt").read_bytes()
    assert encoder_of(load_model(Path("a.pt"))) == UNTRAINED


@pytest.mark.parametrize(
    ("spec", "kind", "message"),
    [
        ("nothing.pt", "baseline", "nothing.pt: expected a file, or the name of released weights"),  # a slip of a path
        ("yolo26n.yaml", "baseline", "expected weights, or a YOLOE architecture"),  # the baseline cannot start random
        ("text.pt", "baseline", "text.pt: expected an Ultralytics checkpoint"),  # weights that are no checkpoint
        ("empty.pt", "baseline", "empty.pt: expected an Ultralytics checkpoint"),  # zero bytes
        ("toy.pt", "target", "toy.pt: expected YOLOE weights"),  # a YOLO-26 as the target
    ],
)
def test_bad_weights_are_one_line(spec, kind, message, toy_weights, workplace):
    Path("text.pt").write_text("these are no weights")
    Path("empty.pt").touch()
    Path("toy.pt").write_bytes(toy_weights.read_bytes())
    with pytest.raises(UserError) as caught:
        resolve(spec, Path("out.pt"), kind=kind, seed=0)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)
    assert not Path("out.pt").exists()


def test_class_order_is_checked(toy_weights, workplace):
    from stages.detector.model.runtime import start_ultralytics

    start_ultralytics()
    model = load_model(toy_weights)
    check_classes(model, CLASSES, toy_weights)
    check_order(model, ("other", "names"), toy_weights)  # foreign classes get a fresh head: fine for fine-tuning
    turned = ("elevation", "detail", "title")
    for check in (check_classes, check_order):
        with pytest.raises(UserError, match=r"in their order \(elevation, detail, title\), found detail, elevation"):
            check(model, turned, toy_weights)


def test_saved_weights_keep_their_digest_and_load_in_plain_ultralytics(toy_weights, workplace):
    from stages.detector.model.runtime import start_ultralytics

    ultralytics = start_ultralytics()
    model = load_model(toy_weights)
    for name in ("again.pt", "twice.pt"):
        save_model(model, Path(name), imgsz=128)
    assert Path("again.pt").read_bytes() == Path("twice.pt").read_bytes()
    assert digest(load_model(Path("again.pt"))) == digest(model)
    plain = ultralytics.YOLO("again.pt")
    assert plain.names == dict(enumerate(CLASSES))


def test_wordllama_gives_unit_vectors_that_differ(workplace):
    vectors = encode("wordllama", CLASSES, PROMPTS).numpy()
    assert vectors.shape == (3, 512)
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)
    assert (vectors @ vectors.T)[np.triu_indices(3, 1)].max() < 0.9


def test_mobileclip2_says_what_is_missing(workplace):
    with pytest.raises(UserError, match=r"\[mobileclip\]|mobileclip2_b\.ts"):
        encode("mobileclip2", CLASSES, PROMPTS)


def test_mobileclip2_reads_its_file_from_the_cache(workplace):
    pytest.importorskip("clip", reason="the extra `mobileclip` is not installed")
    from stages.detector.model.runtime import start_ultralytics

    start_ultralytics()
    import torch

    class StandIn(torch.nn.Module):
        """The interface of mobileclip2_b.ts: tokens (n, 77) in, vectors (n, 512) out."""

        def forward(self, tokens: torch.Tensor) -> torch.Tensor:
            return torch.nn.functional.one_hot(tokens % 512, 512).float().sum(1)

    torch.jit.script(StandIn()).save(str(cache_folder() / MOBILECLIP2_FILE))
    vectors = encode("mobileclip2", CLASSES, PROMPTS)
    assert vectors.shape == (3, 512)
    np.testing.assert_allclose(vectors.norm(dim=1).numpy(), 1, atol=1e-5)
