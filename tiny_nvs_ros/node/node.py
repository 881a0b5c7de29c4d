"""The nvs node: lifecycle, wiring, and the path of an image from arrival to NovelViews.

All of ROS runs in the executor's one thread, in coroutines: an image or a request waits there for
its transforms, then in the worker's queue for its inference, and is then published or answered.
Only the inference itself runs in another thread.
"""

import math
import time
import traceback

import rclpy
from rclpy.callback_groups import ReentrantCallbackGroup
from rclpy.exceptions import ParameterException
from rclpy.executors import SingleThreadedExecutor
from rclpy.lifecycle import LifecycleNode, LifecycleState, TransitionCallbackReturn
from sensor_msgs.msg import CompressedImage, Image
from std_srvs.srv import SetBool, Trigger

from tiny_nvs_ros.node.arguments import warn_of_unused_arguments
from tiny_nvs_ros.node.conversions import time_of
from tiny_nvs_ros.node.diagnostics import Diagnostics, weights_id
from tiny_nvs_ros.node.frame_gate import FrameGate
from tiny_nvs_ros.node.image_decoder import check_image, report_cv_bridge
from tiny_nvs_ros.node.inference import Inference
from tiny_nvs_ros.node.inputs import INPUT_TOPICS, Inputs
from tiny_nvs_ros.node.monitor import Monitor
from tiny_nvs_ros.node.next_view import NextViewPublisher, RankViewsService
from tiny_nvs_ros.node.parameters import NodeSettings, Parameters
from tiny_nvs_ros.node.point_cloud import ShapePublisher
from tiny_nvs_ros.node.process import run_node
from tiny_nvs_ros.node.publish import ViewPublisher
from tiny_nvs_ros.node.qos import Topics, override_names
from tiny_nvs_ros.node.rejection import NEWER_IMAGE, MissingInput, Rejected
from tiny_nvs_ros.node.render_pose import RenderPoseService
from tiny_nvs_ros.node.source import Source
from tiny_nvs_ros.resources import find_weights
from tiny_nvs_ros.srv import RankViews, RenderPose


