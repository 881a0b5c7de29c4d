"""The page of one browser: its controls, its images, and what they do to its session."""

from __future__ import annotations

import dataclasses
import threading
import time
import traceback
from typing import TYPE_CHECKING

import numpy as np

from tiny_nvs_ros.geometry import eye_at
from tiny_nvs_ros.shape import Shape
from tiny_nvs_ros.simulation.objects import SimulatedObject, object_names
from tiny_nvs_ros.viewer import display, photo, upload_limit
from tiny_nvs_ros.viewer.photo import Photo
from tiny_nvs_ros.viewer.renderers import Renderers
from tiny_nvs_ros.viewer.scene import SourceScene
from tiny_nvs_ros.viewer.session import Session, mesh_file
from tiny_nvs_ros.viewer.worker import Priority, Worker

if TYPE_CHECKING:
    import viser

FIRST_OBJECT = "duck"
FIRST_EYE = eye_at(np.radians(95), np.radians(22), 5.5)
# On a phone held upright the controls cover the lower half: the object is above the middle.
NARROW_ASPECT = 0.8
NARROW_LOOK_AT = np.array([0.0, 0.0, -1.5])
NARROW_FIELD_OF_VIEW = np.radians(60)  # vertical
BESIDE_PHOTO = np.radians(40)  # azimuth of the view after an upload
MAX_NAME = 40  # characters of an upload's name that are shown
GLIDE_S = 0.8  # of a camera that moves by itself
GLIDE_STEPS = 24
MAX_SAMPLES = 16
MAX_SOURCES = 8  # end of the slider
ERROR_S = 12  # for which an error is shown


