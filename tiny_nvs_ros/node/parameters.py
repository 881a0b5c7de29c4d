"""The nvs node's parameters: one table from which they are declared, described and checked.

docs/parameters.md and config/nvs.yaml are generated from the table (docs/parameters.py).
"""

from collections.abc import Callable
from dataclasses import Field, dataclass, field, fields, replace

from rcl_interfaces.msg import (
    FloatingPointRange,
    IntegerRange,
    ParameterDescriptor,
    SetParametersResult,
)
from rclpy.node import Node
from rclpy.parameter import Parameter

MAX_VIEWS = 256  # of one image, and candidates of one ranking
ANY_TIME, WHEN_UNCONFIGURED, AT_START = range(3)


def parameter(
    default: object,
    description: str,
    name: str | None = None,
    range: tuple[float, float] | None = None,
    choices: tuple[str, ...] = (),
    changes: int = ANY_TIME,
) -> Field:
    """Return one row of the table.

    name: if it is not the field's. range: smallest and largest value (of each element of a list).
    choices: the valid values. changes: when the parameter can be set.
    """
    metadata = dict(
        name=name, description=description, range=range, choices=choices, changes=changes
    )
    return field(default=default, metadata=metadata)


@dataclass(frozen=True)
class NodeSettings:
    """The values of all parameters. Lists are tuples."""

    weights: str = parameter(
        "objects",
        "the model: a folder with model.safetensors and config.json, or the name of one in "
        "share/tiny_nvs_ros/weights",
        changes=WHEN_UNCONFIGURED,
    )
    device: str = parameter(
        "auto",
        "device of the model: cpu, cuda, cuda:1 ...; auto uses a GPU if there is one",
        changes=WHEN_UNCONFIGURED,
    )
    runtime: str = parameter(
        "auto",
        "runtime of the model: eager (torch, any model), onnx (ONNX Runtime on a CPU, without "
        "torch), cuda_graph (a GPU); auto uses the fastest available one",
        changes=WHEN_UNCONFIGURED,
    )
    object_frame: str = parameter(
        "object", "TF frame of the object: z up, its origin at the object's centre"
    )
    object_heading: str = parameter(
        "unknown",
        "known: the object frame is turned about z as the training objects were (weights/cars: "
        "front towards y), which improves the views of flow models; unknown: only its z axis is "
        "used",
        choices=("known", "unknown"),
    )
    input: str = parameter(
        "crop",
        "content of `image`: crop, a crop around the object; camera, the whole camera image, from "
        "which the object is cut with camera_info, TF and object_radius; rectified, the same "
        "without lens distortion (image_rect)",
        choices=("crop", "camera", "rectified"),
    )
    object_radius: float = parameter(
        0.0,
        "m: half the diagonal of the object's bounding box; required for whole images; with crops "
        "it makes the focal length of the views exact; 0: unknown",
        range=(0.0, 1000.0),
    )
    image_transport: str = parameter(
        "raw",
        "transport of the images: raw, or compressed (on image/compressed)",
        choices=("raw", "compressed"),
    )
    mask_from: str = parameter(
        "none",
        "where the object's mask comes from, outside which an image is background: topic, the mask "
        "of each image on mask, with its stamp, 0 outside the object; depth, the depth image on "
        "depth, with the image's stamp and aligned with it, of which the object is what lies "
        "within object_radius of the object frame's origin and above its support plane; none, the "
        "image has a white background or alpha",
        choices=("none", "topic", "depth"),
    )
    mask: bool = parameter(False, "true is mask_from: topic, as before there was mask_from")
    mask_tolerance: float = parameter(
        0.0,
        "s: largest difference between the stamps of an image and its mask or depth image; use "
        "less than half the time between two images; 0: they must be equal",
        range=(0.0, 10.0),
    )
    views_source: str = parameter(
        "orbit",
        "target cameras of every image: an orbit, the TF frames in views.frames, or the poses on "
        "view_poses",
        name="views.source",
        choices=("orbit", "frames", "poses"),
    )
    orbit_count: int = parameter(
        8, "cameras on each ring of the orbit", name="views.orbit.count", range=(1, 64)
    )
    orbit_elevations: tuple[float, ...] = parameter(
        (0.5236,),
        "rad: elevations of the orbit's rings above the object's xy plane",
        name="views.orbit.elevations",
        range=(-1.57, 1.57),
    )
    orbit_distance: float = parameter(
        0.0,
        "m: from the orbit's cameras to the object's centre; 0: the distance of the source camera",
        name="views.orbit.distance",
        range=(0.0, 1000.0),
    )
    frames: tuple[str, ...] = parameter(
        ("",),
        "TF frames (optical) of the target cameras if views.source is frames; [''] or []: none",
        name="views.frames",
    )
    memory_size: int = parameter(
        4,
        "source images from which views are imagined together: the newest and those of before that "
        "show other sides of the object, if the model takes several; 1: the newest only",
        name="memory.size",
        range=(1, 8),
    )
    memory_min_angle: float = parameter(
        0.26,
        "rad: between the directions from which remembered images show the object; a new image "
        "replaces one from within half of it",
        name="memory.min_angle",
        range=(0.01, 3.14),
    )
    memory_max_age: float = parameter(
        60.0,
        "s: images that are older than the newest by more are forgotten; 0: no limit",
        name="memory.max_age",
        range=(0.0, 86400.0),
    )
    next_view_count: int = parameter(
        12, "candidates on each ring of ~/next_view", name="next_view.count", range=(1, 64)
    )
    next_view_elevations: tuple[float, ...] = parameter(
        (0.1745, 0.7854),
        "rad: elevations of the rings of candidates above the object's xy plane",
        name="next_view.elevations",
        range=(-1.57, 1.57),
    )
    next_view_distance: float = parameter(
        0.0,
        "m: from the candidates to the object's centre; 0: the distance of the newest source",
        name="next_view.distance",
        range=(0.0, 1000.0),
    )
    samples: int = parameter(
        4,
        "samples of each view; their mean is the image, their standard deviation the uncertainty "
        "(no uncertainty with 1)",
        range=(1, 64),
    )
    steps: int = parameter(
        0,
        "steps of the sampler; 0: the model's default, or the fixed number of its exported graph",
        range=(0, 1000),
    )
    seed: int = parameter(
        0,
        "random seed of the noise, the same for every image; -1: new noise each time",
        range=(-1, 2**31 - 1),
    )
    tf_timeout: float = parameter(
        0.5,
        "s: how long an image or a request waits for its transforms, camera_info and mask",
        range=(0.0, 60.0),
    )
    max_image_age: float = parameter(
        1.0,
        "s: images older than this on arrival are dropped; 0: no limit",
        range=(0.0, 3600.0),
    )
    max_rate: float = parameter(
        0.0, "Hz: images above this rate are dropped; 0: no limit", range=(0.0, 1000.0)
    )
    lazy: bool = parameter(
        True, "imagine the views of an image only while somebody subscribes to them"
    )
    autostart: bool = parameter(
        True,
        "configure and activate at the start, and exit if that fails; false: a lifecycle manager "
        "does it (nav2's needs bond_timeout: 0.0)",
        changes=AT_START,
    )

    def __post_init__(self) -> None:
        for row in fields(self):
            check_value(row, getattr(self, row.name))
        if not self.object_frame:
            raise ValueError("object_frame is empty; it must name a TF frame")
        if self.object_frame.startswith("/"):
            raise ValueError(
                f"object_frame is {self.object_frame!r}; the names of TF frames have no leading "
                "slash in ROS 2"
            )
        if self.views_source == "frames" and not self.view_frames:
            raise ValueError("views.source is frames, but views.frames names none: set that first")
        if self.input != "crop" and self.object_radius == 0:
            raise ValueError(f"input is {self.input}, but object_radius is 0: set that first")
        for name, number in (
            ("views.orbit", self.orbit_count * len(self.orbit_elevations)),
            ("next_view", self.next_view_count * len(self.next_view_elevations)),
        ):
            if number > MAX_VIEWS:
                raise ValueError(
                    f"{name}.count on each of {name}.elevations makes {number} cameras; there may "
                    f"be {MAX_VIEWS}"
                )
        if len(self.frames) > MAX_VIEWS:
            raise ValueError(f"views.frames has {len(self.frames)} names; at most {MAX_VIEWS}")
        for row in fields(self):
            distance = getattr(self, row.name)
            if row.name.endswith("_distance") and 0 < distance <= self.object_radius:
                raise ValueError(
                    f"{parameter_name(row)} is {distance:g}, inside the object (object_radius is "
                    f"{self.object_radius:g})"
                )
        if self.mask_from == "depth" and self.input == "crop":
            raise ValueError(
                "mask_from is depth, but input is crop: it needs whole images (input: camera)"
            )
        if self.mask_from == "depth" and self.mask:
            raise ValueError("mask_from is depth, but mask is true: choose one of them")

    @property
    def mask_source(self) -> str:
        """mask_from, and what `mask` means beside it."""
        return "topic" if self.mask else self.mask_from

    @property
    def view_frames(self) -> tuple[str, ...]:
        """views.frames without the empty names: ROS has no typed empty list, [''] stands for it."""
        return tuple(frame for frame in self.frames if frame)

    @property
    def view_count(self) -> int:
        """Number of target cameras; 1 for view_poses, whose number is not known yet."""
        if self.views_source == "frames":
            return len(self.view_frames)
        if self.views_source == "poses":
            return 1
        return self.orbit_count * len(self.orbit_elevations)


