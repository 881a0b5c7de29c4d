"""The nvs node's parameters: one table, from which they are declared, described and checked."""

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

ANY_TIME, WHEN_UNCONFIGURED, AT_START = range(3)


def parameter(
    default: object,
    description: str,
    name: str | None = None,
    within: tuple[float, float] | None = None,
    among: tuple[str, ...] = (),
    changes: int = ANY_TIME,
) -> Field:
    """One row of the table.

    name: where it is not the field's own. within: smallest and largest value (of each element, for
    a list). among: the values that there are. changes: when it can be set.
    """
    metadata = dict(name=name, description=description, within=within, among=among, changes=changes)
    return field(default=default, metadata=metadata)


@dataclass(frozen=True)
class Settings:
    """The values of all parameters. Lists are tuples; config/nvs.yaml says the same for users."""

    weights: str = parameter(
        "cars",
        "the model: a folder with model.safetensors and config.json, or the name of one in "
        "share/tiny_nvs_ros/weights",
        changes=WHEN_UNCONFIGURED,
    )
    device: str = parameter(
        "auto",
        "what it runs on: cpu, cuda, cuda:1 ...; auto takes a GPU where there is one",
        changes=WHEN_UNCONFIGURED,
    )
    runtime: str = parameter(
        "auto",
        "how it runs: eager (torch, any model), onnx (ONNX Runtime on a CPU, without torch), "
        "cuda_graph (a GPU); auto takes the best that there is",
        changes=WHEN_UNCONFIGURED,
    )
    object_frame: str = parameter(
        "object", "TF frame of the object: z up, its origin at the object's centre"
    )
    object_heading: str = parameter(
        "unknown",
        "whether the object's frame tells its heading too: known means that it is turned about z "
        "as the objects of the training were (weights/cars: front towards y), unknown that its z "
        "points up and no more; a model that makes use of it (preset fast) sees better if known",
        among=("known", "unknown"),
    )
    input: str = parameter(
        "crop",
        "what `image` shows: crop, the object as the model's cameras see it; camera, all that the "
        "camera sees, and the object is cut out by camera_info, TF and object_radius; rectified, "
        "the same without the lens's distortion (image_rect)",
        among=("crop", "camera", "rectified"),
    )
    object_radius: float = parameter(
        0.0,
        "m: half the diagonal of the object's bounding box; whole pictures need it, for crops it "
        "makes the focal length of the views exact; 0: not known",
        within=(0.0, 1000.0),
    )
    image_transport: str = parameter(
        "raw",
        "how images come: raw, or compressed (on image/compressed)",
        among=("raw", "compressed"),
    )
    mask: bool = parameter(
        False, "wait for each image's mask (on mask, with its stamp): what is 0 there becomes white"
    )
    views_source: str = parameter(
        "orbit",
        "which views are imagined of every image: those of an orbit, of the cameras in "
        "views.frames, or of the cameras at the poses on view_poses",
        name="views.source",
        among=("orbit", "frames", "poses"),
    )
    orbit_count: int = parameter(
        8, "cameras on each ring of the orbit", name="views.orbit.count", within=(1, 64)
    )
    orbit_elevations: tuple[float, ...] = parameter(
        (0.5236,),
        "rad: elevations of the orbit's rings above the object's xy plane",
        name="views.orbit.elevations",
        within=(-1.57, 1.57),
    )
    orbit_distance: float = parameter(
        0.0,
        "m: from the orbit's cameras to the object's centre; 0: that of the source camera",
        name="views.orbit.distance",
        within=(0.0, 1000.0),
    )
    frames: tuple[str, ...] = parameter(
        ("",),
        "TF frames (optical) of the cameras that views.source: frames imagines",
        name="views.frames",
    )
    samples: int = parameter(
        4,
        "drawn for each view; their mean is the image, their spread the uncertainty (none with 1)",
        within=(1, 64),
    )
    steps: int = parameter(
        0,
        "steps of the sampler; 0: the model's own number, or its graph's, which takes no other",
        within=(0, 1000),
    )
    seed: int = parameter(
        0,
        "of the noise, the same for every image; -1: fresh noise each time",
        within=(-1, 2**31 - 1),
    )
    tf_timeout: float = parameter(
        0.5,
        "s: how long an image or a request waits for its transforms, camera_info and mask",
        within=(0.0, 60.0),
    )
    max_image_age: float = parameter(
        1.0, "s: images older than this on arrival are dropped; 0: none", within=(0.0, 3600.0)
    )
    max_rate: float = parameter(
        0.0, "Hz: at most so many images are imagined a second; 0: all", within=(0.0, 1000.0)
    )
    lazy: bool = parameter(True, "imagine views of an image only while somebody subscribes to them")
    autostart: bool = parameter(
        True,
        "configure and activate by itself at the start, or end where that fails; otherwise a "
        "lifecycle manager does it",
        changes=AT_START,
    )

    def __post_init__(self) -> None:
        for row in fields(self):
            check_value(row, getattr(self, row.name))
        if not self.object_frame:
            raise ValueError("object_frame is empty; it must name a TF frame")
        if self.views_source == "frames" and not self.view_frames:
            raise ValueError("views.source is frames, but views.frames names none: set that first")
        if self.input != "crop" and self.object_radius == 0:
            raise ValueError(f"input is {self.input}, but object_radius is 0: set that first")

    @property
    def view_frames(self) -> tuple[str, ...]:
        """views.frames without the blanks: ROS has no typed empty list, [''] stands for it."""
        return tuple(frame for frame in self.frames if frame)

    @property
    def view_count(self) -> int:
        """Views of an image; of poses that have not come, one."""
        if self.views_source == "frames":
            return len(self.view_frames)
        if self.views_source == "poses":
            return 1
        return self.orbit_count * len(self.orbit_elevations)


