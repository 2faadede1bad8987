"""PNG bytes are a valid picture, and the same on every machine."""

import hashlib
import io

import cv2
import numpy as np
import pytest
from PIL import Image

from demo.png import png_bytes


def ramp(height, width):
    return (np.arange(height * width).reshape(height, width) * 7 % 256).astype(np.uint8)


@pytest.mark.parametrize("shape", [(1, 1), (3, 5), (1, 65534), (257, 254), (256, 255), (320, 320)])
def test_opencv_and_pillow_read_the_pixels_back(shape):
    """65,534 px and their filter byte fill one stored block, 257 rows of 255 bytes too; the next two need more."""
    grey = ramp(*shape)
    data = png_bytes(grey)
    assert np.array_equal(cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED), grey)
    picture = Image.open(io.BytesIO(data))
    assert picture.mode == "L"
    assert np.array_equal(np.asarray(picture), grey)
    Image.open(io.BytesIO(data)).verify()  # checks the sums of all chunks


def test_a_view_that_is_not_contiguous_is_read_as_it_looks():
    grey = np.rot90(ramp(6, 4))
    assert np.array_equal(np.asarray(Image.open(io.BytesIO(png_bytes(grey)))), grey)


def test_bytes_are_pinned():
    assert (
        hashlib.sha256(png_bytes(ramp(300, 310))).hexdigest()
        == "b497dccb37a767fbbf4ab4e5b227f54234f9747a1cbf06fa2a0ec2359cace763"
    )


@pytest.mark.parametrize("wrong", [np.zeros((2, 2, 3), np.uint8), np.zeros((2, 2)), np.zeros((0, 4), np.uint8)])
def test_other_arrays_are_refused(wrong):
    with pytest.raises(ValueError, match="expected a"):
        png_bytes(wrong)
