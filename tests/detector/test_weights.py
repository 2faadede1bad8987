"""Weights come from a path, a release or an architecture; everything else is one line."""

import hashlib
import json
import re
import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest

from stages.base.errors import UserError
from stages.detector.model.checkpoint import check_classes, check_order, digest, load_model, save_model
from stages.detector.model.encoders import MOBILECLIP2_FILE, UNTRAINED, encode, encoder_of
from stages.detector.model.runtime import cache_folder
from stages.detector.training.told_prompts import remember
from stages.detector.weights import Release, fetch, resolve
from tests.detector.conftest import PROMPTS, prompted
from tests.fake_project import REPO
from tests.toy import CLASSES

pytestmark = pytest.mark.slow


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *args: object) -> None:
        pass


class Shelf(NamedTuple):
    """A folder that a local server offers, a stand-in for the releases of Ultralytics, and where it is."""

    folder: Path
    release: Release

    def put(self, name: str, data: bytes, digest: str | None = "") -> None:
        """Offer a file; its digest as the release states it ("": the right one; None: none, as of an old release)."""
        (self.folder / name).write_bytes(data)
        digest = f"sha256:{hashlib.sha256(data).hexdigest()}" if digest == "" else digest
        listing = self.folder / "listing.json"
        assets = json.loads(listing.read_text())["assets"] if listing.is_file() else []
        listing.write_text(json.dumps({"assets": [*assets, {"name": name, "digest": digest}]}))


