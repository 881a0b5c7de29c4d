import cv2
import numpy as np
import pytest

pytest.importorskip("rosbags")

from rosbags.rosbag2 import StoragePlugin, Writer
from rosbags.typesys import Stores, get_typestore

from tiny_nvs_ros.camera import Camera
from tiny_nvs_ros.geometry import (
    DISTANCE,
    inverse,
    look_at,
    pose_from,
    quaternion_from_rotation,
    virtual_camera,
)
from training import from_bag
from training.srn import SrnSplit

STORE = get_typestore(Stores.ROS2_HUMBLE)
START = 1_700_000_000_000_000_000  # ns
WIDTH, HEIGHT, FOCAL, LENS = 320, 240, 280.0, (-0.2, 0.05, 0.0, 0.0, 0.0)
T_WORLD_MUG = pose_from([2.0, 1.0, 0.5], [0, 0, np.sin(0.35), np.cos(0.35)])
T_BASE_CAMERA = pose_from([0.1, 0.0, 0.3], [-0.5, 0.5, -0.5, 0.5])
RADIUS = 0.1


def message(kind, **fields):
    return STORE.types[kind](**fields)


def header(stamp, frame):
    time = message("builtin_interfaces/msg/Time", sec=stamp // 10**9, nanosec=stamp % 10**9)
    return message("std_msgs/msg/Header", stamp=time, frame_id=frame)


def transform(stamp, parent, child, T):
    x, y, z, w = quaternion_from_rotation(T[:3, :3])
    p = message("geometry_msgs/msg/Vector3", **dict(zip("xyz", T[:3, 3], strict=True)))
    q = message("geometry_msgs/msg/Quaternion", x=x, y=y, z=z, w=w)
    return message(
        "geometry_msgs/msg/TransformStamped",
        header=header(stamp, parent),
        child_frame_id=child,
        transform=message("geometry_msgs/msg/Transform", translation=p, rotation=q),
    )


def tf(*transforms):
    return message("tf2_msgs/msg/TFMessage", transforms=list(transforms))


def camera_info(stamp):
    k = np.array([FOCAL, 0, 159.5, 0, FOCAL, 119.5, 0, 0, 1.0])
    region = message(
        "sensor_msgs/msg/RegionOfInterest",
        **dict(x_offset=0, y_offset=0, height=0, width=0, do_rectify=False),
    )
    return message(
        "sensor_msgs/msg/CameraInfo",
        header=header(stamp, "camera"),
        height=HEIGHT,
        width=WIDTH,
        distortion_model="plumb_bob",
        d=np.array(LENS),
        k=k,
        r=np.eye(3).ravel(),
        p=np.zeros(12),
        binning_x=0,
        binning_y=0,
        roi=region,
    )


def raw(stamp, picture, encoding):
    pixels = {
        "rgb8": picture,
        "bgr8": picture[..., ::-1],
        "rgba8": np.dstack([picture, np.full(picture.shape[:2], 255, np.uint8)]),
        "bgra8": np.dstack([picture[..., ::-1], np.full(picture.shape[:2], 255, np.uint8)]),
        "mono8": picture.mean(axis=-1).astype(np.uint8)[..., None],
        "16UC1": picture[..., :2],
    }[encoding]
    padded = np.pad(pixels.reshape(HEIGHT, -1), ((0, 0), (0, 8)))  # rows may be longer
    return message(
        "sensor_msgs/msg/Image",
        header=header(stamp, "camera"),
        height=HEIGHT,
        width=WIDTH,
        encoding=encoding,
        is_bigendian=0,
        step=padded.shape[1],
        data=padded.ravel(),
    )


def compressed(stamp, picture):
    data = cv2.imencode(".png", picture[..., ::-1])[1].ravel()
    return message(
        "sensor_msgs/msg/CompressedImage", header=header(stamp, "camera"), format="png", data=data
    )


def T_mug_camera(seconds):
    """Around the mug in a slanted circle, looking past it and rolled more and more."""
    angle = 0.6 * seconds
    eye = 0.5 * np.array([np.cos(angle), np.sin(angle), 0.5 + 0.2 * np.sin(2 * angle)])
    roll = np.eye(4)
    c, s = np.cos(0.5 * seconds), np.sin(0.5 * seconds)
    roll[:2, :2] = [[c, -s], [s, c]]
    return look_at(eye, np.array([0.02, -0.03, 0.04])) @ roll


def picture(T):
    """The mug as a black ball with a red button on its top (object's +z)."""
    camera = Camera.from_info(camera_info(START))
    sheet = np.full((HEIGHT, WIDTH, 3), 255, np.uint8)
    for point, radius, color in (((0, 0, 0), 24, (0, 0, 0)), ((0, 0, 0.07), 8, (220, 0, 0))):
        (x, y), *_ = camera.project((inverse(T) @ [*point, 1])[None, :3])
        cv2.circle(sheet, (round(x), round(y)), radius, color, -1)
    return sheet


def write_bag(path, storage=StoragePlugin.SQLITE3, encoding="rgb8", images=12, mug=True):
    """Images at 4 Hz from 0.13 s on, in between of 20 Hz of TF that ends early."""
    kinds = {
        "/tf": "tf2_msgs/msg/TFMessage",
        "/tf_static": "tf2_msgs/msg/TFMessage",
        "/cam/camera_info": "sensor_msgs/msg/CameraInfo",
        "/cam/image": "sensor_msgs/msg/Image",
        "/cam/image/compressed": "sensor_msgs/msg/CompressedImage",
    }
    with Writer(path, version=8, storage_plugin=storage) as writer:
        topics = {
            topic: writer.add_connection(topic, kind, typestore=STORE)
            for topic, kind in kinds.items()
        }

        def write(topic, stamp, content):
            data = STORE.serialize_cdr(content, kinds[topic])
            writer.write(topics[topic], stamp, data)

        static = [transform(START, "base", "camera", T_BASE_CAMERA)]
        if mug:
            static.append(transform(START, "world", "mug", T_WORLD_MUG))
        write("/tf_static", START, tf(*static))
        for i in range(52):  # to 2.55 s
            stamp = START + i * 50_000_000
            T = T_WORLD_MUG @ T_mug_camera(i * 0.05) @ inverse(T_BASE_CAMERA)
            write("/tf", stamp, tf(transform(stamp, "/world", "base", T)))
        for i in range(images):  # to 2.88 s
            seconds = 0.13 + 0.25 * i
            stamp = START + round(seconds * 1e9)
            write("/cam/camera_info", stamp, camera_info(stamp))
            sheet = picture(T_mug_camera(seconds))
            write("/cam/image", stamp, raw(stamp, sheet, encoding))
            write("/cam/image/compressed", stamp, compressed(stamp, sheet))
    return path


def convert(bag, out, *arguments, topic="/cam/image"):
    options = ["--image-topic", topic, "--object-frame", "mug", "--object-radius", RADIUS]
    from_bag.main([str(word) for word in (bag, "--out", out, *options, *arguments)])
    return SrnSplit(out / "train").instances[0]


def centroid(weight):
    rows, columns = np.mgrid[: len(weight), : len(weight)] + 0.5
    return np.array([(weight * columns).sum(), (weight * rows).sum()]) / weight.sum()


@pytest.mark.parametrize("storage", list(StoragePlugin))
@pytest.mark.parametrize("topic", ["/cam/image", "/cam/image/compressed"])
def test_a_bag_becomes_an_instance(tmp_path, capsys, storage, topic):
    instance = convert(write_bag(tmp_path / "walk", storage), tmp_path, topic=topic)
    assert instance.name == "walk" and len(instance) == 10
    printed = capsys.readouterr().out
    assert "10 of 12 images" in printed
    assert "2 left out: transform world <- base does not reach its time" in printed
    for i, (image, pose) in enumerate(zip(instance.images(), instance.poses, strict=True)):
        T = T_mug_camera(0.13 + 0.25 * i)
        np.testing.assert_allclose(pose, virtual_camera(T).pose, atol=2e-3)
        assert np.linalg.norm(pose[:3, 3]) == pytest.approx(DISTANCE)
        shown = image.astype(float)
        ball = centroid((255 - shown).mean(axis=-1))
        assert np.abs(ball - 32).max() < 2.5
        button = centroid(np.clip(shown[..., 0] - shown[..., 1], 0, None))
        assert button[1] < ball[1] - 3 and abs(button[0] - ball[0]) < 2.5  # upright
    assert instance.intrinsics.focal == pytest.approx(131.25 / 2, abs=1e-3)


@pytest.mark.parametrize("encoding", ["rgb8", "bgr8", "rgba8", "bgra8"])
def test_encodings_give_the_same_views(tmp_path, encoding):
    reference = convert(write_bag(tmp_path / "a", images=2), tmp_path / "1")
    other = convert(write_bag(tmp_path / "b", encoding=encoding, images=2), tmp_path / "2")
    np.testing.assert_array_equal(reference.images(), other.images())


def test_mono_pictures_are_grey(tmp_path):
    images = convert(write_bag(tmp_path / "a", encoding="mono8", images=2), tmp_path).images()
    assert (images == images[..., :1]).all() and images.min() < 50


def test_every_nth_image(tmp_path):
    assert len(convert(write_bag(tmp_path / "a", images=8), tmp_path, "--every", 3)) == 3


def test_an_object_that_is_not_in_the_picture_is_left_out(tmp_path, capsys):
    bag = write_bag(tmp_path / "a", images=2)
    with pytest.raises(SystemExit):
        convert(bag, tmp_path, "--object-radius", 0.4)
    assert "2 left out: the object is not wholly in the picture" in capsys.readouterr().err


@pytest.mark.parametrize(
    "changes, arguments, words",
    [
        ({}, ["--image-topic", "/image"], "topics of it: /cam/image, /cam/image/compressed"),
        ({}, ["--info-topic", "/info"], "no sensor_msgs/msg/CameraInfo on /info"),
        ({}, ["--object-frame", "cup"], "3 left out: no transform cup <- camera"),
        ({"mug": False}, [], "3 left out: no transform mug <- camera"),
        ({"encoding": "16UC1"}, [], "encoding '16UC1' is not supported"),
        ({}, ["--rectified"], "no calibration: p is"),
        ({}, ["--object-radius", "0"], "--object-radius must be positive"),
    ],
)
def test_what_cannot_be_done_is_said(tmp_path, capsys, changes, arguments, words):
    bag = write_bag(tmp_path / "bag", images=3, **changes)
    with pytest.raises(SystemExit) as stop:
        convert(bag, tmp_path, *arguments)
    assert stop.value.code == 2
    assert words in capsys.readouterr().err
    assert not (tmp_path / "train").exists()


def test_an_instance_is_not_overwritten(tmp_path, capsys):
    bag = write_bag(tmp_path / "a", images=2)
    convert(bag, tmp_path)
    with pytest.raises(SystemExit):
        convert(bag, tmp_path)
    assert "exists; delete it" in capsys.readouterr().err
    convert(bag, tmp_path, "--instance", "b")
    assert len(SrnSplit(tmp_path / "train")) == 2


@pytest.mark.parametrize("storage", list(StoragePlugin))
@pytest.mark.parametrize("harm", ["missing", "empty", "cut", "noise", "metadata"])
def test_a_broken_bag_is_named(tmp_path, capsys, storage, harm):
    bag = write_bag(tmp_path / "bag", storage, images=2)
    (file,) = (path for path in bag.iterdir() if path.suffix != ".yaml")
    content = file.read_bytes()
    if harm == "missing":
        file.unlink()
    elif harm == "metadata":
        (bag / "metadata.yaml").write_text("nonsense: [")
    else:
        broken = {"empty": b"", "cut": content[: len(content) // 2], "noise": b"noise" * 500}
        file.write_bytes(broken[harm])
    with pytest.raises(SystemExit) as stop:
        convert(bag, tmp_path)
    assert stop.value.code == 2
    assert str(bag) in capsys.readouterr().err


def stamped(seconds, parent, child, T):
    return transform(round(seconds * 1e9), parent, child, T)


def test_transforms_are_interpolated_along_the_shortest_turn():
    transforms = from_bag.Transforms()
    quarter = pose_from([2, 0, 0], [0, 0, np.sin(np.pi / 4), np.cos(np.pi / 4)])
    transforms.add(stamped(3, "a", "b", quarter), static=False)
    transforms.add(stamped(1, "a", "b", np.eye(4)), static=False)  # late, as TF may come
    middle = transforms.lookup("a", "b", 2 * 10**9)
    np.testing.assert_allclose(
        middle, pose_from([1, 0, 0], [0, 0, np.sin(np.pi / 8), np.cos(np.pi / 8)]), atol=1e-12
    )
    np.testing.assert_allclose(transforms.lookup("b", "a", 2 * 10**9), inverse(middle), atol=1e-12)
    np.testing.assert_allclose(transforms.lookup("a", "b", 3 * 10**9), quarter, atol=1e-12)
    for outside in (0, 3 * 10**9 + 1):
        with pytest.raises(LookupError, match="does not reach its time"):
            transforms.lookup("a", "b", outside)


def test_only_the_transforms_between_two_frames_matter():
    transforms = from_bag.Transforms()
    step = pose_from([1, 0, 0], [0, 0, 0, 1])
    transforms.add(stamped(1, "map", "robot", step), static=False)  # ends before
    transforms.add(stamped(1, "robot", "left", step), static=True)
    transforms.add(stamped(1, "robot", "right", inverse(step)), static=True)
    np.testing.assert_allclose(transforms.lookup("left", "right", 5 * 10**9)[:3, 3], [-2, 0, 0])
    with pytest.raises(LookupError, match="no transform left <- moon"):
        transforms.lookup("left", "moon", 5 * 10**9)


def test_ambiguous_trees_are_refused():
    transforms = from_bag.Transforms()
    transforms.add(stamped(1, "a", "b", np.eye(4)), static=True)
    transforms.add(stamped(1, "c", "b", np.eye(4)), static=True)
    with pytest.raises(ValueError, match="several parents: a, c"):
        transforms.lookup("a", "b", 0)
    loop = from_bag.Transforms()
    loop.add(stamped(1, "a", "b", np.eye(4)), static=True)
    loop.add(stamped(1, "b", "a", np.eye(4)), static=True)
    with pytest.raises(ValueError, match="loop: a <- b <- a"):
        loop.lookup("a", "b", 0)


def test_the_camera_info_lies_beside_the_image():
    assert from_bag.info_topic_of("/cam/image_raw") == "/cam/camera_info"
    assert from_bag.info_topic_of("/cam/image_raw/compressed") == "/cam/camera_info"
    assert from_bag.info_topic_of("/image") == "/camera_info"
