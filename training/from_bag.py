"""Views of an object out of a rosbag2 recording, in the SRN layout.

    python -m training.from_bag BAG --image-topic /camera/image_raw --object-frame mug \\
        --object-radius 0.06 --out data

The recording (sqlite3 or mcap) holds images, their camera_info, and on /tf and /tf_static where the
camera and the object are. Each image becomes what the model's virtual camera would have taken.
"""

import argparse
import sqlite3
import struct
from bisect import bisect_left, bisect_right
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import islice, pairwise
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from rosbags.highlevel import AnyReader, AnyReaderError
from rosbags.rosbag2 import ReaderError
from rosbags.typesys import Stores, get_typestore
from tqdm import tqdm

from tiny_nvs_ros.camera import Camera, share_in_picture, virtual_view
from tiny_nvs_ros.geometry import FOCAL, inverse, pose_from, virtual_camera
from tiny_nvs_ros.image import from_compressed, from_raw
from training.srn import Intrinsics, write_instance

DECODERS = {
    "sensor_msgs/msg/Image": from_raw,
    "sensor_msgs/msg/CompressedImage": from_compressed,
}
IN_VIEW = 0.95  # share of the object's disc that the picture must show
BROKEN = (AnyReaderError, ReaderError, sqlite3.Error, struct.error)  # what broken bags raise


@dataclass
class Edge:
    """T_parent_child over time, stamps in ns; static: at all times."""

    static: bool = False
    stamps: list[int] = field(default_factory=list)
    poses: list[np.ndarray] = field(default_factory=list)

    def add(self, stamp: int, pose: np.ndarray) -> None:
        place = bisect_right(self.stamps, stamp)  # mostly the end
        self.stamps.insert(place, stamp)
        self.poses.insert(place, pose)

    def at(self, stamp: int) -> np.ndarray | None:
        """Interpolated; None outside the recorded time."""
        if self.static:
            return self.poses[-1]
        after = bisect_left(self.stamps, stamp)
        if after == len(self.stamps) or (after == 0 and self.stamps[0] != stamp):
            return None
        if self.stamps[after] == stamp:
            return self.poses[after]
        start, end = self.stamps[after - 1 : after + 1]
        return interpolate(
            self.poses[after - 1], self.poses[after], (stamp - start) / (end - start)
        )


def interpolate(first: np.ndarray, second: np.ndarray, share: float) -> np.ndarray:
    """Pose (4, 4) between two: straight for the position, along the shortest turn else."""
    turn, _ = cv2.Rodrigues(first[:3, :3].T @ second[:3, :3])
    pose = first.copy()
    pose[:3, :3] = first[:3, :3] @ cv2.Rodrigues(turn * share)[0]
    pose[:3, 3] += share * (second[:3, 3] - first[:3, 3])
    return pose


class Transforms:
    """The frames of /tf and /tf_static."""

    def __init__(self):
        self.edges: dict[str, dict[str, Edge]] = defaultdict(dict)  # by child, then parent

    def add(self, message: Any, static: bool) -> None:
        """A geometry_msgs/TransformStamped; ValueError where it is no rigid transform."""
        p, q = message.transform.translation, message.transform.rotation
        pose = pose_from([p.x, p.y, p.z], [q.x, q.y, q.z, q.w])
        child, parent = _frame(message.child_frame_id), _frame(message.header.frame_id)
        self.edges[child].setdefault(parent, Edge(static)).add(_stamp(message), pose)

    def lookup(self, target: str, source: str, stamp: int) -> np.ndarray:
        """T_target_source (4, 4) at a stamp, ns; LookupError, with the reason, without one."""
        to_target, to_source = self._ancestors(target), self._ancestors(source)
        common = next((frame for frame in to_source if frame in to_target), None)
        if common is None:
            raise LookupError(f"no transform {target} <- {source}")
        T_common_target, T_common_source = (
            self._climb(chain, common, stamp) for chain in (to_target, to_source)
        )
        return inverse(T_common_target) @ T_common_source

    def _ancestors(self, frame: str) -> list[str]:
        """The frame, its parent, and so on to the root."""
        chain = [_frame(frame)]
        while parents := self.edges.get(chain[-1]):
            if len(parents) > 1:
                raise ValueError(
                    f"TF gives {chain[-1]} several parents: {', '.join(sorted(parents))}; record "
                    "with one"
                )
            (parent,) = parents
            if parent in chain:
                raise ValueError(f"TF has a loop: {' <- '.join([*chain, parent])}")
            chain.append(parent)
        return chain

    def _climb(self, chain: list[str], top: str, stamp: int) -> np.ndarray:
        T = np.eye(4)
        for child, parent in pairwise(chain):
            if child == top:
                break
            step = self.edges[child][parent].at(stamp)
            if step is None:
                raise LookupError(f"transform {parent} <- {child} does not reach its time")
            T = step @ T
        return T


def _frame(name: str) -> str:
    return name.lstrip("/")


def _stamp(message: Any) -> int:
    """Of a message with a header, ns."""
    return message.header.stamp.sec * 1_000_000_000 + message.header.stamp.nanosec


