"""The size in the header is that of the decoded picture."""

import numpy as np
import pytest
from PIL import Image

from stages.base.decoding import read_bgr
from stages.base.errors import UserError
from stages.base.image_size import image_size


@pytest.mark.parametrize("orientation", [1, 3, 6, 8])
@pytest.mark.parametrize("suffix", ["jpg", "png", "tif", "webp", "bmp"])
def test_it_is_that_of_the_pixels_also_where_exif_turns_them(tmp_path, suffix, orientation):
    file = tmp_path / f"a.{suffix}"
    exif = Image.Exif()
    exif[274] = orientation
    Image.fromarray(np.zeros((30, 50, 3), np.uint8)).save(file, **({} if suffix == "bmp" else {"exif": exif}))
    assert image_size(file) == read_bgr(file).shape[1::-1]


def test_what_is_no_picture_has_none(tmp_path):
    (tmp_path / "a.png").write_bytes(b"PNG")
    assert image_size(tmp_path / "a.png") is None
    assert image_size(tmp_path / "b.png") is None


def test_a_sheet_beyond_what_opencv_decodes_is_named_by_its_size(tmp_path):
    file = tmp_path / "a.bmp"
    Image.fromarray(np.zeros((1, 1, 3), np.uint8)).save(file)
    data = bytearray(file.read_bytes())
    data[18:26] = np.array([40_000, 30_000], "<i4").tobytes()
    file.write_bytes(data)
    with pytest.raises(UserError, match="found 40000 x 30000 px, where 1,073,741,824 px at most decode"):
        read_bgr(file)
