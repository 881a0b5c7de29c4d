"""Random views of an object with colour, alpha and depth, drawn by OpenGL without a display."""

from dataclasses import dataclass

import moderngl
import numpy as np

from tiny_nvs_ros.geometry import DISTANCE, FOCAL, eye_at, look_at
from training.data.mesh import Mesh

CREASE = np.cos(np.radians(35.0))  # sharper edges are not shaded smooth
SUPERSAMPLE = 2
LIGHTS = 5

VERTEX = """
#version 330
uniform mat4 clip_from_object;
in vec3 position; in vec3 normal; in vec3 color; in vec2 uv;
out vec3 p; out vec3 n; out vec3 c; out vec2 t;
void main() {
    p = position; n = normal; c = color; t = uv;
    gl_Position = clip_from_object * vec4(position, 1.0);
}
"""
FRAGMENT = """
#version 330
uniform vec3 eye; uniform vec3 forward;
uniform vec3 light_direction[5]; uniform vec3 light_color[5];
uniform vec3 sky; uniform vec3 ground; uniform vec2 contact;  // lowest z, strength
uniform vec2 gloss;  // strength, power
uniform bool textured; uniform sampler2D image;
in vec3 p; in vec3 n; in vec3 c; in vec2 t;
layout(location = 0) out vec4 rgba;
layout(location = 1) out float depth;
void main() {
    vec3 to_eye = normalize(eye - p);
    vec3 normal = normalize(n);
    if (dot(normal, to_eye) < 0.0) normal = -normal;
    vec3 base = textured ? texture(image, t).rgb : c;
    vec3 light = mix(ground, sky, 0.5 + 0.5 * normal.z);
    light *= 1.0 - contact.y * exp(-12.0 * (p.z - contact.x)) * (0.6 - 0.4 * normal.z);
    vec3 shine = vec3(0.0);
    for (int i = 0; i < 5; ++i) {
        vec3 l = light_direction[i];
        light += light_color[i] * max(dot(normal, l), 0.0);
        float s = max(dot(reflect(-l, normal), to_eye), 0.0);
        shine += light_color[i] * pow(s, gloss.y) * step(0.0, dot(normal, l));
    }
    rgba = vec4(base * light + gloss.x * shine, 1.0);
    depth = dot(p - eye, forward);
}
"""


@dataclass(frozen=True)
class Lighting:
    """Directional lights in the object's frame, RGB intensities, and light from all sides."""

    directions: np.ndarray  # (LIGHTS, 3), towards the light
    colors: np.ndarray  # (LIGHTS, 3)
    sky: np.ndarray
    ground: np.ndarray
    contact: float
    gloss: tuple[float, float]


SRN_LIGHTING = Lighting(  # of the procedural cars' published data: a sun, two fills, the ground
    np.array(
        [[0.5, 0.7, 1.6], [-0.9, -0.5, 0.8], [0.8, -1.0, 0.1], [-0.2, 0.3, -1.0], [0, 0, 1.0]]
    ),
    np.array([0.56, 0.24, 0.24, 0.42, 0.0])[:, None] * np.ones(3),
    np.full(3, 0.36),
    np.full(3, 0.36),
    0.0,
    (0.25, 20.0),
)


