"""Extract views of an object from a bag (ROS 2 or ROS 1), in the SRN layout.

    python -m training.from_bag BAG --image-topic /camera/image_raw --object-frame mug \\
        --object-radius 0.06 --out data

The bag holds images, their camera_info, and TF with the poses of the camera and of the object. Each
image becomes what the model's virtual camera would have taken. Without a mask or depth, the
background must be white.
"""

import argparse
import math
from collections import Counter
from dataclasses import fields
from pathlib import Path

import numpy as np

from tiny_nvs_ros.srn_data import Intrinsics, write_instance
from training.data.recorded_views import read_views
from training.data.recording import Recording, ViewOptions

MAX_REASONS = 10
MIN_SIZE, MAX_SIZE = 8, 1024  # of the views, pixels; all are kept in memory


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(
        prog="python -m training.from_bag", description=__doc__.partition("\n")[0]
    )
    parser.add_argument("bag", type=Path, help="rosbag2 folder, .mcap, .db3, or .bag of ROS 1")
    parser.add_argument("--image-topic", required=True, help="sensor_msgs Image, CompressedImage")
    parser.add_argument("--info-topic", help="sensor_msgs CameraInfo (beside the image topic)")
    parser.add_argument("--object-frame", required=True, help="its origin is the object's centre")
    parser.add_argument(
        "--object-radius", type=float, required=True, help="m, half of its bounding box's diagonal"
    )
    masks = parser.add_mutually_exclusive_group()
    masks.add_argument("--mask-topic", help="sensor_msgs Image, 0 outside the object")
    masks.add_argument(
        "--depth-topic",
        help="sensor_msgs Image of depth, aligned with the images: the object is what lies within "
        "object-radius of its frame's origin and above its support plane",
    )
    parser.add_argument(
        "--mask-tolerance",
        dest="mask_tolerance_s",
        type=float,
        default=0.0,
        metavar="S",
        help="between the stamps of an image and its mask or depth, s (%(default)s)",
    )
    parser.add_argument("--out", type=Path, required=True, help="folder of the data set")
    parser.add_argument("--split", default="train", help="folder in it (%(default)s)")
    parser.add_argument("--instance", help="name of the object (the bag's)")
    parser.add_argument("--size", type=int, default=64, help="of the views, pixels (%(default)s)")
    parser.add_argument("--every", type=int, default=1, metavar="N", help="use every Nth image")
    parser.add_argument(
        "--rectified", action="store_true", help="the images are rectified (image_rect): use P"
    )
    parser.add_argument(
        "--max-gap",
        dest="max_gap_s",
        type=float,
        default=0.5,
        metavar="S",
        help="leave out images in gaps of TF longer than this, s (%(default)s)",
    )
    parser.add_argument(
        "--tf-topic",
        dest="tf_topics",
        nargs="+",
        default=["/tf"],
        metavar="TOPIC",
        help="one or several (/tf)",
    )
    parser.add_argument("--tf-static-topic", default="/tf_static", help="(%(default)s)")
    options = parser.parse_args(arguments)
    for name in ("object_radius", "every", "max_gap_s"):
        if not 0 < getattr(options, name) < math.inf:
            option = name.removesuffix("_s").replace("_", "-")
            parser.error(f"--{option} must be positive and finite")
    if not MIN_SIZE <= options.size <= MAX_SIZE:
        parser.error(f"--size must be {MIN_SIZE} to {MAX_SIZE}")
    if not 0 <= options.mask_tolerance_s <= 10:
        parser.error("--mask-tolerance must be 0 to 10")
    try:
        convert(options)
    except (ValueError, OSError) as error:
        parser.exit(2, f"error: {error}\n")
    except KeyboardInterrupt:
        parser.exit(130, "interrupted\n")


def convert(options: argparse.Namespace) -> None:
    """Read the bag and write its instance; raises ValueError if no image can be used."""
    name = options.instance or options.bag.resolve().stem
    for option, value in (("--instance", name), ("--split", options.split)):
        if value in ("", "..") or value != Path(value).name:
            raise ValueError(f"{option} {value!r} is not the name of a folder")
    path = options.out / options.split / name
    if path.exists():
        raise FileExistsError(f"{path} exists; delete it, or choose another --instance")
    view_options = ViewOptions(
        **{field.name: getattr(options, field.name) for field in fields(ViewOptions)}
    )
    with Recording(options.bag) as recording:
        views = read_views(recording, view_options)
    reasons = _reasons(views.left_out, "left out") + _reasons(recording.damaged, "skipped")
    reasons += _reasons(views.doubtful, "doubtful")
    if not views.images:
        why = "; ".join(reasons) or "the topic holds none"
        raise ValueError(f"{options.bag}: no image of {options.image_topic} could be used: {why}")
    path.parent.mkdir(parents=True, exist_ok=True)
    intrinsics = [Intrinsics.centred(focal, options.size) for focal in views.focals]
    write_instance(path, np.stack(views.images), np.stack(views.poses), intrinsics)
    used, total = len(views.images), len(views.images) + views.left_out.total()
    print("\n  ".join([f"{used} of {total} images in {path}", *reasons]))


def _reasons(counts: Counter[str], what: str) -> list[str]:
    shown = counts.most_common(MAX_REASONS)
    lines = [f"{count} {what}: {reason}" for reason, count in shown]
    rest = counts.total() - sum(count for _, count in shown)
    return lines + [f"{rest} {what} for other reasons"] * (rest > 0)


if __name__ == "__main__":
    main()