def read_transforms(reader: AnyReader) -> Transforms:
    """All of /tf and /tf_static; what is no rigid transform is ignored, as tf2 does."""
    transforms = Transforms()
    for name in ("/tf", "/tf_static"):
        if name in reader.topics:
            for message in messages(reader, name, ["tf2_msgs/msg/TFMessage"]):
                for transform in message.transforms:
                    with suppress(ValueError):
                        transforms.add(transform, static=name == "/tf_static")
    return transforms


def messages(reader: AnyReader, topic: str, types: Iterable[str]) -> Iterator[Any]:
    """The messages of a topic; ValueError, with the topics there are, where it has none."""
    known = {name for name, info in reader.topics.items() if info.msgtype in types}
    if topic not in known or not reader.topics[topic].msgcount:
        there = ", ".join(sorted(known - {topic})) or "none"
        raise ValueError(f"the bag has no {' or '.join(types)} on {topic}; topics of it: {there}")
    return (
        reader.deserialize(data, connection.msgtype)
        for connection, _, data in reader.messages(reader.topics[topic].connections)
    )


def info_topic_of(image_topic: str) -> str:
    """Where image_transport has the camera_info: beside the raw image."""
    raw = image_topic.removesuffix("/compressed")
    return raw.rpartition("/")[0] + "/camera_info"


def read_views(
    reader: AnyReader, options: argparse.Namespace
) -> tuple[list[np.ndarray], list[np.ndarray], Counter[str]]:
    """Images and poses T_object_camera of the virtual cameras, and why other images are left out.

    The first camera_info holds for all images.
    """
    recorded = messages(reader, options.image_topic, DECODERS)
    info_topic = options.info_topic or info_topic_of(options.image_topic)
    info = next(messages(reader, info_topic, ["sensor_msgs/msg/CameraInfo"]))
    camera = Camera.from_info(info, options.rectified)
    transforms = read_transforms(reader)
    decode = DECODERS[reader.topics[options.image_topic].msgtype]
    images, poses, left_out = [], [], Counter()
    count = reader.topics[options.image_topic].msgcount
    for message in tqdm(islice(recorded, 0, None, options.every), total=-(-count // options.every)):
        try:
            T = transforms.lookup(options.object_frame, message.header.frame_id, _stamp(message))
            virtual = virtual_camera(T)
            image, seen = virtual_view(
                decode(message), camera, virtual, options.object_radius, options.size
            )
        except (ValueError, LookupError) as error:
            left_out[str(error)] += 1
            continue
        if share_in_picture(seen) < IN_VIEW:
            left_out["the object is not wholly in the picture"] += 1
            continue
        images.append(image)
        poses.append(virtual.pose)
    return images, poses, left_out


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(
        prog="python -m training.from_bag", description=__doc__.partition("\n")[0]
    )
    parser.add_argument("bag", type=Path, help="rosbag2 folder or mcap file")
    parser.add_argument("--image-topic", required=True, help="sensor_msgs Image, CompressedImage")
    parser.add_argument("--info-topic", help="sensor_msgs CameraInfo (beside the image topic)")
    parser.add_argument("--object-frame", required=True, help="its origin is the object's centre")
    parser.add_argument(
        "--object-radius", type=float, required=True, help="m, half of its bounding box's diagonal"
    )
    parser.add_argument("--out", type=Path, required=True, help="folder of the data set")
    parser.add_argument("--split", default="train", help="folder in it (%(default)s)")
    parser.add_argument("--instance", help="name of the object (the bag's)")
    parser.add_argument("--size", type=int, default=64, help="of the images (%(default)s)")
    parser.add_argument("--every", type=int, default=1, metavar="N", help="use every Nth image")
    parser.add_argument(
        "--rectified", action="store_true", help="the images are rectified (image_rect): use P"
    )
    options = parser.parse_args(arguments)
    for name in ("object_radius", "size", "every"):
        if not getattr(options, name) > 0:
            parser.error(f"--{name.replace('_', '-')} must be positive")
    try:
        convert(options)
    except (ValueError, OSError) as error:
        parser.exit(2, f"error: {error}\n")
    except BROKEN as error:
        reason = str(error).partition("\n")[0]
        parser.exit(2, f"error: {options.bag}: {reason} (`ros2 bag reindex` mends some bags)\n")


def convert(options: argparse.Namespace) -> None:
    """Read the bag and write its instance; ValueError where no image can be used."""
    path = options.out / options.split / (options.instance or options.bag.resolve().stem)
    if path.exists():
        raise FileExistsError(f"{path} exists; delete it, or choose another --instance")
    with AnyReader([options.bag], default_typestore=get_typestore(Stores.ROS2_HUMBLE)) as reader:
        images, poses, left_out = read_views(reader, options)
    reasons = "".join(f"\n  {count} left out: {why}" for why, count in left_out.most_common(10))
    if not images:
        raise ValueError(f"no image of {options.image_topic} could be used{reasons}")
    path.parent.mkdir(parents=True, exist_ok=True)
    intrinsics = Intrinsics.centred(FOCAL * options.size, options.size)
    write_instance(path, np.stack(images), np.stack(poses), intrinsics)
    print(f"{len(images)} of {len(images) + sum(left_out.values())} images in {path}{reasons}")


if __name__ == "__main__":
    main()