def random_lighting(rng: np.random.Generator) -> Lighting:
    """Draw a sun, a window, a ring of lamps or even light, warm or cold, or SRN_LIGHTING."""
    kind = rng.choice(5, p=[0.25, 0.25, 0.15, 0.15, 0.2])
    if kind == 4:
        return SRN_LIGHTING
    warmth = np.exp(rng.normal(0, 0.06) * np.array([1.0, 0.1, -1.0]))
    azimuth, elevation = rng.uniform(-np.pi, np.pi), rng.uniform(0.2, 1.4)
    if kind == 0:  # one strong light and its weak fills
        angles = [(azimuth, elevation)] + [
            (rng.uniform(-np.pi, np.pi), rng.uniform(-0.3, 1.2)) for _ in range(4)
        ]
        strength = np.array([1.0, *rng.uniform(0, 0.3, 4)])
    elif kind == 1:  # a broad light: several directions around one
        angles = [(azimuth + rng.normal(0, 0.5), elevation + rng.normal(0, 0.3)) for _ in range(5)]
        strength = np.full(5, 0.3)
    elif kind == 2:  # a ring of lamps above
        angles = [(azimuth + k * 2 * np.pi / 5, elevation) for k in range(5)]
        strength = np.full(5, 0.3)
    else:  # the even light of a photo tent
        angles = [(azimuth + k * 2 * np.pi / 5, rng.uniform(-0.5, 1.4)) for k in range(5)]
        strength = np.full(5, 0.1)
    directions = eye_at(*np.array(angles).T, 1.0)
    ambient = rng.uniform(0.35, 0.9) if kind < 3 else rng.uniform(1.5, 4.0)
    sky, ground = ambient * rng.uniform(1.0, 1.3), ambient * rng.uniform(0.6, 1.0)
    # Whatever the lights, surfaces seen from the side and above are about as bright as their paint.
    facing = eye_at(np.linspace(-np.pi, np.pi, 12), np.resize([0.0, 0.5, 1.3], 12), 1.0)
    lit = (np.maximum(facing @ directions.T, 0) @ strength).mean()
    level = rng.uniform(0.8, 1.15) / (lit + 0.75 * sky + 0.25 * ground)
    gloss = (0.0, 10.0)
    if rng.random() < 0.5:
        gloss = (rng.uniform(0.05, 0.45), np.exp(rng.uniform(np.log(6), np.log(60))))
    return Lighting(
        directions,
        level * strength[:, None] * warmth,
        level * sky * warmth,
        level * ground * np.ones(3),
        rng.uniform(0, 0.5) if kind < 3 else 0.0,
        gloss,
    )


