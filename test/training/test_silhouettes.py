"""Images that do not belong to their cameras are refused, or logged."""

import logging
import re

import cv2
import numpy as np
import pytest

from tiny_nvs_ros.geometry import SRN_CAMERA
from tiny_nvs_ros.srn_data import Intrinsics, SrnError, SrnSplit, write_instance
from training.data import cameras
from training.data.silhouettes import check_silhouettes

SIZE, VIEWS = 32, 16


def silhouettes(poses, seed):
    """Images (V, SIZE, SIZE, 4) of a few balls, without a symmetry."""
    rng = np.random.default_rng(seed)
    balls = np.array([[0.3, 0, 0], [0, 0.2, 0.1], [-0.2, -0.1, -0.25], [0.1, 0.25, 0.2]])
    balls += rng.normal(0, 0.03, balls.shape)
    images = np.zeros((len(poses), SIZE, SIZE, 4), np.uint8)
    focal = SRN_CAMERA.focal * SIZE
    for image, pose in zip(images, poses, strict=True):
        for x, y, z in (balls - pose[:3, 3]) @ pose[:3, :3]:
            center = round(focal * x / z + SIZE / 2), round(focal * y / z + SIZE / 2)
            cv2.circle(image, center, round(focal * 0.1 / z), (90, 60, 60, 255), -1)
    return images


def write(folder, change=lambda images: images, alpha=True):
    for k in range(3):
        poses = cameras.random_views(VIEWS, np.random.default_rng(k))
        images = change(silhouettes(poses, k))
        if not alpha:
            images = np.where(images[..., 3:] > 0, images[..., :3], 255).astype(np.uint8)
        lens = Intrinsics.centred(SRN_CAMERA.focal * SIZE, SIZE)
        write_instance(folder / str(k), images, poses, lens)
    return SrnSplit(folder).instances


@pytest.mark.parametrize("alpha", [True, False])
def test_images_of_their_cameras_pass(tmp_path, caplog, alpha):
    with caplog.at_level(logging.WARNING):
        check_silhouettes(write(tmp_path, alpha=alpha))
    assert not caplog.text


@pytest.mark.parametrize(
    "change, words",
    [
        (lambda images: images[:, :, ::-1], "mirrored left to right"),
        (lambda images: images[:, ::-1], "mirrored top to bottom"),
        (lambda images: images[:, ::-1, ::-1], "turned by 180 deg"),
        (lambda images: np.rot90(images, 1, (1, 2)), "turned to the left"),
        (lambda images: np.rot90(images, -1, (1, 2)), "turned to the right"),
        (lambda images: images[::-1], "reverse order"),
    ],
)
@pytest.mark.parametrize("alpha", [True, False])
def test_changed_images_are_refused_with_what_was_done(tmp_path, change, words, alpha):
    instances = write(tmp_path, lambda images: np.ascontiguousarray(change(images)), alpha)
    with pytest.raises(SrnError, match=f"{re.escape(str(tmp_path))}: .*{words}"):
        check_silhouettes(instances)


def test_images_in_another_order_are_logged(tmp_path, caplog):
    def shuffled(images):
        return images[np.random.default_rng(5).permutation(len(images))]

    with caplog.at_level(logging.WARNING):
        check_silhouettes(write(tmp_path, shuffled))
    assert "are the poses those of the images" in caplog.text


def test_one_wrong_and_one_empty_image_are_named(tmp_path, caplog):
    def change(images):
        images[3], images[5] = np.roll(images[3], 12, axis=0), 0
        return images

    with caplog.at_level(logging.WARNING):
        check_silhouettes(write(tmp_path, change))
    assert "0/rgb/000005.png: shows nothing but background" in caplog.text
    assert "0/rgb/000003.png: the silhouette does not fit" in caplog.text


def test_images_without_a_silhouette_are_logged(tmp_path, caplog):
    with caplog.at_level(logging.WARNING):
        check_silhouettes(write(tmp_path, lambda images: images[..., :3].copy()))  # on black
    assert "no alpha and no white background" in caplog.text


@pytest.mark.parametrize("alpha", [True, False])
def test_object_of_which_most_images_are_empty_is_refused(tmp_path, alpha):
    def change(images):
        images[: VIEWS // 2 + 4] = 0
        return images

    with pytest.raises(SrnError, match=r"0: .* views show nothing but background"):
        check_silhouettes(write(tmp_path, change, alpha))


@pytest.mark.parametrize(
    "change, words",
    [(lambda alpha: 255 - alpha, "is it inverted"), (lambda alpha: alpha | 255, "without alpha")],
)
def test_alpha_that_is_opaque_beside_the_object_is_refused(tmp_path, change, words):
    def changed(images):
        return np.concatenate([images[..., :3], change(images[..., 3:])], axis=-1)

    with pytest.raises(SrnError, match=f"the alpha of its images is opaque.*{words}"):
        check_silhouettes(write(tmp_path, changed))


def test_objects_that_are_cut_off_are_logged(tmp_path, caplog):
    def larger(images):
        middle = slice(SIZE // 4, -SIZE // 4)
        return np.stack([cv2.resize(image[middle, middle], (SIZE, SIZE)) for image in images])

    with caplog.at_level(logging.WARNING):
        check_silhouettes(write(tmp_path, larger))
    assert "0: the object is cut off by the border of 16 of 16 images" in caplog.text
