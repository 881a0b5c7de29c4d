"""Renders meshes from pinhole cameras with alpha and depth, without a display (OpenGL by EGL)."""

import os

os.environ.setdefault("LP_NUM_THREADS", "1")  # Mesa's software rasteriser: a process is a worker

from dataclasses import dataclass
from functools import cache

import moderngl
import numpy as np

from tiny_nvs_ros.geometry import SRN_CAMERA, check_pose, inverse
from training.data import shaders
from training.data.mesh import Mesh
from training.data.normals import corner_normals
from training.data.scene import MAX_LIGHTS, Scene

MAX_DEVICES = 8
ATLAS_SIDE = 2048  # pixels of the framebuffer that holds several views, unless one is larger
MAX_COLUMNS = 8
DEPTH_MARGIN = 0.01  # relative, of the clipping planes beyond the object
CONTACT_DECAY = 6.0  # e-folds of the contact darkening over the height of the object


@cache
def open_context(device: int | None = None) -> moderngl.Context:
    """Return this process's OpenGL context on an EGL device; all renderers share it.

    device: number of the device; None is the one of the environment variable
    GLCONTEXT_DEVICE_INDEX, or the first that works. Raises RuntimeError if none works.
    """
    chosen = device is not None or os.environ.get("GLCONTEXT_DEVICE_INDEX")
    errors = []
    for index in [device or 0] if chosen else range(MAX_DEVICES):
        try:
            return moderngl.create_context(
                require=330, standalone=True, backend="egl", device_index=index
            )
        except Exception as error:  # glcontext raises Exception itself
            errors.append(str(error).strip().replace("\n", " "))
    raise RuntimeError(f"no OpenGL 3.3 by EGL: {errors[0]}")


@dataclass(frozen=True)
class Part:
    """A mesh in the driver's memory."""

    array: moderngl.VertexArray
    buffer: moderngl.Buffer
    texture: moderngl.Texture | None

    def release(self) -> None:
        for resource in (self.array, self.buffer, self.texture):
            if resource is not None:
                resource.release()


