"""The real sheets of the detector's tests."""

from tests.detector.conftest import easy_sheets, images, workplace

__all__ = ["easy_sheets", "images", "workplace"]
