"""Small data in the SRN layout, for tests."""

import re

import numpy as np
import pytest

from tiny_nvs_ros.srn_data import Intrinsics, SrnError, write_instance
from training.data import cameras


def random_images(count, size=16, seed=0):
    return np.random.default_rng(seed).integers(0, 256, (count, size, size, 3), np.uint8)


def random_poses(count, seed=0):
    return cameras.random_views(count, np.random.default_rng(seed))


def write_split(folder):
    """Write the instances a (3 views) and b (5 views); return the folder."""
    for name, views in (("a", 3), ("b", 5)):
        lens = Intrinsics.centred(16.4, 16)
        write_instance(folder / name, random_images(views), random_poses(views), lens)
    return folder


def refuses(message, call, *args, **options):
    with pytest.raises(SrnError, match=re.escape(message)):
        call(*args, **options)