class NvsNode(LifecycleNode):
    """Node `nvs`; the README lists its topics, services and parameters."""

    def __init__(self, **kwargs: object):
        """Raises rclpy's ParameterException, or ValueError, for invalid parameters."""
        super().__init__("nvs", **kwargs)
        self._table = Parameters(self, self._check_settings, self._on_settings)
        self._enabled = True
        self._inference: Inference | None = None  # while configured
        self._inputs: Inputs | None = None  # while active
        self._monitor = Monitor(self)
        self._topics = Topics(self, self._monitor)
        self._gate = FrameGate(self._monitor, self.get_clock().now, self._on_stamps_jump)
        self._diagnostics = Diagnostics(
            self, self._monitor, self._topics, self._idle_reason, self._source_ages
        )
        self._view_publisher = ViewPublisher(self._topics)
        self._shape_publisher = ShapePublisher(self._topics, self._monitor)
        self._next_view_publisher = NextViewPublisher(self._topics)
        # In a mutually exclusive group, a coroutine that waits would block all others.
        self._group = ReentrantCallbackGroup()
        needed = self._table, self._monitor, self._gate, self._require_active
        render_pose, rank_views = RenderPoseService(*needed), RankViewsService(*needed)
        for type_, name, callback in (
            (RenderPose, "~/render_pose", render_pose.on_request),
            (RankViews, "~/rank_views", rank_views.on_request),
            (SetBool, "~/enable", self._on_enable),
            (Trigger, "~/forget", self._on_forget),
        ):
            self.create_service(type_, name, callback, callback_group=self._group)

    @property
    def settings(self) -> NodeSettings:
        return self._table.settings

    # Lifecycle

    def start(self) -> bool:
        """Configure and activate. Returns False if that failed; the reason is logged."""
        done = TransitionCallbackReturn.SUCCESS
        return self.trigger_configure() == done and self.trigger_activate() == done

    def on_configure(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Load the model and warm it up."""
        settings = self.settings
        began = time.monotonic()
        try:
            folder = find_weights(settings.weights)
            from tiny_nvs_ros import runtime  # here, because torch takes seconds to import

            renderer = runtime.load(folder, settings.device, settings.runtime)
            steps = renderer.steps(settings.steps or None)
            renderer.warm_up(settings.view_count, settings.samples, steps)
        except Exception as error:  # rclpy would hide it
            known = isinstance(error, (ValueError, OSError, ImportError, MemoryError))
            reason = str(error) if known else traceback.format_exc()
            self.get_logger().error(f"cannot load the model: {reason}")
            self._diagnostics.fault = f"cannot load the model: {error}"
            return TransitionCallbackReturn.FAILURE
        if not self.context.ok():
            # Ctrl-C while the model loaded. rclpy's state machine lets no Exception pass.
            raise KeyboardInterrupt
        self._inference = Inference(renderer, self._wake)
        self._table.configured = True
        self._diagnostics.model = {
            "weights": weights_id(folder),
            "device": renderer.device,
            "runtime": renderer.name,
        }
        if note := report_cv_bridge():
            self.get_logger().info(note)
        why = ""
        if settings.device == "auto" and renderer.device == "cpu" and settings.runtime != "onnx":
            why = f" (auto: {runtime.describe_gpus()})"
        self.get_logger().info(
            f"configured: {folder} on {renderer.device}{why}, runtime {renderer.name}, "
            f"in {time.monotonic() - began:.1f} s"
        )
        return super().on_configure(state)

    def on_activate(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Subscribe."""
        inputs = Inputs(
            self, self._topics, self._monitor, self._group, self._on_image, self._on_time_jump
        )
        if not self._subscribe(inputs):
            inputs.close()
            return TransitionCallbackReturn.FAILURE
        self._inputs = inputs
        if not self.settings.object_radius and self._inference.renderer.config.gives_depth:
            self.get_logger().warning(
                "object_radius is not set: it is taken as an eighth of the camera's distance, and "
                "depths and points are not to scale"
            )
        self.get_logger().info("active")
        return super().on_activate(state)

    def _subscribe(self, inputs: Inputs) -> bool:
        """Subscribe to the inputs of the parameters; invalid QoS are logged, and return False."""
        try:
            inputs.subscribe(self.settings)
        except (ValueError, ParameterException) as error:
            self._diagnostics.fault = f"cannot subscribe: {error}"
            self.get_logger().error(self._diagnostics.fault)
            return False
        return True

    def on_deactivate(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Unsubscribe and discard what was received."""
        self._deactivate()
        return super().on_deactivate(state)

    def on_cleanup(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Release the model, after the running inference has ended."""
        self._release_model()
        return super().on_cleanup(state)

    def on_shutdown(self, state: LifecycleState) -> TransitionCallbackReturn:
        self.close()
        return super().on_shutdown(state)

    def close(self) -> None:
        """Undo activate and configure, from any state."""
        if self._inputs:
            self._deactivate()
        if self._inference:
            self._release_model()

    def _deactivate(self) -> None:
        inputs, self._inputs = self._inputs, None
        inputs.close()
        self._inference.worker.clear()
        self._inference.memory.forget()
        self._gate.invalidate_pending()
        summary = self._monitor.reset()
        if self.context.ok():  # else /rosout is closed, and the logger would complain
            self.get_logger().info(f"inactive; {summary}")

    def _release_model(self) -> None:
        self._inference.worker.stop()
        self._inference = None
        self._table.configured = False

    def _require_active(self) -> tuple[Inputs, Inference]:
        if self._inputs is None:
            raise Rejected("inactive", "the node is not active")
        return self._inputs, self._inference

    def _wake(self) -> None:
        if self.executor is not None:
            self.executor.wake()

    # Parameters

    def _check_settings(self, settings: NodeSettings) -> None:
        """Raise ValueError for parameters that the loaded model does not support."""
        if self._inference is not None:
            self._inference.renderer.steps(settings.steps or None)

    def _on_settings(self) -> None:
        """Resubscribe if a parameter that defines the inputs changed."""
        if self._inputs and self._inputs.must_resubscribe(self.settings):
            self._inputs.unsubscribe()
            self._gate.invalidate_pending()
            self._inference.memory.forget()
            self._diagnostics.fault = ""
            self._subscribe(self._inputs)

    # Images

    async def _on_image(self, message: Image | CompressedImage) -> None:
        """Imagine the views of an image and publish them, or drop it and count why."""
        arrival = time.monotonic()
        number = self._gate.enter()
        try:
            await self._imagine_views(message, arrival, number)
        except MissingInput as error:
            self._monitor.dropped(error.kind)
            self._monitor.report_missing(error.what, str(error), hint=error.hint)
        except Rejected as rejection:
            self._monitor.dropped(rejection.kind, str(rejection))
        except ValueError as error:
            self._monitor.dropped("invalid", str(error))
        except MemoryError as error:
            self._monitor.dropped("out of memory")
            self._monitor.error("out of memory", f"image dropped, out of memory: {error}")
        except Exception:
            self._monitor.dropped("error")
            self._monitor.error("inference", traceback.format_exc())

    async def _imagine_views(
        self, message: Image | CompressedImage, arrival: float, number: int
    ) -> None:
        settings, gate = self.settings, self._gate
        inputs, _ = self._require_active()
        if isinstance(message, Image):
            check_image(message)
        gate.check_time(time_of(message.header.stamp), settings)
        with gate.waiting():
            source = await inputs.sources.assemble(message, settings, number)
        gate.check_current(number)
        gate.keep_latest(source)
        if self._idle_reason():
            return
        targets = await inputs.targets.poses(source, settings)
        gate.check_current(number)
        gate.check_rate(settings)
        gate.supersede_older(number)
        _, inference = self._require_active()  # may have changed during the waits
        job = inference.views(source, targets, settings, settings.samples, settings.seed)
        views = await inference.worker.run_newest(job)
        if views is None:
            raise Rejected(NEWER_IMAGE)
        self._report_moved(inference)
        if fault := views.sources[0].fault:
            self._monitor.warn("image", fault)
        gate.claim_publication(number)
        if self._inputs:
            latency = time.monotonic() - arrival
            self._view_publisher.publish(source, views, latency)
            self._monitor.published(latency, gate.age(source.stamp))
            await self._update_others(source, inference, settings)

    async def _update_others(
        self, source: Source, inference: Inference, settings: NodeSettings
    ) -> None:
        """Publish what is made beside the views; its failure drops no image."""
        for publisher, topic in (
            (self._shape_publisher, "~/points"),
            (self._next_view_publisher, "~/next_view"),
        ):
            try:
                await publisher.update(source, inference, settings)
            except ValueError as error:
                self._monitor.warn(topic, f"nothing on {topic}: {error}")

    def _report_moved(self, inference: Inference) -> None:
        count, inference.moved = inference.moved, 0
        if count:
            self._monitor.warn(
                "moved",
                "the newest image disagrees with what was imagined of it: has the object moved "
                f"against {self.settings.object_frame}? Earlier images are forgotten ({count})",
            )

    def _on_stamps_jump(self) -> None:
        """Discard the transforms of the time before; the gate has discarded its images."""
        if self._inputs:
            self._inputs.transforms.clear()
            self._inference.memory.forget()

    def _on_time_jump(self) -> None:
        """Discard all images of the time before the clock jumped."""
        self._gate.reset()
        if self._inference:
            self._inference.memory.forget()

    def _source_ages(self) -> list[float]:
        """Return the ages of the remembered source images, s; NaN without a stamp."""
        now = self.get_clock().now().nanoseconds
        stamps = self._inference.memory.stamps() if self._inference else []
        return [(now - stamp) * 1e-9 if stamp else math.nan for stamp in stamps]

    def _idle_reason(self) -> str:
        """Return why images are not imagined now; empty if they are."""
        if not self._enabled:
            return "paused"
        publishers = self._view_publisher, self._shape_publisher, self._next_view_publisher
        if self.settings.lazy and not any(each.has_subscribers() for each in publishers):
            return "nobody subscribes to the views"
        return ""

    # Services

    def _on_enable(self, request: SetBool.Request, response: SetBool.Response) -> SetBool.Response:
        """Continue or pause. While paused, images are only kept for requests."""
        self._enabled = request.data
        response.success = True
        response.message = "enabled" if self._enabled else "paused"
        self.get_logger().info(response.message)
        return response

    def _on_forget(self, request: Trigger.Request, response: Trigger.Response) -> Trigger.Response:
        """Forget all images that arrived; the next one is imagined from alone."""
        self._gate.invalidate_pending()
        count = self._inference.memory.forget() if self._inference else 0
        response.success, response.message = True, f"{count} source images forgotten"
        self.get_logger().info(response.message)
        return response


def qos_overrides(node: NvsNode) -> list[str]:
    """Return the QoS parameters that an active node declares."""
    topics = [node.resolve_topic_name(topic) for topic in INPUT_TOPICS]
    topics.append(f"{topics[0]}/compressed")
    return [name for topic in topics for name in override_names(topic, "subscription")]


def main(args: list[str] | None = None) -> int:
    """Run the node until Ctrl-C. Returns the process's exit code."""
    return run_node("nvs", lambda: serve(args), args)


def serve(args: list[str] | None = None) -> int:
    node = NvsNode()
    try:
        started = not node.settings.autostart or node.start()
        warn_of_unused_arguments(node, args, qos_overrides(node))  # last, so that it is seen
        if not started:
            return 1
        spin(node)
    finally:
        node.close()
    return 0


def spin(node: NvsNode) -> None:
    """Spin the node. An exception from rclpy is logged, and the node continues.

    Humble and Jazzy, for example, raise for an invalid lifecycle transition.
    """
    executor = SingleThreadedExecutor()
    executor.add_node(node)
    while rclpy.ok():
        try:
            executor.spin()
        except Exception:
            if rclpy.ok():  # else the shutdown interrupted something
                node.get_logger().error(traceback.format_exc())
