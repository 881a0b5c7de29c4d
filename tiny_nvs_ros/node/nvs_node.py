"""The nvs node: imagines the object of each image from other sides, and from any side on request.

All of ROS happens in the executor's one thread, in coroutines: a frame or a request waits there for
its transforms, then in the worker's queue for its inference, and is then published or answered.
Only the inference itself runs in another thread.
"""

import os
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import rclpy
from builtin_interfaces.msg import Duration
from geometry_msgs.msg import PoseArray, PoseStamped
from rclpy.callback_groups import ReentrantCallbackGroup
from rclpy.exceptions import ParameterException
from rclpy.executors import SingleThreadedExecutor
from rclpy.lifecycle import LifecycleNode, LifecycleState, TransitionCallbackReturn
from rclpy.qos import DurabilityPolicy, QoSProfile, ReliabilityPolicy
from rclpy.subscription import Subscription
from rclpy.time import Time
from sensor_msgs.msg import CameraInfo, CompressedImage, Image
from std_msgs.msg import Header
from std_srvs.srv import SetBool
from visualization_msgs.msg import MarkerArray

from tiny_nvs_ros import geometry
from tiny_nvs_ros.camera import Camera
from tiny_nvs_ros.image import check_raw, cut_out, from_compressed, from_raw, mask_from_raw
from tiny_nvs_ros.msg import NovelViews
from tiny_nvs_ros.node import conversions, markers
from tiny_nvs_ros.node.account import OVERTAKEN, Account
from tiny_nvs_ros.node.companion import Companion
from tiny_nvs_ros.node.diagnostics import Diagnostics, weights_id
from tiny_nvs_ros.node.imagination import ImaginedViews, contact_sheet, imagine
from tiny_nvs_ros.node.parameters import Parameters, Settings
from tiny_nvs_ros.node.process import run
from tiny_nvs_ros.node.qos import Topics
from tiny_nvs_ros.node.share import share_folder
from tiny_nvs_ros.node.transforms import NoTransform, Transforms, transform_name
from tiny_nvs_ros.node.worker import Worker
from tiny_nvs_ros.srv import RenderPose

if TYPE_CHECKING:
    from tiny_nvs_ros.runtime import Renderer

MAX_SAMPLES = 64  # of a request
VIEW_POSES = "view_poses"
MAX_POSES = 256  # of view_poses
MAX_WAITING = 16  # images that wait for their transforms at once: more would only fill the memory
IMAGE_QOS = QoSProfile(depth=1, reliability=ReliabilityPolicy.BEST_EFFORT)
LATCHED_QOS = QoSProfile(depth=1, durability=DurabilityPolicy.TRANSIENT_LOCAL)
MARKER_DEPTH = 0.15  # of the drawn cameras, to the source camera's distance
LOOP = 1.0  # s; stamps further back than this are a bag that starts again, not disorder


class Refused(Exception):
    """Why a frame is dropped or a request not served. `kind` is what the drop is counted as."""

    def __init__(self, kind: str, reason: str):
        super().__init__(reason)
        self.kind = kind


class Missing(Refused):
    """For something that did not come in time: `what` is awaited."""

    def __init__(self, kind: str, what: str, reason: str):
        super().__init__(kind, reason)
        self.what = what


@dataclass(frozen=True)
class Source:
    """An image of the object with the pose of its camera, and what goes with it.

    pose: (4, 4) T_object_camera, metres, in object_frame. number: of its arrival. camera: that took
    a whole picture, None for a crop. mask: of the object, None where there is none.
    """

    message: Image | CompressedImage
    pose: np.ndarray
    object_frame: str
    number: int
    camera: Camera | None
    mask: Image | None

    @property
    def header(self) -> Header:
        return self.message.header

    @property
    def stamp(self) -> Time:
        return Time.from_msg(self.header.stamp)

    def picture(self) -> np.ndarray:
        """H x W x 3 uint8, white where the mask says so. Raises ValueError for malformed data."""
        compressed = isinstance(self.message, CompressedImage)
        picture = from_compressed(self.message) if compressed else from_raw(self.message)
        return picture if self.mask is None else cut_out(picture, mask_from_raw(self.mask))


