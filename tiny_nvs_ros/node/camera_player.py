"""Plays a folder of posed images (SRN layout) as a camera that moves around an object."""

import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import rclpy

from tiny_nvs_ros.node.arguments import warn_of_unused_arguments
from tiny_nvs_ros.node.camera import CameraNode
from tiny_nvs_ros.node.process import run_node
from tiny_nvs_ros.resources import share_folder
from tiny_nvs_ros.srn_data import SrnInstance, find_instance


@dataclass(frozen=True)
class Frame:
    """One view. image: H x W x 3 uint8 RGB; pose: (4, 4) T_object_camera, in the folder's unit."""

    image: np.ndarray
    pose: np.ndarray


@dataclass(frozen=True)
class Sequence:
    """All views of one object, in order. intrinsics: focal length, cx, cy, pixels."""

    name: str
    frames: list[Frame]
    intrinsics: tuple[float, float, float]


def read_sequence(folder: str | Path, instance: str = "") -> Sequence:
    """Read one object of a folder in the SRN layout, the first one if `instance` is empty.

    folder: the instance itself, or one or two levels above it. Its cameras need not be a model's:
    they must see the object's centre. Raises FileNotFoundError if there is none, and ValueError,
    with the file, if one is invalid.
    """
    found = SrnInstance(find_instance(folder, instance), camera=None)
    images = found.images()
    height, width = images.shape[1:3]
    scaled = found.intrinsics.scaled_to(width, height)
    frames = [Frame(image, pose) for image, pose in zip(images, found.poses, strict=True)]
    return Sequence(found.name, frames, (scaled.focal, scaled.cx, scaled.cy))


class CameraPlayer(CameraNode):
    """Node `camera_player`. done: completes after the last image, unless it loops."""

    def __init__(self, **kwargs: object):
        """Raises OSError or ValueError if the folder is missing or invalid."""
        super().__init__("camera_player", **kwargs)
        folder = self.parameter("folder", "", "folder in the SRN layout; empty: the demo's cars")
        instance = self.parameter("instance", "", "object of the folder; empty: the first")
        self._loop = self.parameter("loop", True, "start again after the last image; false: exit")
        self._scale = self.parameter("scale", 1.0, "m: one unit of the folder's poses", (1e-6, 1e6))
        self.sequence = read_sequence(folder or share_folder("demo") / "cars", instance)
        self.done = rclpy.task.Future()
        self._next = 0
        self.create_timer(1 / self.rate, self._play)
        frames = self.sequence.frames
        self.get_logger().info(
            f"playing {self.sequence.name}, {len(frames)} images of {frames[0].image.shape[1]}x"
            f"{frames[0].image.shape[0]}, at {self.rate:g} Hz on {self.image_publisher.topic_name}"
        )

    def _play(self) -> None:
        if self._next == len(self.sequence.frames):
            if not self._loop:
                if not self.done.done():
                    self.done.set_result(None)
                return
            self._next = 0
        frame = self.sequence.frames[self._next]
        self._next += 1
        T_object_camera = frame.pose.copy()
        T_object_camera[:3, 3] *= self._scale
        self.publish(frame.image, T_object_camera, self.sequence.intrinsics)


def main(args: list[str] | None = None) -> int:
    """Play until the end or Ctrl-C. Returns the process's exit code."""
    return run_node("camera_player", lambda: play(args), args)


def play(args: list[str] | None = None) -> int:
    node = CameraPlayer()
    warn_of_unused_arguments(node, args)
    rclpy.spin_until_future_complete(node, node.done)
    return 0


if __name__ == "__main__":
    sys.exit(main())
