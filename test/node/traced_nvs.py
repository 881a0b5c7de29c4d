"""The nvs node with a model whose views hold its inputs, and that fails on request.

A view's first bytes are the first row of the source image and the pose that the model was asked
for; `read` gives them back. They come out unchanged where the source image is 32 x 32, the cameras
are upright, look at the object's centre and stand equally far from it, and samples is 1.

The first byte of the source image says what the model does: see FAULTS, 0 for nothing special.
"""

import sys
import time

import numpy as np
import torch

from tiny_nvs_ros.geometry import relative_pose
from tiny_nvs_ros.model import ViewSamples
from tiny_nvs_ros.model.base import LatentModel
from tiny_nvs_ros.node.node import main

SIZE = 32
FINE, SLOW, NO_MEMORY, NO_CPU_MEMORY, NO_GPU_MEMORY, ERROR, LEAVE, ENDLESS = range(8)


def picture(number: int, fault: int = FINE) -> np.ndarray:
    """Return the image of a number (32 bit), 32 x 32 x 3."""
    pixels = np.zeros((SIZE, SIZE, 3), np.uint8)
    pixels[8:24, 8:24] = 200  # an object: blank images are dropped
    pixels[0].flat[:5] = np.frombuffer(bytes([fault]) + number.to_bytes(4, "little"), np.uint8)
    return pixels


def read(view: np.ndarray) -> tuple[int, np.ndarray]:
    """Return the number of the image of a view (32 x 32 x 3), and its T_source_target."""
    number = int.from_bytes(view[0].tobytes()[1:5], "little")
    return number, np.frombuffer(view[1:3].tobytes()[:128]).reshape(4, 4)


def paint(image: np.ndarray, pose: np.ndarray) -> np.ndarray:
    view = np.zeros((SIZE, SIZE, 3), np.uint8)
    view[0] = image[0]
    view[1:3].reshape(-1)[:128] = np.frombuffer(pose.astype(float).tobytes(), np.uint8)
    return view


def render(model, request, on_step=None, sampler=None):
    image = request.sources[0].image
    poses = relative_pose(request.sources[0].T_object_camera, request.T_object_targets)
    samples = request.noise.shape[1]
    fault = image[0, 0, 0]
    if fault == SLOW:
        time.sleep(0.4)
    if fault == NO_MEMORY:
        raise MemoryError("none left")
    if fault == NO_CPU_MEMORY:
        torch.empty(2**50)
    if fault == NO_GPU_MEMORY:
        raise torch.cuda.OutOfMemoryError("CUDA out of memory. Tried to allocate much")
    if fault == ERROR:
        raise RuntimeError("a fault of the model")
    if fault == LEAVE:
        raise SystemExit("a library left")
    if fault == ENDLESS:
        print("at it", flush=True)
    while fault == ENDLESS:
        on_step()
        time.sleep(0.01)
    return ViewSamples(np.stack([[paint(image, pose)] * samples for pose in poses]))


if __name__ == "__main__":
    LatentModel.render = render
    sys.exit(main())
