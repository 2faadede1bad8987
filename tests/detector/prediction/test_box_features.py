"""The features of a detection come from the maps that the head looks at, whatever else it is given."""

import pytest

from stages.detector.model.runtime import start_ultralytics
from stages.detector.prediction.box_features import FEATURES, box_features, watch

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("prompted", [False, True])
def test_a_head_with_prompts_has_features_too(workplace, prompted):
    """A promptable head is given the vectors of its prompts beside the maps."""
    start_ultralytics()
    import torch
    from ultralytics.nn.tasks import DetectionModel, YOLOEModel

    kind, name = (YOLOEModel, "yoloe-26n.yaml") if prompted else (DetectionModel, "yolo26n.yaml")
    model = kind(name, nc=3, verbose=False).eval()
    if prompted:
        model.set_classes(["a", "b", "c"], torch.randn(1, 3, 512))
    maps = watch(model.model[-1])
    with torch.inference_mode():
        model(torch.rand(2, 3, 64, 64))
        features = box_features(maps, torch.tensor([[0, 0, 20, 20], [30, 30, 60, 40]]), sheet=1, height=64)
    assert [tuple(level.shape[2:]) for level in maps] == [(8, 8), (4, 4), (2, 2)]
    assert features.shape == (2, FEATURES)
    assert features.norm(dim=1).tolist() == pytest.approx([1, 1], abs=1e-5)
