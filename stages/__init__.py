"""yoloop: an active-learning loop for object detection as a DVC pipeline."""
