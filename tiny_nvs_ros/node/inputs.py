"""Everything the active node subscribes to."""

from collections.abc import Callable

from geometry_msgs.msg import PoseArray
from rclpy.callback_groups import CallbackGroup
from rclpy.node import Node
from rclpy.qos import DurabilityPolicy, QoSProfile, ReliabilityPolicy
from rclpy.subscription import Subscription
from sensor_msgs.msg import CameraInfo, CompressedImage, Image

from tiny_nvs_ros.node.matched_topic import MatchedTopic
from tiny_nvs_ros.node.monitor import Monitor
from tiny_nvs_ros.node.parameters import NodeSettings
from tiny_nvs_ros.node.qos import Topics
from tiny_nvs_ros.node.source import SourceAssembler
from tiny_nvs_ros.node.targets import VIEW_POSES, Targets
from tiny_nvs_ros.node.transforms import AsyncTransforms

IMAGE_QOS = QoSProfile(depth=1, reliability=ReliabilityPolicy.BEST_EFFORT)
INPUT_TOPICS = ("image", "camera_info", "mask", "depth", VIEW_POSES)
LATCHED_QOS = QoSProfile(depth=1, durability=DurabilityPolicy.TRANSIENT_LOCAL)


class Inputs:
    """The subscriptions of the active node, from activation to deactivation.

    transforms: TF. sources: assembles what belongs to an image. targets: the target cameras.
    """

    sources: SourceAssembler
    targets: Targets

    def __init__(
        self,
        node: Node,
        topics: Topics,
        monitor: Monitor,
        group: CallbackGroup,
        on_image: Callable,
        on_time_jump: Callable[[], None],
    ):
        self._node, self._topics, self._monitor = node, topics, monitor
        self._group, self._on_image = group, on_image
        self._subscriptions: list[Subscription] = []
        self._matched_topics: list[MatchedTopic] = []
        # Before the images: the executor takes messages in the order of the subscriptions.
        self.transforms = AsyncTransforms(node, on_time_jump, monitor.received)

    def subscribe(self, settings: NodeSettings) -> None:
        """Subscribe to images, to what belongs to them, and to the poses of views.

        Raises ValueError or rclpy's ParameterException for invalid QoS.
        """
        self._settings = settings
        type_, topic = Image, "image"
        if settings.image_transport == "compressed":  # follows the remapping of image
            type_, topic = CompressedImage, f"{self._node.resolve_topic_name('image')}/compressed"
        name = self._node.resolve_topic_name(topic)
        self.image_stream = f"image on {name}"
        self._monitor.expect_stream(
            self.image_stream,
            recovered=f"receiving images on {name}",
            hint=lambda: self._topics.type_hint(topic, type_) or self._topics.latched_hint(topic),
        )
        self.targets = Targets(self._node, self._monitor, self.transforms)
        for kind, each, callback, qos in (
            (type_, topic, self._receive_image, IMAGE_QOS),
            (PoseArray, VIEW_POSES, self.targets.on_view_poses, LATCHED_QOS),
        ):
            subscription = self._topics.subscribe(kind, each, callback, qos, self._group)
            self._subscriptions.append(subscription)
        camera_infos = masks = depths = None
        if settings.input != "crop":
            camera_infos = self._match(CameraInfo, "camera_info")
        if settings.mask_source == "topic":
            masks = self._match(Image, "mask", exact=True)
        if settings.mask_source == "depth":
            depths = self._match(Image, "depth", exact=True)
        self.sources = SourceAssembler(self._monitor, self.transforms, camera_infos, masks, depths)

    def unsubscribe(self) -> None:
        """Destroy all subscriptions but TF's, and end what waits for them."""
        for subscription in self._subscriptions:
            self._topics.unsubscribe(subscription)
        for matched_topic in self._matched_topics:
            matched_topic.close()
        self._subscriptions.clear()
        self._matched_topics.clear()
        self._monitor.forget(self.image_stream)

    def must_resubscribe(self, settings: NodeSettings) -> bool:
        """Return whether a parameter changed that defines the inputs."""
        return any(
            getattr(settings, name) != getattr(self._settings, name)
            for name in ("input", "image_transport", "mask_source")
        )

    def close(self) -> None:
        self.unsubscribe()
        self.transforms.close()

    def _match(self, type_: type, topic: str, exact: bool = False) -> MatchedTopic:
        matched = MatchedTopic(self._node, self._topics, self._monitor, type_, topic, exact)
        self._matched_topics.append(matched)
        return matched

    async def _receive_image(self, message: Image | CompressedImage) -> None:
        self._monitor.received(self.image_stream)
        await self._on_image(message)