def parameter_name(row: Field) -> str:
    return row.metadata["name"] or row.name


def check_value(row: Field, value: object) -> None:
    """Raises ValueError where a value does not fit its row of the table."""
    within, among = row.metadata["within"], row.metadata["among"]
    if among and value not in among:
        raise ValueError(f"{parameter_name(row)} is {value!r}; it must be {' or '.join(among)}")
    if within is None:
        return
    low, high = within
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
    """What `ros2 param describe` says of a row."""
    within, among, changes = (row.metadata[key] for key in ("within", "among", "changes"))
    constraints = []
    if among:
        constraints.append(f"one of {', '.join(among)}")
    if changes == WHEN_UNCONFIGURED:
        constraints.append("changes only while the node is unconfigured")
    result = ParameterDescriptor(
        description=row.metadata["description"], read_only=changes == AT_START
    )
    if within is not None:
        low, high = within
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

    settings: the values now; replaced as a whole, so whoever holds one sees no half change.
    configured: set by the node while the model's own parameters cannot change.
    """

    def __init__(
        self,
        node: Node,
        check: Callable[[Settings], None] = lambda settings: None,
        on_change: Callable[[], None] = lambda: None,
    ):
        """check: raises ValueError for settings that cannot be now, beyond what the table says.
        on_change: called after `settings` were replaced. Raises rclpy's ParameterException, or
        ValueError, for values that cannot be.
        """
        self._rows = {parameter_name(row): row for row in fields(Settings)}
        self.configured = False
        values = {}
        for name, row in self._rows.items():
            default = list(row.default) if isinstance(row.default, tuple) else row.default
            values[row.name] = plain(node.declare_parameter(name, default, descriptor(row)).value)
        self.settings = Settings(**values)
        self._check, self._on_change = check, on_change
        node.add_on_set_parameters_callback(self._on_set)

    def _on_set(self, changed: list[Parameter]) -> SetParametersResult:
        values = {}
        for each in changed:
            row = self._rows.get(each.name)
            if row is None:
                continue  # use_sim_time and its like
            values[row.name] = plain(each.value)
            if self.configured and row.metadata["changes"] == WHEN_UNCONFIGURED:
                reason = f"{each.name} belongs to the loaded model: deactivate and clean up first"
                return SetParametersResult(successful=False, reason=reason)
        try:
            settings = replace(self.settings, **values)
            self._check(settings)
        except ValueError as error:
            return SetParametersResult(successful=False, reason=str(error))
        self.settings = settings
        self._on_change()
        return SetParametersResult(successful=True)


def plain(value: object) -> object:
    """A parameter's value, lists (array.array for numbers) as tuples."""
    return value if isinstance(value, (str, bool, int, float)) else tuple(value)