def parameter_name(row: Field) -> str:
    return row.metadata["name"] or row.name


def check_value(row: Field, value: object) -> None:
    """Raise ValueError if a value does not fit its row of the table."""
    limits, choices = row.metadata["range"], row.metadata["choices"]
    if choices and value not in choices:
        raise ValueError(f"{parameter_name(row)} is {value!r}; it must be {' or '.join(choices)}")
    if limits is None:
        return
    low, high = limits
    values = value if isinstance(value, tuple) else (value,)
    if not values:
        raise ValueError(f"{parameter_name(row)} is empty; it needs at least one value")
    for number in values:
        if not low <= number <= high:  # refuses NaN too
            raise ValueError(
                f"{parameter_name(row)} is {number:g}; it must be from {low:g} to {high:g} "
                f"({row.metadata['description']})"
            )


def descriptor(row: Field) -> ParameterDescriptor:
    """Return what `ros2 param describe` shows for a row."""
    limits, choices, changes = (row.metadata[key] for key in ("range", "choices", "changes"))
    constraints = []
    if choices:
        constraints.append(f"one of {', '.join(choices)}")
    if changes == WHEN_UNCONFIGURED:
        constraints.append("changes only while the node is unconfigured")
    result = ParameterDescriptor(
        description=row.metadata["description"], read_only=changes == AT_START
    )
    if limits is not None:
        low, high = limits
        if isinstance(row.default, int):
            result.integer_range = [IntegerRange(from_value=low, to_value=high, step=0)]
        elif isinstance(row.default, float):
            result.floating_point_range = [
                FloatingPointRange(from_value=low, to_value=high, step=0.0)
            ]
        else:
            constraints.append(f"each from {low:g} to {high:g}")
    result.additional_constraints = "; ".join(constraints)
    return result


