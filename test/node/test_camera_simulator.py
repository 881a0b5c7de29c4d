import numpy as np
import pytest
from geometry_msgs.msg import PoseStamped
from rclpy.time import Time
from sensor_msgs.msg import CameraInfo, Image
from tf2_ros import Buffer, TransformListener

from tiny_nvs_ros import geometry
from tiny_nvs_ros.node import conversions
from tiny_nvs_ros.node.camera import T_WORLD_OBJECT
from tiny_nvs_ros.simulation.objects import SimulatedObject

SIMULATOR = "tiny_nvs_ros.node.camera_simulator"
RADIUS = 0.2  # m


def pose_message(frame: str, pose: np.ndarray) -> PoseStamped:
    message = PoseStamped(pose=conversions.pose_from_matrix(pose))
    message.header.frame_id = frame
    return message


@pytest.fixture
def simulator(start):
    return start(SIMULATOR, {"object": "duck", "object_radius": RADIUS, "rate": 20.0})


def test_camera_sees_the_object_from_where_it_is_placed(simulator, robot):
    buffer = Buffer()
    listener = TransformListener(buffer, robot.node)
    images: list[Image] = []
    infos: list[CameraInfo] = []
    robot.node.create_subscription(Image, "image", images.append, 20)
    robot.node.create_subscription(CameraInfo, "camera_info", infos.append, 20)
    topic = "/camera_simulator/camera_pose"
    place = robot.node.create_publisher(PoseStamped, topic, 1)
    robot.spin_until(lambda: images and infos and place.get_subscription_count())

    poses = geometry.orbit(2, [0.4], 5 * RADIUS)
    poses[1, :3, 3] += 0.3 * RADIUS  # not in the middle of the image
    sent = [("object", poses[0], poses[0]), ("world", T_WORLD_OBJECT @ poses[1], poses[1])]
    for frame, pose, T_object_camera in sent:
        place.publish(pose_message(frame, pose))

        def seen(expected=T_object_camera) -> bool:
            stamp = Time.from_msg(images[-1].header.stamp)
            if not buffer.can_transform("object", "camera", stamp):
                return False
            transform = buffer.lookup_transform("object", "camera", stamp).transform
            return np.allclose(conversions.matrix_from_transform(transform), expected, atol=1e-6)

        robot.spin_until(seen)
        image = images[-1]
        robot.spin_until(lambda image=image: any(info.header == image.header for info in infos))
        info = next(info for info in infos if info.header == image.header)
        assert image.header.frame_id == "camera" and image.encoding == "rgba8"
        pixels = np.frombuffer(image.data, np.uint8).reshape(image.height, image.width, 4)
        # The object's points, projected as camera_info says, are where the image is opaque.
        duck = SimulatedObject.load("duck")
        T_camera_object = geometry.inverse(T_object_camera)
        points = RADIUS * duck.vertices @ T_camera_object[:3, :3].T + T_camera_object[:3, 3]
        u, v, z = np.reshape(info.k, (3, 3)) @ points.T
        rows, columns = np.nonzero(pixels[..., 3])
        edges = [columns.min(), columns.max(), rows.min(), rows.max()]
        projected = [(u / z).min(), (u / z).max(), (v / z).min(), (v / z).max()]
        np.testing.assert_allclose(edges, projected, atol=1.5)

    place.publish(pose_message("elsewhere", np.eye(4)))
    robot.spin_until(lambda: "it must be in object or world" in simulator.output)
    invalid = pose_message("object", np.eye(4))
    invalid.pose.orientation.w = 0.0
    place.publish(invalid)
    robot.spin_until(lambda: "not of unit length" in simulator.output)
    images.clear()
    robot.spin_until(lambda: images)
    robot.spin_until(seen)  # it stays where it was
    assert simulator.end() == 0, simulator.output
    assert "Traceback" not in simulator.output
    listener.unregister()


def test_unknown_object_ends_the_start_and_names_those_that_exist(start):
    process = start(SIMULATOR, {"object": "lorry"})
    assert process.popen.wait(timeout=60) == 1
    assert "no object 'lorry'; there is chair, " in process.output
    assert "Traceback" not in process.output