class NvsNode(LifecycleNode):
    """Node `nvs`; its topics, services and parameters stand in the README."""

    def __init__(self, **kwargs: object):
        """Raises rclpy's ParameterException, or ValueError, for parameters that cannot be."""
        super().__init__("nvs", **kwargs)
        self._renderer: Renderer | None = None
        self._table = Parameters(self, self._check_settings, self._on_settings)
        self._active = False
        self._enabled = True
        self._latest: Source | None = None  # for requests without an image
        self._arrivals = 0  # numbers the images
        self._overtaken = 0  # images with lower numbers are overtaken by what came after them
        self._published = 0  # number of the newest image whose views are
        self._newest_stamp = 0  # ns
        self._waiting = 0  # images that wait for their transforms
        self._rate_due = 0.0  # s, steady: when max_rate lets the next image through
        self._account = Account(self)
        self._image_topic = ""  # and what comes on it, for people
        self._inputs: list[Subscription] = []
        self._camera_infos: Companion | None = None
        self._masks: Companion | None = None
        self._view_poses: PoseArray | None = None
        self._topics = Topics(self, self._account)

        self._diagnostics = Diagnostics(self, self._account, self._topics, self._idle)
        self._views = self._topics.advertise(NovelViews, "~/novel_views", 1)
        self._montage = self._topics.advertise(Image, "~/montage", 1)
        self._camera_poses = self._topics.advertise(PoseArray, "~/camera_poses", 1)
        self._cameras = self._topics.advertise(MarkerArray, "~/cameras", 1)
        # In a mutually exclusive group a coroutine that waits would hold up all others.
        self._group = ReentrantCallbackGroup()
        for type_, name, callback in (
            (RenderPose, "~/render_pose", self._on_render_pose),
            (SetBool, "~/enable", self._on_enable),
        ):
            self.create_service(type_, name, callback, callback_group=self._group)

    @property
    def settings(self) -> Settings:
        return self._table.settings

    # Lifecycle

    def start(self) -> bool:
        """Configure and activate; False where that failed, which is then logged."""
        done = TransitionCallbackReturn.SUCCESS
        return self.trigger_configure() == done and self.trigger_activate() == done

    def on_configure(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Load the model and warm it up."""
        settings = self.settings
        began = time.monotonic()
        try:
            folder = find_weights(settings.weights)
            from tiny_nvs_ros import runtime  # here, since torch takes seconds to import

            renderer = runtime.load(folder, settings.device, settings.runtime)
            steps = renderer.steps(settings.steps or None)
            renderer.warm_up(settings.view_count, settings.samples, steps)
        except Exception as error:  # of rclpy's own, nothing would be seen
            known = isinstance(error, (ValueError, OSError, ImportError, MemoryError))
            reason = str(error) if known else traceback.format_exc()
            self.get_logger().error(f"cannot load the model: {reason}")
            self._diagnostics.fault = f"cannot load the model: {error}"
            return TransitionCallbackReturn.FAILURE
        if not self.context.ok():
            # Ctrl-C while it loaded. rclpy's state machine lets no Exception pass.
            raise KeyboardInterrupt
        self._renderer = renderer
        self._table.configured = True
        self._worker = Worker(self._wake)
        self._diagnostics.model = {
            "weights": weights_id(folder),
            "device": renderer.device,
            "runtime": renderer.name,
        }
        why = ""
        if settings.device == "auto" and renderer.device == "cpu" and settings.runtime != "onnx":
            why = f" (auto: {runtime.seen_gpus()})"
        self.get_logger().info(
            f"configured: {folder} on {renderer.device}{why}, runtime {renderer.name}, "
            f"in {time.monotonic() - began:.1f} s"
        )
        return super().on_configure(state)

    def on_activate(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Subscribe."""
        # Before the images: the executor takes what has come in the order of the subscriptions.
        self._transforms = Transforms(self, self._forget)
        try:
            self._subscribe()
        except (ValueError, ParameterException) as error:  # QoS that cannot be
            self._unsubscribe()
            self._transforms.close()
            self._diagnostics.fault = f"cannot subscribe: {error}"
            self.get_logger().error(self._diagnostics.fault)
            return TransitionCallbackReturn.FAILURE
        self._active = True
        self.get_logger().info("active")
        return super().on_activate(state)

    def on_deactivate(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Unsubscribe and forget what was received."""
        self._deactivate()
        return super().on_deactivate(state)

    def on_cleanup(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Let the model go, once the inference that runs is done."""
        self._cleanup()
        return super().on_cleanup(state)

    def on_shutdown(self, state: LifecycleState) -> TransitionCallbackReturn:
        self.close()
        return super().on_shutdown(state)

    def close(self) -> None:
        """Undo what activate and configure did, from any state."""
        if self._active:
            self._deactivate()
        if self._table.configured:
            self._cleanup()

    def _deactivate(self) -> None:
        self._active = False
        self._unsubscribe()
        self._transforms.close()
        self._worker.clear()
        self._overtake()
        summary = self._account.close()
        if self.context.ok():  # else /rosout is closed, and the logger would complain of that
            self.get_logger().info(f"inactive; {summary}")

    def _cleanup(self) -> None:
        self._worker.stop()
        self._renderer = None
        self._table.configured = False

    def _wake(self) -> None:
        if self.executor is not None:
            self.executor.wake()

    def _overtake(self) -> None:
        """Let no image that came go on."""
        self._arrivals += 1
        self._forget()

    def _forget(self) -> None:
        self._overtaken = self._arrivals
        self._latest = None
        self._newest_stamp = 0
        self._rate_due = 0.0

    # Subscriptions

    def _subscribe(self) -> None:
        """To the images, what goes with them, and the poses of views."""
        settings = self._subscribed = self.settings
        type_, topic = Image, "image"
        if settings.image_transport == "compressed":  # goes where image is remapped to
            type_, topic = CompressedImage, f"{self.resolve_topic_name('image')}/compressed"
        self._image_topic = f"image on {self.resolve_topic_name(topic)}"
        self._account.expects(self._image_topic)
        for kind, name, callback, qos in (
            (type_, topic, self._on_image, IMAGE_QOS),
            (PoseArray, VIEW_POSES, self._on_view_poses, LATCHED_QOS),
        ):
            self._inputs.append(self._topics.subscribe(kind, name, callback, qos, self._group))
        if settings.input != "crop":
            self._camera_infos = Companion(self, self._topics, CameraInfo, "camera_info")
        if settings.mask:
            self._masks = Companion(self, self._topics, Image, "mask", exact=True)

    def _unsubscribe(self) -> None:
        for subscription in self._inputs:
            self._topics.unsubscribe(subscription)
        self._inputs.clear()
        for companion in filter(None, (self._camera_infos, self._masks)):
            companion.close()
        self._camera_infos = self._masks = self._view_poses = None
        self._account.forget(self._image_topic)

    def _check_settings(self, settings: Settings) -> None:
        """Raises ValueError for what the loaded model cannot do."""
        if self._renderer is not None:
            self._renderer.steps(settings.steps or None)

    def _on_settings(self) -> None:
        """Begin anew where a parameter was set that says what images are."""
        if self._active and any(
            getattr(self.settings, name) != getattr(self._subscribed, name)
            for name in ("input", "image_transport", "mask")
        ):
            self._unsubscribe()
            self._overtake()
            self._subscribe()

    def _on_view_poses(self, message: PoseArray) -> None:
        self._view_poses = message
        self._account.came(f"poses on {self.resolve_topic_name(VIEW_POSES)}")

    # Images

    async def _on_image(self, message: Image | CompressedImage) -> None:
        arrival = time.monotonic()
        self._arrivals += 1
        self._account.came(self._image_topic)
        try:
            await self._imagine_views(message, arrival, self._arrivals)
        except Missing as error:
            self._account.dropped(error.kind)
            self._account.awaits(error.what, str(error))
        except Refused as refusal:
            self._account.dropped(refusal.kind, str(refusal))
        except ValueError as error:
            self._account.dropped("invalid", str(error))
        except MemoryError as error:
            self._account.dropped("out of memory")
            self._account.error("out of memory", f"image dropped, out of memory: {error}")
        except Exception:
            self._account.dropped("error")
            self._account.error("inference", traceback.format_exc())

    async def _imagine_views(
        self, message: Image | CompressedImage, arrival: float, number: int
    ) -> None:
        settings = self.settings
        if isinstance(message, Image):
            check_raw(message)
        self._check_time(Time.from_msg(message.header.stamp), settings)
        if self._waiting == MAX_WAITING:
            raise Refused("too many wait", "")
        self._waiting += 1
        try:
            source = await self._source(message, settings, number)
        finally:
            self._waiting -= 1
        if number < self._overtaken:
            raise Refused(OVERTAKEN, "")
        if self._latest is None or self._latest.number < number:
            self._latest = source
        if self._idle():
            return
        targets = await self._targets(source, settings)
        if number < self._overtaken:
            raise Refused(OVERTAKEN, "")
        self._check_rate(settings)
        self._overtaken = number
        infer = self._inference(source, targets, settings, settings.samples, settings.seed)
        views = await self._worker.newest(infer)
        # Before Kilted, rclpy resumes of all coroutines that can go on the last one first.
        if views is None or number < self._published:
            raise Refused(OVERTAKEN, "")
        if self._active:
            self._published = number
            self._publish(source, views, time.monotonic() - arrival)

    def _check_time(self, stamp: Time, settings: Settings) -> None:
        """Refuses images out of order and old ones; a jump far back starts everything anew."""
        if stamp.nanoseconds == 0:
            return  # an image without a time goes with the latest transforms
        back = (self._newest_stamp - stamp.nanoseconds) * 1e-9
        if back > LOOP:
            self._account.warn("time", f"time jumped back {back:.1f} s: starting anew")
            self._forget()
            self._transforms.clear()
        elif back > 0:
            raise Refused("out of order", "")
        self._newest_stamp = stamp.nanoseconds
        age = self._age(stamp)
        if 0 < settings.max_image_age < age:
            raise Refused(
                "old",
                f"image is {age:.1f} s old on arrival, more than max_image_age, "
                f"{settings.max_image_age:g} s (does a bag play without use_sim_time?)",
            )

    def _watched(self) -> bool:
        """Whether anybody wants the views of images."""
        publishers = (self._views, self._montage, self._camera_poses, self._cameras)
        return any(publisher.get_subscription_count() for publisher in publishers)

    def _idle(self) -> str:
        """Why no image is imagined, for people; empty where images are."""
        if not self._enabled:
            return "paused"
        if self.settings.lazy and not self._watched():
            return "nobody subscribes to the views"
        return ""

    def _age(self, stamp: Time) -> float | None:
        """s; None where there is no time in the stamp."""
        if stamp.nanoseconds == 0:
            return None
        return (self.get_clock().now() - stamp).nanoseconds * 1e-9

    def _check_rate(self, settings: Settings) -> None:
        now = time.monotonic()
        if settings.max_rate == 0:
            return
        if now < self._rate_due:
            raise Refused("max_rate", "")
        # Counted from when it was due, so that a camera's jitter does not lower the mean rate.
        self._rate_due = max(self._rate_due + 1 / settings.max_rate, now)

    async def _source(
        self, message: Image | CompressedImage, settings: Settings, number: int = 0
    ) -> Source:
        """The image with its camera's pose at its stamp and what goes with it, once all is there.

        Raises Missing where something does not come in time.
        """
        frame = message.header.frame_id
        if not frame:
            raise ValueError("image has no frame_id")
        stamp = Time.from_msg(message.header.stamp)
        pose = await self._pose_of(frame, stamp, settings)
        info = await self._companion(self._camera_infos, stamp, settings)
        if info and info.header.frame_id != frame:
            raise ValueError(
                f"image is of the camera {frame!r}, camera_info of {info.header.frame_id!r}"
            )
        camera = info and Camera.from_info(info, rectified=settings.input == "rectified")
        mask = await self._companion(self._masks, stamp, settings)
        return Source(message, pose, settings.object_frame, number, camera, mask)

    async def _companion(
        self, companion: Companion | None, stamp: Time, settings: Settings
    ) -> CameraInfo | Image | None:
        if companion is None:
            return None
        message = await companion.of(stamp, settings.tf_timeout)
        if companion not in (self._camera_infos, self._masks):
            raise Refused(OVERTAKEN, "")  # unsubscribed meanwhile
        if message is None:
            raise Missing(f"no {companion.topic}", companion.name, companion.absence)
        self._account.came(companion.name)
        return message

    async def _pose_of(self, frame: str, stamp: Time, settings: Settings) -> np.ndarray:
        """T_object_frame, (4, 4), metres. Raises Missing."""
        object_frame = settings.object_frame
        try:
            pose = await self._transforms.lookup(object_frame, frame, stamp, settings.tf_timeout)
        except NoTransform as error:
            raise Missing("no transform", error.what, str(error)) from error
        self._account.came(transform_name(object_frame, frame))
        return pose

    async def _targets(self, source: Source, settings: Settings) -> np.ndarray:
        """T_object_target of the cameras to imagine, (N, 4, 4), metres."""
        if settings.views_source == "orbit":
            camera = geometry.virtual_camera(source.pose)  # raises for one that sees no object
            distance = settings.orbit_distance or camera.distance
            return geometry.orbit(settings.orbit_count, settings.orbit_elevations, distance)
        if settings.views_source == "poses":
            return await self._posed_targets(source, settings)
        frames = settings.view_frames
        return np.stack([await self._pose_of(frame, source.stamp, settings) for frame in frames])

    async def _posed_targets(self, source: Source, settings: Settings) -> np.ndarray:
        """Of view_poses, which stand in their frame as that is at the image's stamp."""
        message = self._view_poses
        if message is None:
            name = f"poses on {self.resolve_topic_name(VIEW_POSES)}"
            raise Missing("no view_poses", name, f"no {name} yet")
        if not 1 <= len(message.poses) <= MAX_POSES:
            raise ValueError(
                f"view_poses has {len(message.poses)} poses; 1 to {MAX_POSES} are used"
            )
        frame = message.header.frame_id
        if not frame:
            raise ValueError("view_poses has no frame_id")
        T_object_frame = await self._pose_of(frame, source.stamp, settings)
        poses = [conversions.matrix_from_pose(pose) for pose in message.poses]
        return T_object_frame @ np.stack(poses)

    def _inference(
        self, source: Source, targets: np.ndarray, settings: Settings, samples: int, seed: int
    ) -> Callable[[], ImaginedViews]:
        """The job for the worker."""
        if not self._active:  # any more: what waited for a transform comes here late
            raise Refused("inactive", "the node is not active")
        renderer, check = self._renderer, self._worker.check

        def infer() -> ImaginedViews:
            return imagine(
                renderer,
                source.picture(),
                source.pose,
                targets,
                samples,
                steps=settings.steps or None,
                seed=None if seed < 0 else seed,
                camera=source.camera,
                object_radius=settings.object_radius or None,
                heading_known=settings.object_heading == "known",
                on_step=check,
            )

        return infer

    def _publish(self, source: Source, views: ImaginedViews, latency: float) -> None:
        header = view_header(source)
        message = NovelViews(header=source.header, object_frame=source.object_frame)
        message.camera_info = camera_info(views, header)
        message.camera_poses = conversions.poses_from_matrices(views.poses)
        message.images = [conversions.image_from_array(image, header) for image in views.images]
        if views.uncertainties is not None:
            message.uncertainties = [
                conversions.image_from_array(image, header) for image in views.uncertainties
            ]
        message.latency = duration(latency)
        self._views.publish(message)
        self._account.published(latency, self._age(source.stamp))
        if self._montage.get_subscription_count():
            sheet = contact_sheet(views.source, views)
            self._montage.publish(conversions.image_from_array(sheet, source.header))
        if self._camera_poses.get_subscription_count():
            self._camera_poses.publish(markers.camera_poses(message))
        if self._cameras.get_subscription_count():
            depth = MARKER_DEPTH * float(np.linalg.norm(source.pose[:3, 3]))
            self._cameras.publish(markers.cameras(message, depth))

    # Services

    async def _on_render_pose(
        self, request: RenderPose.Request, response: RenderPose.Response
    ) -> RenderPose.Response:
        arrival = time.monotonic()
        try:
            await self._render_pose(request, response)
            response.success = True
            response.render_time = duration(time.monotonic() - arrival)
        except (Refused, ValueError, MemoryError) as error:
            response.message = str(error)
        except Exception as error:
            response.message = f"{type(error).__name__}: {error}"
            self._account.error("render_pose", traceback.format_exc())
        return response

    async def _render_pose(
        self, request: RenderPose.Request, response: RenderPose.Response
    ) -> None:
        settings = self.settings
        if not self._active:
            raise Refused("inactive", "the node is not active")
        if request.samples > MAX_SAMPLES:
            raise Refused("invalid", f"samples is {request.samples}; at most {MAX_SAMPLES}")
        header = request.camera_pose.header
        if not header.frame_id:
            raise Refused("invalid", "camera_pose has no frame_id")
        T_frame_target = conversions.matrix_from_pose(request.camera_pose.pose)
        source = await self._requested_source(request.source_image, settings)
        stamp = Time.from_msg(header.stamp)
        if stamp.nanoseconds == 0:
            stamp = source.stamp
        if (header.frame_id, stamp) == (source.header.frame_id, source.stamp):
            T_object_frame = source.pose  # known for longer than TF remembers it
        else:
            T_object_frame = await self._pose_of(header.frame_id, stamp, settings)
        targets = (T_object_frame @ T_frame_target)[None]
        samples = request.samples or settings.samples
        infer = self._inference(source, targets, settings, samples, request.seed)
        views = await self._worker.request(infer)
        if views is None:
            raise Refused("inactive", "the node was deactivated")
        header = view_header(source)
        response.image = conversions.image_from_array(views.images[0], header)
        if views.uncertainties is not None:
            response.uncertainty = conversions.image_from_array(views.uncertainties[0], header)
        response.camera_info = camera_info(views, header)
        pose = conversions.pose_from_matrix(views.poses[0])
        response.view_pose = PoseStamped(header=source.header, pose=pose)
        response.source_stamp = source.header.stamp

    async def _requested_source(self, image: Image, settings: Settings) -> Source:
        if image.width or image.height or image.data:
            check_raw(image)
            return await self._source(image, settings)
        latest = self._latest
        if latest is None or latest.object_frame != settings.object_frame:
            awaited = ", no ".join(self._account.awaited) or self._image_topic
            raise Refused("no image", f"no image of the object yet: no {awaited}")
        return latest

    def _on_enable(self, request: SetBool.Request, response: SetBool.Response) -> SetBool.Response:
        """Go on, or pause: then images only wait for a request to be imagined."""
        self._enabled = request.data
        response.success = True
        response.message = "enabled" if self._enabled else "paused"
        self.get_logger().info(response.message)
        return response


def view_header(source: Source) -> Header:
    """Of imagined images: the source's time, and no frame, for TF has none where they are."""
    return Header(stamp=source.header.stamp)


def camera_info(views: ImaginedViews, header: Header) -> CameraInfo:
    height, width = views.images.shape[1:3]
    return conversions.pinhole(width, height, views.focal, width / 2, height / 2, header)


def duration(seconds: float) -> Duration:
    return Duration(sec=int(seconds), nanosec=int(seconds % 1 * 1e9))


def find_weights(name: str) -> Path:
    """The folder of a `weights` parameter: a path, or a name in share/tiny_nvs_ros/weights.

    Raises FileNotFoundError naming where it looked.
    """
    by_path = os.sep in name or name.startswith(("~", "."))
    folder = Path(name).expanduser() if by_path else share_folder(f"weights/{name}")
    if not folder.is_dir():
        raise FileNotFoundError(f"weights folder {folder} does not exist")
    return folder


def main(args: list[str] | None = None) -> int:
    """Run the node until Ctrl-C. Returns the process's exit code."""
    return run("nvs", serve, args)


def serve() -> int:
    node = NvsNode()
    try:
        if node.settings.autostart and not node.start():
            return 1
        spin(node)
    finally:
        node.close()
    return 0


def spin(node: NvsNode) -> None:
    """Serve the node; an exception that gets out of rclpy is logged, and the node lives on.

    Humble and Jazzy, for one, raise where a lifecycle transition is asked for that cannot be.
    """
    executor = SingleThreadedExecutor()
    executor.add_node(node)
    while rclpy.ok():
        try:
            executor.spin()
        except Exception:
            if rclpy.ok():  # else the shutdown cut something short
                node.get_logger().error(traceback.format_exc())