class Page:
    """Controls and scene of one client, and the thread that imagines for it."""

    def __init__(self, client: viser.ClientHandle, renderers: Renderers):
        self._client, self._renderers = client, renderers
        self._objects = {FIRST_OBJECT: SimulatedObject.load(FIRST_OBJECT)}
        self._loaded = first = renderers.names[0]  # name of the session's weights
        self._session = Session(renderers.get(first), self._objects[FIRST_OBJECT])
        self._shape = Shape.empty(1.0)
        self._target = self._session.target_camera(FIRST_EYE)
        self._glide = 0  # number of the present one; a newer one ends it
        self._worker = Worker(self._show_error)
        self._error, self._error_time = "", -np.inf  # the last that was shown
        self._scene = SourceScene(client, self._glide_to)
        self._add_controls(first)
        upload_limit.install(client, photo.MAX_BYTES, lambda text: self._refuse(text))
        self._look_at = np.zeros(3)
        if client.camera.aspect < NARROW_ASPECT:
            self._look_at = NARROW_LOOK_AT
            client.camera.fov = float(NARROW_FIELD_OF_VIEW)
            client.camera.look_at = NARROW_LOOK_AT
        self._sources_changed()

        @client.camera.on_update
        async def _(camera: viser.CameraHandle) -> None:  # async: one after another
            self._move(camera.position)

    def close(self) -> None:
        """End the thread."""
        self._worker.stop()

    def _add_controls(self, weights: str) -> None:
        gui = self._client.gui
        gui.add_html(display.note("Drag to turn, scroll to zoom: the images follow your view"))
        self._captions = gui.add_html("")
        self._images = gui.add_image(display.blank(), format="png")
        self._status = gui.add_html("")
        self._look = gui.add_button(
            "Look from here",
            icon="camera",
            hint="Take a photograph from the present view: one more source for the model",
        )
        self._next = gui.add_button(
            "Where next?",
            icon="compass",
            color="gray",
            hint="Move to the view that would tell the model most",
        )
        self._reset = gui.add_button(
            "Reset",
            icon="refresh",
            color="gray",
            hint="Back to the first source alone and the first view",
        )
        self._object = gui.add_dropdown(
            "Object", object_names(), initial_value=FIRST_OBJECT, hint="What is looked at"
        )
        self._count = gui.add_slider(
            "Sources", 1, MAX_SOURCES, 1, 1, hint="Photographs that the model is given"
        )
        self._min_confidence = gui.add_slider(
            "Confidence", 0.0, 0.95, 0.05, 0.5, hint="Points that are less certain are hidden"
        )
        self._download = gui.add_button(
            "Download the mesh", icon="download", color="gray", hint="A .glb file"
        )
        with gui.add_folder("Your photo"):
            self._upload = gui.add_upload_button(
                "Upload a photo",
                icon="upload",
                color="gray",
                mime_type="image/*",
                hint="The whole object on a plain light background, or cut out (transparent PNG)",
            )
            self._elevation = gui.add_slider(
                "Elevation",
                -10,
                80,
                5,
                20,
                hint="Degrees by which your camera looked down on the object",
            )
        with gui.add_folder("Model"):
            self._weights = gui.add_dropdown(
                "Weights", self._renderers.names, initial_value=weights, hint="Of the model"
            )
            self._samples = gui.add_slider(
                "Samples", 2, MAX_SAMPLES, 1, 8, hint="Their spread is the uncertainty"
            )
            self._scale = gui.add_slider(
                "Object scale",
                0.7,
                1.5,
                0.05,
                1.0,
                hint="Radius that the model is told, relative to the object's",
            )
        self._connect()

    def _connect(self) -> None:
        """Let each control change the session, in the worker's thread."""

        def bind(control: object, event: str, change: object) -> None:
            def react(event: viser.GuiEvent) -> None:
                if event.client is not None:  # not a change by this program
                    self._worker.submit(change.__name__, Priority.CHANGE, change)

            getattr(control, event)(react)

        for control, change in (
            (self._look, self._look_from_here),
            (self._next, self._where_next),
            (self._reset, self._reset_sources),
            (self._download, self._download_mesh),
        ):
            bind(control, "on_click", change)
        for control, change in (
            (self._object, self._change_object),
            (self._count, self._change_count),
            (self._min_confidence, self._show_points),
            (self._elevation, self._change_elevation),
            (self._weights, self._change_weights),
            (self._samples, self._change_samples),
            (self._scale, self._change_scale),
        ):
            bind(control, "on_update", change)
        bind(self._upload, "on_upload", self._read_upload)

    # What the controls do, in the worker's thread.

    def _look_from_here(self) -> None:
        self._session.look_from(self._target)
        self._sources_changed()

    def _where_next(self) -> None:
        self._glide_to(self._session.next_view())

    def _reset_sources(self) -> None:
        self._session.reset()
        self._sources_changed()
        self._glide_to(self._session.target_camera(FIRST_EYE))

    def _change_object(self) -> None:
        name = self._object.value
        if name not in self._objects:
            self._objects[name] = SimulatedObject.load(name)
        self._session.subject = self._objects[name]
        self._sources_changed()

    def _change_count(self) -> None:
        self._session.set_source_count(self._count.value)
        self._sources_changed()

    def _change_elevation(self) -> None:
        subject = self._session.subject
        if isinstance(subject, Photo):
            self._use_photo(subject)

    def _change_weights(self) -> None:
        name = self._weights.value
        note = self._client.add_notification("Weights", f"Loading {name}", loading=True)
        try:
            self._session.renderer = self._renderers.get(name)
        finally:
            note.remove()
        self._loaded = name
        if not self._session.gives_shape:
            self._client.add_notification(
                "No points", f"The weights {name} give no depth", auto_close_seconds=ERROR_S
            )
        self._sources_changed()

    def _change_samples(self) -> None:
        self._session.samples = self._samples.value
        self._view_changed()

    def _change_scale(self) -> None:
        self._session.scale = self._scale.value
        self._sources_changed()

    def _read_upload(self) -> None:
        file = self._upload.value
        name = f"photo: {file.name[-MAX_NAME:]}"
        self._use_photo(photo.read_photo(name, file.content))
        # The camera of the photo is at azimuth 0.
        beside = eye_at(BESIDE_PHOTO, self._session.subject.elevation, np.linalg.norm(FIRST_EYE))
        self._glide_to(self._session.target_camera(beside))

    def _use_photo(self, subject: Photo) -> None:
        subject = dataclasses.replace(subject, elevation=np.radians(self._elevation.value))
        self._session.subject = self._objects[subject.name] = subject
        if subject.name not in self._object.options:
            self._object.options = (*self._object.options, subject.name)
        self._sources_changed()

    def _download_mesh(self) -> None:
        self._client.send_file_download("object.glb", mesh_file(self._shape), save_immediately=True)

    # What the page shows.

    def _sources_changed(self) -> None:
        """Show the sources now, the view and the shape soon."""
        self._update_controls()
        self._scene.show_sources(self._session.sources)
        self._view_changed()
        self._worker.submit("shape", Priority.SHAPE, self._show_shape)

    def _update_controls(self) -> None:
        """Let the controls say what the session is, also if a change of it failed."""
        session = self._session
        subject = session.subject
        self._object.value, self._weights.value = subject.name, self._loaded
        self._count.value, self._scale.value = len(session.photos), session.scale
        self._count.disabled = session.max_sources == 1
        self._look.disabled = not subject.simulated
        self._elevation.disabled = subject.simulated
        if isinstance(subject, Photo):
            self._elevation.value = round(np.degrees(subject.elevation))

    def _move(self, eye: np.ndarray) -> None:
        """Follow the browser's camera. eye: (3,)."""
        self._target = self._session.target_camera(eye)
        self._view_changed()

    def _view_changed(self) -> None:
        self._worker.submit("view", Priority.VIEW, self._show_view)

    def _show_view(self) -> None:
        began, target = time.perf_counter(), self._target
        view = self._session.view_from(target)
        self._scene.look_from(target[:3, 3])
        source = self._session.sources[0].view.image
        self._images.image = display.montage_of(view, source)
        third = "Your photo" if view.truth is None else "Truth"
        self._captions.content = display.captions("Imagined", "Uncertainty", third)
        self._status.content = display.status(view, time.perf_counter() - began)

    def _show_shape(self) -> None:
        self._shape = self._session.shape()
        self._show_points()

    def _show_points(self) -> None:
        self._scene.show_shape(self._shape, self._min_confidence.value)

    def _glide_to(self, T_object_camera: np.ndarray) -> None:
        """Move the browser's camera there on an arc around the object, in a thread of its own."""
        self._glide += 1
        threading.Thread(
            target=self._glide_along, args=(T_object_camera[:3, 3], self._glide), daemon=True
        ).start()

    def _glide_along(self, end: np.ndarray, glide: int) -> None:
        camera = self._client.camera
        for eye in arc(np.array(camera.position), end, GLIDE_STEPS):
            if self._glide != glide:
                return
            with self._client.atomic():
                camera.position = eye
                camera.look_at = self._look_at
            time.sleep(GLIDE_S / GLIDE_STEPS)

    def _refuse(self, text: str) -> None:
        """Show why something was not done, once if the same happens again and again."""
        now = time.monotonic()
        if text != self._error or now > self._error_time + ERROR_S:
            self._error, self._error_time = text, now
            self._client.add_notification(
                "Not possible", text, color="red", auto_close_seconds=ERROR_S
            )

    def _show_error(self, error: Exception) -> None:
        """Show an error on the page; one that is not about the input also goes to the log."""
        if not isinstance(error, ValueError | OSError | ImportError | MemoryError):
            traceback.print_exception(error)
        self._refuse(str(error) or type(error).__name__)
        self._update_controls()


def arc(start: np.ndarray, end: np.ndarray, steps: int) -> list[np.ndarray]:
    """Return positions (3,) from start to end, at first slow and at last, around the z axis."""

    def spherical(p: np.ndarray) -> np.ndarray:
        return np.array(
            [np.arctan2(p[1], p[0]), np.arctan2(p[2], np.hypot(p[0], p[1])), np.linalg.norm(p)]
        )

    a, b = spherical(start), spherical(end)
    change = b - a
    change[0] = (change[0] + np.pi) % (2 * np.pi) - np.pi
    t = np.linspace(0, 1, steps + 1)[1:]
    return [eye_at(*(a + s * change)) for s in t * t * (3 - 2 * t)]