@pytest.fixture
def shelf(tmp_path: Path) -> Iterator[Shelf]:
    folder = tmp_path / "release"
    folder.mkdir()
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(_Quiet, directory=str(folder)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    url = f"http://127.0.0.1:{server.server_port}"
    yield Shelf(folder, Release(url, f"{url}/listing.json"))
    server.shutdown()


class _Evil:
    """What runs when it is unpickled."""

    def __reduce__(self) -> tuple[Any, ...]:
        return Path.touch, (Path("ran"),)


def evil() -> bytes:
    """Return a checkpoint that does harm as soon as it is loaded."""
    import torch

    torch.save({"model": _Evil()}, "evil.pt")
    return Path("evil.pt").read_bytes()


def sha256(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()


def test_a_path_is_copied_byte_for_byte(toy_weights, workplace):
    text, encoder = resolve(str(toy_weights), Path("models/parent.pt"), kind="baseline", seed=0)
    assert Path("models/parent.pt").read_bytes() == toy_weights.read_bytes()
    assert "3 classes" in text
    assert encoder is None


def baseline(spec: str, shelf: Shelf, file: str = "a.pt") -> str:
    return resolve(spec, Path(file), kind="baseline", seed=0, release=shelf.release).line


def refusal(spec: str, shelf: Shelf) -> str:
    """Return the line that refuses `spec`, of which nothing has run or was kept for the project."""
    with pytest.raises(UserError) as caught:
        baseline(spec, shelf)
    assert "\n" not in str(caught.value)
    assert not Path("ran").exists()
    assert not Path("a.pt").exists()
    return str(caught.value)


def test_a_released_name_is_downloaded_once(toy_weights, workplace, shelf):
    shelf.put("yolo26n.pt", toy_weights.read_bytes())
    line = baseline("yolo26n.pt", shelf)
    assert line.endswith(f", 3 classes, SHA-256 {sha256(toy_weights)}")
    assert (cache_folder() / "yolo26n.pt.sha256").read_text() == f"{sha256(toy_weights)}  yolo26n.pt\n"
    for file in shelf.folder.iterdir():
        file.unlink()
    baseline("yolo26n.pt", shelf, "b.pt")
    assert Path("a.pt").read_bytes() == Path("b.pt").read_bytes() == toy_weights.read_bytes()


def test_a_failed_download_says_where_to_get_the_file(toy_weights, workplace, shelf):
    shelf.put("yolo26n.pt", toy_weights.read_bytes())
    (shelf.folder / "yolo26n.pt").unlink()
    assert re.match(r"yolo26n\.pt: expected a download.*Download http://127", refusal("yolo26n.pt", shelf))
    assert not list(cache_folder().glob("*.pt*"))


def test_a_download_with_other_bytes_is_not_opened(workplace, shelf):
    shelf.put("yolo26n.pt", evil(), f"sha256:{'0' * 64}")
    line = refusal("yolo26n.pt", shelf)
    assert line.startswith(f"{shelf.release.files}/yolo26n.pt: expected the SHA-256 {'0' * 64}, found ")
    assert not list(cache_folder().glob("*.pt*"))


@pytest.mark.parametrize("listing", [None, "{", "[]", '{"assets": [{"name": "yolo26n.pt", "digest": null}]}'])
def test_without_a_digest_nothing_is_opened_unless_a_person_says_one(listing, toy_weights, workplace, shelf):
    shelf.put("yolo26n.pt", evil())
    (shelf.folder / "listing.json").unlink()
    if listing:
        (shelf.folder / "listing.json").write_text(listing)
    line = refusal("yolo26n.pt", shelf)
    assert line.startswith(f"{shelf.release.listing}: expected the SHA-256 of yolo26n.pt, found ")
    assert ". Say it: yolo26n.pt#sha256=HEX; or give the path of a file that you trust. Small weights to try " in line
    assert line.endswith("lie here: --baseline starter/yolo26n.pt --target starter/yoloe-26n.pt")
    assert "expected the SHA-256" in refusal(f"yolo26n.pt#sha256={sha256(toy_weights)}", shelf)
    (shelf.folder / "yolo26n.pt").write_bytes(toy_weights.read_bytes())
    baseline(f"yolo26n.pt#sha256={sha256(toy_weights)}", shelf)
    assert Path("a.pt").read_bytes() == toy_weights.read_bytes()


def test_a_file_in_the_cache_is_looked_at_again(toy_weights, workplace, shelf):
    """One that was changed since, and one of which nobody noted where it is from."""
    shelf.put("yolo26n.pt", toy_weights.read_bytes())
    baseline("yolo26n.pt", shelf)
    Path("a.pt").unlink()
    cached = cache_folder() / "yolo26n.pt"
    cached.write_bytes(evil())
    assert refusal("yolo26n.pt", shelf).startswith(f"{cached}: expected the SHA-256 {sha256(toy_weights)}, found ")
    cached.with_name("yolo26n.pt.sha256").unlink()
    assert refusal("yolo26n.pt", shelf).endswith(" Delete it, and it is downloaded again.")
    cached.write_bytes(toy_weights.read_bytes())
    assert "3 classes" in baseline("yolo26n.pt", shelf)


def test_the_encoder_of_which_nobody_states_a_digest_can_be_put_into_the_cache(workplace, shelf):
    with pytest.raises(UserError, match=rf"Put a file that you trust into {cache_folder()}, and there: sha256sum mob"):
        fetch(MOBILECLIP2_FILE, release=shelf.release)
    file = cache_folder() / MOBILECLIP2_FILE
    file.write_bytes(b"the encoder")
    (cache_folder() / f"{MOBILECLIP2_FILE}.sha256").write_text(f"{sha256(file)}  {MOBILECLIP2_FILE}\n")
    assert fetch(MOBILECLIP2_FILE, release=shelf.release) == file


def test_a_person_can_say_the_digest_of_a_path(toy_weights, workplace, shelf):
    Path("mine.pt").write_bytes(evil())
    digest = sha256(toy_weights)
    assert refusal(f"mine.pt#sha256={digest}", shelf).startswith(f"mine.pt: expected the SHA-256 {digest}, found ")
    assert "expected 64 digits of a SHA-256 (0-9, a-f), found 12" in refusal("mine.pt#sha256=12", shelf)
    Path("mine.pt").write_bytes(toy_weights.read_bytes())
    assert "mine.pt, 3 classes" in baseline(f"mine.pt#sha256={digest}", shelf)


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


def test_a_file_that_holds_code_is_not_opened_unless_a_person_trusts_it(workplace, shelf):
    Path("mine.pt").write_bytes(evil())
    line = refusal("mine.pt", shelf)
    assert line.startswith("mine.pt: expected tensors, and classes of torch and Ultralytics, found pathlib.")
    assert line.endswith("the same command with --trust-weights")
    with pytest.raises(UserError):  # it is no detector, but it has run
        resolve("mine.pt", Path("a.pt"), kind="baseline", seed=0, trusted=True)
    assert Path("ran").exists()


def test_damaged_bytes_with_code_in_them_do_not_run_either(workplace, shelf):
    import pickle

    Path("old.pt").write_bytes(pickle.dumps({"model": _Evil()}))
    Path("cut.pt").write_bytes(evil()[:-40])
    for name in ("old.pt", "cut.pt"):
        assert refusal(name, shelf).startswith(f"{name}: expected ")


def test_starter_weights_and_our_own_are_opened(toy_weights, images, workplace):
    own = prompted(toy_weights, images)
    for file in (toy_weights, REPO / "starter/yolo26n.pt"):
        assert "classes" in resolve(str(file), Path("a.pt"), kind="baseline", seed=0).line
    for file in (own, Path("target.pt"), REPO / "starter/yoloe-26n.pt"):
        assert "classes" in resolve(str(file), Path("a.pt"), kind="target", seed=0).line
    model = load_model(own)
    remember(model, PROMPTS, {"detail": torch_vector()})
    save_model(model, Path("examples.pt"), imgsz=128)
    assert "classes" in resolve("examples.pt", Path("a.pt"), kind="target", seed=0).line


def torch_vector() -> Any:
    import torch

    return torch.ones(512)
