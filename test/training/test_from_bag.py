import sqlite3
from functools import partial

import cv2
import numpy as np
import pytest

pytest.importorskip("rosbags")

from rosbags.rosbag2 import CompressionFormat, CompressionMode, StoragePlugin, Writer
from rosbags.typesys import Stores, get_typestore

from tiny_nvs_ros.camera import Camera
from tiny_nvs_ros.geometry import (
    SRN_CAMERA,
    inverse,
    look_at,
    pose_from,
    quaternion_from_rotation,
)
from tiny_nvs_ros.srn_data import SrnSplit
from tiny_nvs_ros.virtual_camera import virtual_camera
from training import from_bag
from training.data.recorded_cameras import info_topic_of

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


def camera_info(stamp, focal=FOCAL, frame="camera", baseline=None):
    """Calibration; baseline: metres of the right camera of a rectified pair, in P as Tx."""
    p = np.zeros(12)
    if baseline is not None:
        p[[0, 2, 3, 5, 6, 10]] = focal, 159.5, -focal * baseline, focal, 119.5, 1
    k = np.array([focal, 0, 159.5, 0, focal, 119.5, 0, 0, 1.0])
    region = message(
        "sensor_msgs/msg/RegionOfInterest",
        **dict(x_offset=0, y_offset=0, height=0, width=0, do_rectify=False),
    )
    return message(
        "sensor_msgs/msg/CameraInfo",
        header=header(stamp, frame),
        height=HEIGHT,
        width=WIDTH,
        distortion_model="plumb_bob",
        d=np.array(LENS),
        k=k,
        r=np.eye(3).ravel(),
        p=p,
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


def picture(T, size=24):
    """The mug as a black ball with a red button on its top (object's +z)."""
    camera = Camera.from_info(camera_info(START))
    sheet = np.full((HEIGHT, WIDTH, 3), 255, np.uint8)
    for point, radius, color in (((0, 0, 0), size, (0, 0, 0)), ((0, 0, 0.07), 8, (220, 0, 0))):
        (x, y), *_ = camera.project((inverse(T) @ [*point, 1])[None, :3])
        cv2.circle(sheet, (round(x), round(y)), radius, color, -1)
    return sheet


def write_bag(
    path,
    storage=StoragePlugin.SQLITE3,
    encoding="rgb8",
    images=12,
    mug=True,
    info=lambda i: {},
    lost=(0, 0),
    prefix="",
    compression=None,
    masks=None,
    late=0.0,
):
    """Images at 4 Hz from 0.13 s on, in between of 20 Hz of TF that ends early.

    info: changes of camera_info of image i; lost: seconds without TF; prefix: of the TF topics;
    masks: encoding of masks and depth images of the mug, late by some seconds, on a table.
    """
    kinds = {
        f"{prefix}/tf": "tf2_msgs/msg/TFMessage",
        f"{prefix}/tf_static": "tf2_msgs/msg/TFMessage",
        "/cam/camera_info": "sensor_msgs/msg/CameraInfo",
        "/cam/image": "sensor_msgs/msg/Image",
        "/cam/image/compressed": "sensor_msgs/msg/CompressedImage",
    }
    if masks:
        kinds |= {"/mask": "sensor_msgs/msg/Image", "/depth": "sensor_msgs/msg/Image"}
    writer = Writer(path, version=8, storage_plugin=storage)
    if compression:
        writer.set_compression(compression, CompressionFormat.ZSTD)
    with writer:
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
        write(f"{prefix}/tf_static", START, tf(*static))
        for i in range(52):  # to 2.55 s
            stamp = START + i * 50_000_000
            if lost[0] < i * 0.05 < lost[1]:
                continue
            T = T_WORLD_MUG @ T_mug_camera(i * 0.05) @ inverse(T_BASE_CAMERA)
            write(f"{prefix}/tf", stamp, tf(transform(stamp, "/world", "base", T)))
        for i in range(images):  # to 2.88 s
            seconds = 0.13 + 0.25 * i
            stamp = START + round(seconds * 1e9)
            write("/cam/camera_info", stamp, camera_info(stamp, **info(i)))
            sheet = picture(T_mug_camera(seconds))
            write("/cam/image", stamp, raw(stamp, sheet, encoding))
            write("/cam/image/compressed", stamp, compressed(stamp, sheet))
            if masks:
                stamp += round(late * 1e9)
                mask = (sheet < 255).any(axis=-1) if i else np.zeros((HEIGHT, WIDTH), bool)
                write("/mask", stamp, numbers(stamp, 7 * mask, masks))
                write("/depth", stamp, numbers(stamp, depth(T_mug_camera(seconds)), "32FC1"))
    return path


def numbers(stamp, values, encoding):
    data = values.astype({"mono8": "u1", "32SC1": "i4", "32FC1": "f4"}[encoding])
    fields = dict(height=HEIGHT, width=WIDTH, encoding=encoding, is_bigendian=0)
    fields |= dict(step=data.strides[0], data=data.view(np.uint8).ravel())
    return message("sensor_msgs/msg/Image", header=header(stamp, "camera"), **fields)


def depth(T):
    """A ball of 0.06 m about the mug's centre on a table, as a depth camera sees them, metres."""
    camera = Camera.from_info(camera_info(START))
    columns, rows = np.meshgrid(np.arange(WIDTH), np.arange(HEIGHT))
    rays = camera.rays(np.stack([columns.ravel(), rows.ravel()], axis=-1)) @ T[:3, :3].T
    eye = T[:3, 3]
    table = (-0.06 - eye[2]) / rays[:, 2]
    found = np.where(table > 0, table, np.nan)
    a, b, c = (rays**2).sum(axis=-1), rays @ eye, eye @ eye - 0.06**2
    root = b**2 - a * c
    ball = (-b - np.sqrt(np.maximum(root, 0))) / a
    return np.where(root > 0, ball, found).reshape(HEIGHT, WIDTH)


def convert(bag, out, *arguments, topic="/cam/image"):
    options = ["--image-topic", topic, "--object-frame", "mug", "--object-radius", RADIUS]
    from_bag.main([str(word) for word in (bag, "--out", out, *options, *arguments)])
    return SrnSplit(out / "train").instances[0]


def centroid(weight):
    rows, columns = np.mgrid[: len(weight), : len(weight)] + 0.5
    return np.array([(weight * columns).sum(), (weight * rows).sum()]) / weight.sum()


@pytest.mark.parametrize("storage", list(StoragePlugin))
@pytest.mark.parametrize("topic", ["/cam/image", "/cam/image/compressed"])
def test_bag_becomes_an_instance(tmp_path, capsys, storage, topic):
    instance = convert(write_bag(tmp_path / "walk", storage), tmp_path, topic=topic)
    assert instance.name == "walk" and len(instance) == 10
    printed = capsys.readouterr().out
    assert "10 of 12 images" in printed
    assert "2 left out: transform world <- base does not reach its time" in printed
    for i, (image, pose) in enumerate(zip(instance.images(), instance.poses, strict=True)):
        T = T_mug_camera(0.13 + 0.25 * i)
        np.testing.assert_allclose(pose, virtual_camera(T).pose, atol=2e-3)
        assert np.linalg.norm(pose[:3, 3]) == pytest.approx(SRN_CAMERA.distance)
        shown = image.astype(float)
        ball = centroid((255 - shown).mean(axis=-1))
        assert np.abs(ball - 32).max() < 2.5
        button = centroid(np.clip(shown[..., 0] - shown[..., 1], 0, None))
        assert button[1] < ball[1] - 3 and abs(button[0] - ball[0]) < 2.5  # upright


@pytest.mark.parametrize("encoding", ["rgb8", "bgr8", "rgba8", "bgra8"])
def test_encodings_give_the_same_views(tmp_path, encoding):
    reference = convert(write_bag(tmp_path / "a", images=2), tmp_path / "1")
    other = convert(write_bag(tmp_path / "b", encoding=encoding, images=2), tmp_path / "2")
    np.testing.assert_array_equal(reference.images(), other.images())


def test_mono_images_are_grey(tmp_path):
    images = convert(write_bag(tmp_path / "a", encoding="mono8", images=2), tmp_path).images()
    assert (images == images[..., :1]).all() and images.min() < 50


def test_every_nth_image_is_used(tmp_path):
    assert len(convert(write_bag(tmp_path / "a", images=8), tmp_path, "--every", 3)) == 3


def test_image_that_cuts_the_object_is_left_out(tmp_path, capsys):
    bag = write_bag(tmp_path / "a", images=2)
    with pytest.raises(SystemExit):
        convert(bag, tmp_path, "--object-radius", 0.4)
    assert "2 left out: the object is not wholly in the image" in capsys.readouterr().err


@pytest.mark.parametrize(
    "changes, arguments, words",
    [
        ({}, ["--image-topic", "/image"], "topics with it: /cam/image, /cam/image/compressed"),
        ({}, ["--info-topic", "/info"], "no sensor_msgs/msg/CameraInfo on /info"),
        ({}, ["--object-frame", "cup"], "there is no frame cup, but base, camera, mug, world"),
        ({}, ["--size", "20000"], "--size must be 8 to 1024"),
        ({"mug": False}, [], "3 left out: no transform mug <- camera"),
        ({"encoding": "16UC1"}, [], "encoding '16UC1' is not supported"),
        ({}, ["--rectified"], "no calibration: p is"),
        ({}, ["--object-radius", "0"], "--object-radius must be positive"),
    ],
)
def test_impossible_request_is_refused(tmp_path, capsys, changes, arguments, words):
    bag = write_bag(tmp_path / "bag", images=3, **changes)
    with pytest.raises(SystemExit) as stop:
        convert(bag, tmp_path, *arguments)
    assert stop.value.code == 2
    assert words in capsys.readouterr().err
    assert not (tmp_path / "train").exists()


def test_instance_is_not_overwritten(tmp_path, capsys):
    bag = write_bag(tmp_path / "a", images=2)
    convert(bag, tmp_path)
    with pytest.raises(SystemExit):
        convert(bag, tmp_path)
    assert "exists; delete it" in capsys.readouterr().err
    convert(bag, tmp_path, "--instance", "b")
    assert len(SrnSplit(tmp_path / "train")) == 2


@pytest.mark.parametrize("storage", list(StoragePlugin))
@pytest.mark.parametrize("harm", ["missing", "empty", "cut", "noise", "metadata"])
def test_broken_bag_is_named_in_one_line(tmp_path, capsys, storage, harm):
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
    (line,) = [line for line in capsys.readouterr().err.splitlines() if "message/s" not in line]
    assert line.startswith(f"error: {bag}: ")


@pytest.mark.parametrize("storage", list(StoragePlugin))
def test_folder_without_metadata_is_refused_with_the_file_to_give(tmp_path, capsys, storage):
    bag = write_bag(tmp_path / "bag", storage, images=2)
    (bag / "metadata.yaml").unlink()
    (file,) = bag.iterdir()
    with pytest.raises(SystemExit):
        convert(bag, tmp_path)
    words = f"error: {bag}: the folder has no metadata.yaml: give {file}, or run"
    assert words in capsys.readouterr().err
    assert len(convert(file, tmp_path)) == 2


@pytest.mark.parametrize("folder", [True, False])
def test_bag_that_is_a_git_lfs_pointer_is_named_as_such(tmp_path, capsys, folder):
    bag = write_bag(tmp_path / "bag", StoragePlugin.MCAP, images=2)
    (file,) = bag.glob("*.mcap")
    file.write_text("version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 5\n")
    with pytest.raises(SystemExit):
        convert(bag if folder else file, tmp_path)
    assert f"{file} is a git-lfs pointer" in capsys.readouterr().err


def damage_file(bag, start, count):
    """Overwrite a part of the bag's storage file with noise; start: a share of the file."""
    (file,) = (path for path in bag.iterdir() if path.suffix != ".yaml")
    content = bytearray(file.read_bytes())
    first = int(len(content) * start)
    content[first : first + count] = np.random.default_rng(0).bytes(count)
    file.write_bytes(content)


@pytest.mark.parametrize(
    "storage, compression",
    [
        (StoragePlugin.MCAP, None),
        (StoragePlugin.MCAP, CompressionMode.MESSAGE),
        (StoragePlugin.MCAP, CompressionMode.STORAGE),
        (StoragePlugin.SQLITE3, None),
        (StoragePlugin.SQLITE3, CompressionMode.MESSAGE),
        (StoragePlugin.SQLITE3, CompressionMode.FILE),
    ],
)
@pytest.mark.parametrize("start", [0.05, 0.3, 0.6, 0.97])
def test_noise_in_a_bag_never_ends_in_a_traceback(tmp_path, capsys, storage, compression, start):
    bag = write_bag(tmp_path / "bag", storage, images=6, compression=compression)
    damage_file(bag, start, 400)
    try:
        convert(bag, tmp_path)
    except SystemExit as stop:
        assert stop.code == 2
        assert capsys.readouterr().err.splitlines()[-1].startswith(f"error: {bag}: ")


def test_damaged_messages_are_skipped_and_counted(tmp_path, capsys):
    bag = write_bag(tmp_path / "bag", images=6)
    with sqlite3.connect(next(bag.glob("*.db3"))) as database:
        database.execute(
            "update messages set data = substr(data, 1, 60) where id in (select m.id from messages "
            "m join topics t on m.topic_id = t.id where t.name = '/cam/image' limit 2)"
        )
    assert len(convert(bag, tmp_path)) == 4
    assert "2 skipped: damaged message on /cam/image" in capsys.readouterr().out


def test_damaged_place_in_a_bag_is_skipped_and_counted(tmp_path, capsys):
    """Each message is compressed on its own: one of them cannot be decompressed."""
    mode = CompressionMode.MESSAGE
    bag = write_bag(tmp_path / "bag", images=6, compression=mode)
    with sqlite3.connect(next(bag.glob("*.db3"))) as database:
        database.execute(
            "update messages set data = substr(data, 1, 60) where id = (select m.id from messages "
            "m join topics t on m.topic_id = t.id where t.name = '/cam/image' limit 1 offset 2)"
        )
    assert len(convert(bag, tmp_path)) == 5
    printed = capsys.readouterr().out
    assert "5 of 6 images" in printed and "1 skipped: damaged place on /cam/image" in printed


def test_images_in_a_gap_of_tf_are_left_out(tmp_path, capsys):
    bag = write_bag(tmp_path / "bag", lost=(0.5, 1.9))
    instance = convert(bag, tmp_path)
    printed = capsys.readouterr().out
    assert "left out: transform world <- base has a gap of more than 0.5 s (--max-gap)" in printed
    assert len(instance) == 4
    assert len(convert(bag, tmp_path, "--max-gap", 2, "--instance", "all")) == 10


def test_camera_info_of_another_frame_is_refused(tmp_path, capsys):
    bag = write_bag(tmp_path / "bag", images=3, info=lambda i: {"frame": "depth"})
    with pytest.raises(SystemExit):
        convert(bag, tmp_path)
    words = "3 left out: image is of the camera 'camera', camera_info of 'depth'"
    assert words in capsys.readouterr().err


def test_camera_info_without_a_frame_is_accepted(tmp_path):
    assert (
        len(convert(write_bag(tmp_path / "bag", images=3, info=lambda i: {"frame": ""}), tmp_path))
        == 3
    )


def test_images_of_nothing_but_background_are_left_out(tmp_path, capsys, monkeypatch):
    real = picture
    white = np.full((HEIGHT, WIDTH, 3), 255, np.uint8)
    shown = iter([True, False, False, True])
    monkeypatch.setitem(globals(), "picture", lambda T: real(T) if next(shown) else white)
    assert len(convert(write_bag(tmp_path / "bag", images=4), tmp_path)) == 2
    assert "2 left out: nothing but background in the view" in capsys.readouterr().out


def test_right_camera_of_a_stereo_pair_is_where_p_says(tmp_path, monkeypatch):
    """Its images name the left camera's frame, as stereo drivers do."""
    real, shift = picture, np.eye(4)
    shift[0, 3] = 0.12
    monkeypatch.setitem(globals(), "picture", lambda T: real(T @ shift))
    bag = write_bag(tmp_path / "bag", images=3, info=lambda i: {"baseline": 0.12})
    instance = convert(bag, tmp_path, "--rectified")
    for i, pose in enumerate(instance.poses):
        expected = virtual_camera(T_mug_camera(0.13 + 0.25 * i) @ shift).pose
        np.testing.assert_allclose(pose, expected, atol=2e-3)


def test_images_before_the_calibration_are_left_out(tmp_path, capsys):
    bag = write_bag(tmp_path / "bag", images=5, info=lambda i: {"focal": 0.0 if i < 2 else FOCAL})
    assert len(convert(bag, tmp_path)) == 3
    assert "2 left out: camera_info has no calibration" in capsys.readouterr().out


def test_each_image_has_the_camera_info_of_its_time(tmp_path):
    """The lens zooms in: where a fixed calibration would draw the ball larger, it stays."""
    zoomed = write_bag(tmp_path / "a", images=4, info=lambda i: {"focal": FOCAL * (1 + i // 2)})
    fixed = write_bag(tmp_path / "b", images=4)
    area = [
        [
            (image < 128).all(axis=-1).sum()
            for image in convert(bag, tmp_path / bag.stem / "out").images()
        ]
        for bag in (zoomed, fixed)
    ]
    np.testing.assert_allclose(area[0][:2], area[1][:2])
    np.testing.assert_allclose(np.divide(area[0][2:], area[1][2:]), 1 / 4, atol=0.06)


def test_tf_under_another_name_is_found_by_the_options(tmp_path, capsys):
    bag = write_bag(tmp_path / "bag", images=2, prefix="/robot")
    with pytest.raises(SystemExit):
        convert(bag, tmp_path)
    assert "topics with it: /robot/tf, /robot/tf_static (--tf-topic" in capsys.readouterr().err
    options = ("--tf-topic", "/robot/tf", "--tf-static-topic", "/robot/tf_static")
    assert len(convert(bag, tmp_path, *options)) == 2


def write_ros1_bag(path, tf_type="tf2_msgs/msg/TFMessage", images=3):
    """The same scene as a bag of ROS 1: names with a slash, CameraInfo in capitals."""
    from rosbags.rosbag1 import Writer as Ros1Writer
    from rosbags.typesys import get_types_from_msg

    store = get_typestore(Stores.ROS1_NOETIC)
    if tf_type not in store.types:
        store.register(get_types_from_msg("geometry_msgs/TransformStamped[] transforms", tf_type))

    def convert_message(content, kind):
        """The message of the same type in ROS 1."""
        if not hasattr(content, "__dataclass_fields__"):
            return content
        fields = {}
        for name in store.types[kind].__dataclass_fields__:
            if name == "__msgtype__":
                continue
            there = name.lower() if name in "DKRP" else name
            value = 0 if name == "seq" else getattr(content, there)
            if isinstance(value, list):
                value = [convert_message(entry, entry.__msgtype__) for entry in value]
            fields[name] = convert_message(value, getattr(value, "__msgtype__", None))
        return store.types[kind](**fields)

    with Ros1Writer(path) as writer:
        topics = {}

        def write(topic, stamp, content, kind=None):
            kind = kind or content.__msgtype__
            if topic not in topics:
                topics[topic] = writer.add_connection(topic, kind, typestore=store)
            data = store.serialize_ros1(convert_message(content, kind), kind)
            writer.write(topics[topic], stamp, data)

        for i in range(images):
            stamp, T = START + i * 10**8, T_mug_camera(i / 10)
            write("/tf", stamp, tf(transform(stamp, "/mug", "/camera", T)), tf_type)
            write("/cam/camera_info", stamp, camera_info(stamp))
            write("/cam/image", stamp, raw(stamp, picture(T), "rgb8"))
    return path


@pytest.mark.parametrize("tf_type", ["tf2_msgs/msg/TFMessage", "tf/msg/tfMessage"])
def test_ros1_bag_is_read(tmp_path, tf_type):
    instance = convert(write_ros1_bag(tmp_path / "one.bag", tf_type), tmp_path)
    assert instance.name == "one" and len(instance) == 3
    for i, pose in enumerate(instance.poses):
        np.testing.assert_allclose(pose, virtual_camera(T_mug_camera(i / 10)).pose, atol=2e-3)


@pytest.mark.parametrize("start", [0.0, 0.3, 0.6, 0.97])
def test_damaged_ros1_bag_never_ends_in_a_traceback(tmp_path, capsys, start):
    bag = write_ros1_bag(tmp_path / "one.bag")
    content = bytearray(bag.read_bytes())
    first = int(len(content) * start)
    content[first : first + 400] = np.random.default_rng(0).bytes(400)
    bag.write_bytes(content)
    try:
        convert(bag, tmp_path)
    except SystemExit as stop:
        assert stop.code == 2
        assert capsys.readouterr().err.splitlines()[-1].startswith(f"error: {bag}: ")


def test_camera_info_topic_is_beside_the_image_topic():
    assert info_topic_of("/cam/image_raw") == "/cam/camera_info"
    assert info_topic_of("/cam/image_raw/compressed") == "/cam/camera_info"
    assert info_topic_of("/image") == "/camera_info"


def test_views_keep_the_distance_of_the_camera_and_the_size_of_the_object(tmp_path):
    convert(write_bag(tmp_path / "walk"), tmp_path)
    instance = SrnSplit(tmp_path / "train", keep_distance=True).instances[0]
    for i, (pose, lens) in enumerate(zip(instance.poses, instance.view_intrinsics, strict=True)):
        distance = np.linalg.norm(T_mug_camera(0.13 + 0.25 * i)[:3, 3]) / RADIUS
        assert np.linalg.norm(pose[:3, 3]) / SRN_CAMERA.radius == pytest.approx(distance, rel=1e-3)
        scale = lens.focal / lens.side / np.linalg.norm(pose[:3, 3])
        assert scale == pytest.approx(SRN_CAMERA.focal / SRN_CAMERA.distance, rel=1e-4)


def test_camera_beyond_20_radii_is_taken_for_one_at_20(tmp_path, monkeypatch):
    monkeypatch.setitem(globals(), "picture", partial(picture, size=8))
    convert(write_bag(tmp_path / "walk", images=3), tmp_path, "--object-radius", 0.02)
    instance = SrnSplit(tmp_path / "train", keep_distance=True).instances[0]
    distances = np.linalg.norm(instance.poses[:, :3, 3], axis=-1)
    np.testing.assert_allclose(distances, 20 * SRN_CAMERA.radius, rtol=1e-4)


@pytest.mark.parametrize("encoding", ["mono8", "32SC1"])
def test_masks_become_alpha_and_an_image_without_object_is_left_out(tmp_path, capsys, encoding):
    bag = write_bag(tmp_path / "walk", masks=encoding)
    plain = convert(bag, tmp_path / "1", "--instance", "plain")
    instance = convert(bag, tmp_path / "2", "--mask-topic", "/mask")
    assert "1 left out: the mask is zero everywhere" in capsys.readouterr().out
    assert instance.has_alpha and not plain.has_alpha
    for index in range(len(instance)):
        image = instance.image(index, alpha=True)
        dark = plain.image(index + 1).min(axis=-1) < 128
        assert (image[..., 3] > 128)[dark].all()
        assert image[..., 3].mean() / 255 == pytest.approx(dark.mean(), rel=0.1)
        np.testing.assert_allclose(instance.image(index), plain.image(index + 1), atol=2)


def test_depth_makes_the_masks_and_leaves_out_the_table(tmp_path):
    bag = write_bag(tmp_path / "walk", masks="mono8")
    instance = convert(bag, tmp_path, "--depth-topic", "/depth")
    alpha = np.stack([instance.image(i, alpha=True)[..., 3] for i in range(len(instance))])
    share = (
        np.pi * (0.06 / RADIUS * SRN_CAMERA.focal * SRN_CAMERA.radius / SRN_CAMERA.distance) ** 2
    )
    assert len(instance) == 10
    np.testing.assert_allclose(alpha.mean(axis=(1, 2)) / 255, share, rtol=0.12)


def test_masks_of_other_stamps_need_a_tolerance(tmp_path, capsys):
    bag = write_bag(tmp_path / "walk", masks="mono8", late=0.02)
    with pytest.raises(SystemExit):
        convert(bag, tmp_path, "--mask-topic", "/mask")
    said = capsys.readouterr().err
    assert "no message of /mask has its stamp: the nearest is about 0.02 s later" in said
    assert len(convert(bag, tmp_path, "--mask-topic", "/mask", "--mask-tolerance", 0.03)) == 9


def test_mask_and_depth_topics_together_are_refused(tmp_path, capsys):
    with pytest.raises(SystemExit):
        convert(tmp_path / "a", tmp_path, "--mask-topic", "/mask", "--depth-topic", "/depth")
    assert "not allowed with argument --mask-topic" in capsys.readouterr().err


@pytest.mark.parametrize("option", ["--instance", "--split"])
@pytest.mark.parametrize("name", ["../elsewhere", ".."])
def test_names_that_lead_out_of_the_data_set_are_refused(tmp_path, capsys, option, name):
    with pytest.raises(SystemExit):
        convert(write_bag(tmp_path / "bag", images=2), tmp_path, option, name)
    assert f"{option} {name!r} is not the name of a folder" in capsys.readouterr().err