class Parameters:
    """Declares the table on a node and keeps `settings` current.

    settings: the current values; replaced as a whole, so that their holders see no partial change.
    configured: set by the node while the model's parameters cannot change.
    """

    def __init__(
        self,
        node: Node,
        check: Callable[[NodeSettings], None] = lambda settings: None,
        on_change: Callable[[], None] = lambda: None,
    ):
        """check: raises ValueError for settings that are invalid now, beyond the table.
        on_change: called after `settings` were replaced. Raises rclpy's ParameterException, or
        ValueError, for invalid values.
        """
        self._rows = {parameter_name(row): row for row in fields(NodeSettings)}
        self.configured = False
        values = {}
        for name, row in self._rows.items():
            default = list(row.default) if isinstance(row.default, tuple) else row.default
            value = node.declare_parameter(name, default, descriptor(row)).value
            values[row.name] = to_python(row, value)
        self.settings = NodeSettings(**values)
        self._check, self._on_change = check, on_change
        node.add_on_set_parameters_callback(self._on_set)

    def _on_set(self, changed: list[Parameter]) -> SetParametersResult:
        values = {}
        try:
            for each in changed:
                row = self._rows.get(each.name)
                if row is None:
                    continue  # rclpy's own, such as use_sim_time
                if self.configured and row.metadata["changes"] == WHEN_UNCONFIGURED:
                    raise ValueError(
                        f"{each.name} belongs to the loaded model: deactivate and clean up first"
                    )
                values[row.name] = to_python(row, each.value)
            settings = replace(self.settings, **values)
            self._check(settings)
        except ValueError as error:
            return SetParametersResult(successful=False, reason=str(error))
        self.settings = settings
        self._on_change()
        return SetParametersResult(successful=True)


def to_python(row: Field, value: object) -> object:
    """Return a parameter's value, a list (array.array for numbers) as a tuple.

    ROS has no typed empty list: `[]` in a file arrives as None. Raises ValueError for another
    parameter without a value.
    """
    if isinstance(row.default, tuple):
        return () if value is None else tuple(value)
    if value is None:
        raise ValueError(f"{parameter_name(row)} has no value")
    return value