class Renderer:
    """Draws meshes, size x size pixels; it serves any number of objects.

    focal: focal length in pixels, principal point at the image's centre (None: SRN's camera).
    supersample: each pixel is the mean of supersample x supersample samples. device: see
    open_context. Normals are broken at edges sharper than normals.FEATURE_ANGLE; both sides of a
    face are drawn. The same calls give the same bits on the same driver.
    """

    def __init__(
        self,
        size: int,
        focal: float | None = None,
        supersample: int = 2,
        device: int | None = None,
    ):
        self.size, self.supersample, self.side = size, supersample, size * supersample
        self.focal = SRN_CAMERA.focal * size if focal is None else focal
        self.context = open_context(device)
        self.columns = max(1, min(MAX_COLUMNS, ATLAS_SIDE // self.side))
        self.max_rows = max(1, ATLAS_SIDE // self.side)
        with self.context as context:
            self.program = context.program(shaders.VERTEX, shaders.FRAGMENT)
            self.resolve = context.program(shaders.RESOLVE_VERTEX, shaders.RESOLVE_FRAGMENT)
            self.resolve["supersample"] = supersample
            self.resolve["colors"], self.resolve["depths"] = 0, 1
            self.whole = context.vertex_array(self.resolve, [])
        self.rows = 0  # of views, in the framebuffers `targets`
        self.targets: list = []

    def render(
        self,
        meshes: list[Mesh],
        poses: np.ndarray,
        scene: Scene | None = None,
        focals: np.ndarray | None = None,
    ) -> np.ndarray:
        """Return images (V, size, size, 4) uint8, straight alpha; see render_with_depth."""
        return self.render_with_depth(meshes, poses, scene, focals)[0]

    def render_with_depth(
        self,
        meshes: list[Mesh],
        poses: np.ndarray,
        scene: Scene | None = None,
        focals: np.ndarray | None = None,
    ) -> tuple[np.ndarray, np.ndarray]:
        """Return images (V, size, size, 4) uint8 and depths (V, size, size) float32.

        poses: (V, 4, 4) T_object_camera; scene: None for Scene(); focals: (V,) focal length of each
        view in pixels instead of the renderer's. Alpha is straight, the share of a pixel's samples
        that show the object; colour and depth are the means over these. Depth is along the optical
        axis, in the unit of the meshes, 0 where there is nothing.
        """
        poses = check_pose(poses, "poses").reshape(-1, 4, 4)
        focals = np.full(len(poses), self.focal) if focals is None else np.asarray(focals, float)
        if focals.shape != (len(poses),) or not (focals > 0).all():
            raise ValueError(f"focals must be {len(poses)} positive numbers, one for each view")
        points = np.concatenate([mesh.vertices[mesh.faces].reshape(-1, 3) for mesh in meshes])
        low, high = points.min(axis=0), points.max(axis=0)
        clips = clip_from_object(poses, focals / self.size, low, high)
        step = self.columns * self.max_rows
        parts: list[Part] = []
        with self.context:
            try:
                self._set_scene(scene or Scene(), low[2], high[2])
                parts.extend(self._upload(mesh) for mesh in meshes)
                batches = [
                    self._draw(parts, poses[i : i + step], clips[i : i + step])
                    for i in range(0, len(poses), step)
                ]
            finally:
                for part in parts:
                    part.release()
        images, depths = zip(*batches, strict=True)
        return np.concatenate(images), np.concatenate(depths)

    def close(self) -> None:
        """Release the memory of the driver."""
        with self.context:
            for resource in (*self.targets, self.whole, self.program, self.resolve):
                resource.release()
        self.targets, self.rows = [], 0

    def _set_scene(self, scene: Scene, lowest: float, highest: float) -> None:
        self.scene = scene
        self.program["lights"] = len(scene.lights)
        colors = np.zeros((MAX_LIGHTS, 3), "f4")
        for row, light in zip(colors, scene.lights, strict=False):
            row[:] = light.intensity * np.array(light.color)
        decay = CONTACT_DECAY / max(highest - lowest, 1e-9)
        for name, value in (
            ("light_colors", colors),
            ("sky", scene.sky),
            ("ground", scene.ground),
            ("contact", (lowest, decay, scene.contact)),
            ("gloss", (scene.specular, scene.specular_power)),
        ):
            self.program[name].write(np.asarray(value, "f4").tobytes())

    def _light_directions(self, pose: np.ndarray) -> np.ndarray:
        """Return unit directions (MAX_LIGHTS, 3) to the lights in the object's frame."""
        directions = np.zeros((MAX_LIGHTS, 3))
        for row, light in zip(directions, self.scene.lights, strict=False):
            direction = np.array(light.direction, float)
            row[:] = pose[:3, :3] @ direction if light.from_camera else direction
            row /= np.linalg.norm(row)
        return directions

    def _upload(self, mesh: Mesh) -> Part:
        corners = mesh.faces.ravel()
        data = np.ones((len(corners), 11), "f4")  # position, normal, color, uv
        data[:, :3] = mesh.vertices[corners]
        data[:, 3:6] = corner_normals(mesh.vertices, mesh.faces).reshape(-1, 3)
        if mesh.colors is not None:
            by_face = len(mesh.colors) == len(mesh.faces)
            data[:, 6:9] = np.repeat(mesh.colors, 3, axis=0) if by_face else mesh.colors[corners]
            data[:, 6:9] /= 255
        texture = None
        if mesh.texture is not None:
            data[:, 9:] = mesh.uv[corners]
            texture = self._upload_texture(mesh.texture)
        buffer = self.context.buffer(data)
        names = "position", "normal", "color", "uv"
        array = self.context.vertex_array(self.program, [(buffer, "3f 3f 3f 2f", *names)])
        return Part(array, buffer, texture)

    def _upload_texture(self, image: np.ndarray) -> moderngl.Texture:
        height, width, components = image.shape
        pixels = np.ascontiguousarray(image[::-1])  # rows from below
        texture = self.context.texture((width, height), components, pixels, alignment=1)
        texture.build_mipmaps()
        texture.filter = moderngl.LINEAR_MIPMAP_LINEAR, moderngl.LINEAR
        return texture

    def _draw(
        self, parts: list[Part], poses: np.ndarray, clips: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """Draw views side by side into one framebuffer; return images and depths."""
        rows = -(-len(poses) // self.columns)
        self._allocate(rows)
        samples, pixels, colors, depths = self.targets[:4]
        samples.use()
        self.context.enable_only(moderngl.DEPTH_TEST)
        samples.clear(viewport=(0, 0, self.columns * self.side, rows * self.side))
        program = self.program
        for i, (pose, clip) in enumerate(zip(poses, clips, strict=True)):
            row, column = divmod(i, self.columns)
            corner = column * self.side, row * self.side
            samples.viewport = samples.scissor = (*corner, self.side, self.side)
            program["clip_from_object"].write(clip.T.astype("f4").tobytes())
            program["eye"].write(pose[:3, 3].astype("f4").tobytes())
            program["forward"].write(pose[:3, 2].astype("f4").tobytes())
            directions = self._light_directions(pose)
            program["light_directions"].write(directions.astype("f4").tobytes())
            for part in parts:
                program["textured"] = part.texture is not None
                if part.texture is not None:
                    part.texture.use()
                part.array.render()
        samples.scissor = None
        extent = self.columns * self.size, rows * self.size
        pixels.use()
        pixels.viewport = (0, 0, *extent)
        self.context.enable_only(moderngl.NOTHING)
        colors.use(0)
        depths.use(1)
        self.whole.render(moderngl.TRIANGLES, vertices=3)
        rgba = pixels.read((0, 0, *extent), components=4, attachment=0)
        depth = pixels.read((0, 0, *extent), components=1, attachment=1, dtype="f4")
        return (
            self._views(np.frombuffer(rgba, np.uint8), rows, len(poses), 4),
            self._views(np.frombuffer(depth, "f4"), rows, len(poses), 1)[..., 0],
        )

    def _allocate(self, rows: int) -> None:
        """Make framebuffers of samples and of pixels for this many rows of views."""
        if rows <= self.rows:
            return
        for resource in self.targets:
            resource.release()
        context, side = self.context, (self.columns * self.side, rows * self.side)
        colors, depths = context.texture(side, 4), context.texture(side, 1, dtype="f4")
        buffer = context.depth_renderbuffer(side)
        size = self.columns * self.size, rows * self.size
        rgba, depth = context.renderbuffer(size, 4), context.renderbuffer(size, 1, dtype="f4")
        samples = context.framebuffer([colors, depths], buffer)
        pixels = context.framebuffer([rgba, depth])
        self.targets = [samples, pixels, colors, depths, buffer, rgba, depth]
        self.rows = rows

    def _views(self, atlas: np.ndarray, rows: int, count: int, channels: int) -> np.ndarray:
        """Return the views of an atlas, whose rows come from below, as (count, size, size, ...)."""
        grid = atlas.reshape(rows, self.size, self.columns, self.size, channels)
        views = grid.transpose(0, 2, 1, 3, 4).reshape(-1, self.size, self.size, channels)
        return np.ascontiguousarray(views[:count, ::-1])


def clip_from_object(
    poses: np.ndarray, focals: np.ndarray, low: np.ndarray, high: np.ndarray
) -> np.ndarray:
    """Return OpenGL's clip matrices (V, 4, 4) of optical poses, for what is in a box.

    focals: (V,) image widths; low, high: corners of the box. The near plane is at least a
    thousandth of the far one away.
    """
    corners = np.stack(np.meshgrid(*np.stack([low, high], axis=1)), axis=-1).reshape(-1, 3)
    from_object = inverse(poses)
    z = corners @ from_object[:, 2, :3].T + from_object[:, 2, 3]  # (8, V)
    far = np.maximum(z.max(axis=0) * (1 + DEPTH_MARGIN), 1e-6)
    near = np.maximum(z.min(axis=0) * (1 - DEPTH_MARGIN), 1e-3 * far)
    projection = np.zeros((len(poses), 4, 4))
    projection[:, 0, 0] = 2 * focals
    projection[:, 1, 1] = -2 * focals  # the optical y axis points down
    projection[:, 2, 2] = (far + near) / (far - near)
    projection[:, 2, 3] = -2 * far * near / (far - near)
    projection[:, 3, 2] = 1.0
    return projection @ from_object