class ViewRenderer:
    """Draws views of size x size pixels; one context serves any number of objects."""

    def __init__(self, size: int, views: int, device: int = 0):
        try:
            self.context = moderngl.create_standalone_context(
                backend="egl", require=330, device_index=device
            )
        except Exception:  # no choice of devices on this EGL
            self.context = moderngl.create_standalone_context(backend="egl", require=330)
        self.size, self.side, self.views = size, size * SUPERSAMPLE, views
        self.columns = 8
        self.rows = -(-views // self.columns)
        self.extent = self.columns * self.side, self.rows * self.side
        self.color = self.context.texture(self.extent, 4)
        self.depth = self.context.texture(self.extent, 1, dtype="f4")
        self.frame = self.context.framebuffer(
            [self.color, self.depth], self.context.depth_renderbuffer(self.extent)
        )
        self.program = self.context.program(VERTEX, FRAGMENT)
        self.context.enable(moderngl.DEPTH_TEST)

    def render(
        self, meshes: list[Mesh], poses: np.ndarray, focal: np.ndarray, lighting: Lighting
    ) -> tuple[np.ndarray, np.ndarray]:
        """Return images (V, size, size, 4) uint8, straight alpha, and depth (V, size, size)
        float32 along the optical axis, 0 where empty.

        poses: (V, 4, 4) T_object_camera; focal: (V,) image widths.
        """
        program = self.program
        directions = lighting.directions / np.linalg.norm(lighting.directions, axis=1)[:, None]
        for name, value in (
            ("light_direction", directions),
            ("light_color", lighting.colors),
            ("sky", lighting.sky),
            ("ground", lighting.ground),
            ("gloss", np.array(lighting.gloss)),
        ):
            program[name].write(np.asarray(value, "f4").tobytes())
        lowest = min(mesh.vertices[:, 2].min() for mesh in meshes)
        program["contact"].write(np.array([lowest, lighting.contact], "f4").tobytes())
        parts = [self._upload(mesh) for mesh in meshes]
        self.frame.use()
        self.frame.clear()
        clips = clip_from_object(poses, focal)
        for i, (pose, clip) in enumerate(zip(poses, clips, strict=True)):
            row, column = divmod(i, self.columns)
            corner = column * self.side, row * self.side
            self.frame.viewport = self.frame.scissor = (*corner, self.side, self.side)
            program["clip_from_object"].write(clip.T.astype("f4").tobytes())
            program["eye"].write(pose[:3, 3].astype("f4").tobytes())
            program["forward"].write(pose[:3, 2].astype("f4").tobytes())
            for array, texture in parts:
                program["textured"].value = texture is not None
                if texture is not None:
                    texture.use()
                array.render()
        self.frame.scissor = None
        color = np.frombuffer(self.color.read(), np.uint8).reshape(*self.extent[::-1], 4)
        depth = np.frombuffer(self.depth.read(), "f4").reshape(*self.extent[::-1], 1)
        for array, texture in parts:
            array.release()
            if texture is not None:
                texture.release()
        return reduce(self._views(color, len(poses)), self._views(depth, len(poses))[..., 0])

    def _upload(self, mesh: Mesh) -> tuple[moderngl.VertexArray, moderngl.Texture | None]:
        corners = mesh.faces.ravel()
        position = mesh.vertices[corners]
        normal = corner_normals(mesh).reshape(-1, 3)
        color, uv = np.zeros((len(corners), 3)), np.zeros((len(corners), 2))
        texture = None
        if mesh.texture is not None:
            uv = mesh.uv[corners]
            height, width = mesh.texture.shape[:2]
            flipped = np.ascontiguousarray(mesh.texture[::-1])  # rows from below
            texture = self.context.texture((width, height), 3, flipped.tobytes(), alignment=1)
            texture.build_mipmaps()
            texture.filter = moderngl.LINEAR_MIPMAP_LINEAR, moderngl.LINEAR
        elif len(mesh.colors) == len(mesh.faces) != len(mesh.vertices):
            color = np.repeat(mesh.colors, 3, axis=0) / 255
        else:
            color = mesh.colors[corners] / 255
        data = np.column_stack([position, normal, color, uv]).astype("f4")
        buffer = self.context.buffer(data.tobytes())
        names = "position", "normal", "color", "uv"
        array = self.context.vertex_array(self.program, [(buffer, "3f 3f 3f 2f", *names)])
        return array, texture

    def _views(self, atlas: np.ndarray, count: int) -> np.ndarray:
        """Return the views of the atlas, whose rows come from below."""
        grid = atlas.reshape(self.rows, self.side, self.columns, self.side, -1)
        return grid.transpose(0, 2, 1, 3, 4).reshape(-1, self.side, self.side, atlas.shape[-1])[
            :count, ::-1
        ]


def reduce(rgba: np.ndarray, depth: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Average supersamples: colour and depth over those that show the object."""
    views, side = depth.shape[:2]
    blocks = (views, side // SUPERSAMPLE, SUPERSAMPLE, side // SUPERSAMPLE, SUPERSAMPLE)
    full = (rgba[..., 3] > 0).reshape(blocks)
    count = full.sum(axis=(2, 4))
    share = np.maximum(count, 1)
    color = np.where(full[..., None], rgba[..., :3].reshape(*blocks, 3), 0).sum(axis=(2, 4))
    color = np.round(color / share[..., None]).astype(np.uint8)
    alpha = np.round(255 * count / SUPERSAMPLE**2).astype(np.uint8)
    mean = np.where(full, depth.reshape(blocks), 0).sum(axis=(2, 4)) / share
    return np.concatenate([color, alpha[..., None]], axis=-1), mean.astype(np.float32)


def corner_normals(mesh: Mesh) -> np.ndarray:
    """Return the normal at each corner of each face, (F, 3, 3): the mean over the faces that share
    the vertex and are not turned away by more than the crease angle, weighted by area."""
    a, b, c = np.moveaxis(mesh.vertices[mesh.faces], 1, 0)
    area = np.cross(b - a, c - a)
    unit = area / np.maximum(np.linalg.norm(area, axis=-1, keepdims=True), 1e-12)
    corners = mesh.faces.ravel()
    face = np.repeat(np.arange(len(mesh.faces)), 3)
    order = np.argsort(corners, kind="stable")
    start = np.searchsorted(corners[order], corners, side="left")
    count = np.bincount(corners, minlength=len(mesh.vertices))[corners]
    count = np.minimum(count, 32)  # of a fan's centre any 32 will do
    first = np.repeat(np.arange(len(corners)), count)
    within = np.arange(len(first)) - np.repeat(np.cumsum(count) - count, count)
    other = face[order[start[first] + within]]
    smooth = (unit[face[first]] * unit[other]).sum(axis=-1) > CREASE
    weights = np.where(smooth[:, None], area[other], 0)
    sums = np.add.reduceat(weights, np.cumsum(count) - count, axis=0)
    sums = np.where(np.linalg.norm(sums, axis=-1, keepdims=True) > 1e-12, sums, unit[face])
    return sums.reshape(-1, 3, 3)


def clip_from_object(poses: np.ndarray, focal: np.ndarray) -> np.ndarray:
    """Return OpenGL's clip matrices (V, 4, 4) of optical poses; focal (V,) in image widths."""
    distance = np.linalg.norm(poses[:, :3, 3], axis=-1)
    near, far = np.maximum(distance - 1.5, 0.05), distance + 1.5
    projection = np.zeros((len(poses), 4, 4))
    projection[:, 0, 0] = 2 * focal
    projection[:, 1, 1] = -2 * focal  # the optical y axis points down
    projection[:, 2, 2] = (far + near) / (far - near)
    projection[:, 2, 3] = -2 * far * near / (far - near)
    projection[:, 3, 2] = 1.0
    return projection @ np.linalg.inv(poses)


def random_displacement(rng: np.random.Generator) -> tuple[float, np.ndarray]:
    """Return an object's scale and its centre's offset (3,), in diagonals of its bounding box.

    Half of the objects are nearly where their frame says, the others anywhere within 12 % of the
    diagonal, 0.6 to 1.15 times as large: a model that trusts every frame fails on a robot, and one
    that trusts none cannot tell from one view how far away the object is.
    """
    if rng.random() < 0.5:
        return float(np.exp(rng.normal(0, 0.03))), rng.normal(0, 0.008, 3)
    offset = rng.normal(size=3)
    offset *= 0.12 * rng.uniform() ** 0.5 / np.linalg.norm(offset)
    return rng.uniform(0.6, 1.15), offset


_renderers: dict[tuple[int, int], ViewRenderer] = {}


def render_instance(
    meshes: list[Mesh], rng: np.random.Generator, views: int, size: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Return random views of a randomly displaced and lit object.

    rgba (V, size, size, 4) uint8, depth (V, size, size) float32 in the mesh's unit (0 where empty),
    poses (V, 4, 4) T_object_camera and focal (V,) in image widths. Two of five cameras stand above
    -10 degrees of elevation, the others anywhere, at 2.2 to 20 object radii (log-uniform).
    """
    if (size, views) not in _renderers:
        _renderers[size, views] = ViewRenderer(size, views)
    scale, offset = random_displacement(rng)
    placed = [
        Mesh(mesh.vertices * scale + offset, mesh.faces, mesh.colors, mesh.uv, mesh.texture)
        for mesh in meshes
    ]
    azimuth = rng.uniform(-np.pi, np.pi, views)
    lowest = np.where(rng.random(views) < 0.4, np.sin(np.radians(-10)), -1)
    elevation = np.arcsin(rng.uniform(lowest, 1))
    distance = 0.5 * np.exp(rng.uniform(np.log(2.2), np.log(20), views))
    poses = look_at(eye_at(azimuth, elevation, distance), np.zeros(3))
    focal = FOCAL * distance / DISTANCE
    rgba, depth = _renderers[size, views].render(placed, poses, focal, random_lighting(rng))
    return rgba, depth, poses, focal
