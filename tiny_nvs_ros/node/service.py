"""The base of the services ~/render_pose and ~/rank_views."""

import traceback
from abc import ABC, abstractmethod
from collections.abc import Callable

import numpy as np
from std_msgs.msg import Header

from tiny_nvs_ros.node.conversions import time_of
from tiny_nvs_ros.node.frame_gate import FrameGate
from tiny_nvs_ros.node.inference import Inference
from tiny_nvs_ros.node.inputs import Inputs
from tiny_nvs_ros.node.monitor import Monitor
from tiny_nvs_ros.node.parameters import NodeSettings, Parameters
from tiny_nvs_ros.node.rejection import Rejected
from tiny_nvs_ros.node.source import Source


class Service(ABC):
    """Answers requests about the object in the latest image. name: in the log."""

    name: str

    def __init__(
        self,
        parameters: Parameters,
        monitor: Monitor,
        gate: FrameGate,
        require_active: Callable[[], tuple[Inputs, Inference]],
    ):
        """require_active: returns the active node's inputs and model, or raises Rejected."""
        self._parameters, self._monitor, self._gate = parameters, monitor, gate
        self._require_active = require_active

    async def on_request(self, request: object, response: object) -> object:
        """Return the response; a failure is in its message."""
        try:
            await self._answer(request, response)
            response.success = True
        except (Rejected, ValueError, MemoryError) as error:
            response.message = str(error)
        except Exception as error:
            response.message = f"{type(error).__name__}: {error}"
            self._monitor.error(self.name, traceback.format_exc())
        return response

    @abstractmethod
    async def _answer(self, request: object, response: object) -> None:
        """Fill the response, or raise Rejected or ValueError."""

    def _latest_source(self, inputs: Inputs, settings: NodeSettings) -> Source:
        latest = self._gate.latest
        if latest is None or latest.object_frame != settings.object_frame:
            missing = ", no ".join(self._monitor.missing) or inputs.image_stream
            raise Rejected("no image", f"no image of the object yet: no {missing}")
        return latest

    async def _T_object_frame(
        self, header: Header, what: str, source: Source, inputs: Inputs, settings: NodeSettings
    ) -> np.ndarray:
        """Return the pose (4, 4) of a request's frame, at its stamp or else the source's.

        what: the field with the header, for messages.
        """
        if not header.frame_id:
            raise Rejected("invalid", f"{what} has no frame_id")
        if header.frame_id == settings.object_frame:
            return np.eye(4)
        stamp = time_of(header.stamp)
        if stamp.nanoseconds == 0:
            stamp = source.stamp
        if (header.frame_id, stamp) == (source.header.frame_id, source.stamp):
            return source.pose  # known for longer than TF remembers it
        return await inputs.transforms.lookup(
            settings.object_frame, header.frame_id, stamp, settings.tf_timeout
        )
