"""Pictures of meshes from pinhole cameras, without a display (VTK)."""

import os
from dataclasses import dataclass

os.environ.setdefault("LP_NUM_THREADS", "1")  # Mesa's software rasteriser: a process is a worker

import cv2
import numpy as np
import pyvista as pv
from vtkmodules.util.numpy_support import vtk_to_numpy
from vtkmodules.vtkCommonCore import vtkLogger, vtkUnsignedCharArray

from tiny_nvs_ros.geometry import FOCAL, check_pose
from training.data.mesh import Mesh

# Without a display VTK warns that X does not answer, and goes on with EGL or OSMesa.
vtkLogger.SetStderrVerbosity(vtkLogger.VERBOSITY_ERROR)

Color = tuple[float, float, float]  # RGB in [0, 1]
WHITE = (1.0, 1.0, 1.0)


@dataclass(frozen=True)
class Light:
    """From far away; direction: to the light, in the object's frame."""

    direction: tuple[float, float, float]
    intensity: float
    color: Color = WHITE


@dataclass(frozen=True)
class Scene:
    """What is around an object: lights, and the background at the image's bottom and top."""

    lights: tuple[Light, Light, Light, Light] = (
        Light((0.5, 0.7, 1.6), 0.56),  # the sun, two fills, the ground
        Light((-0.9, -0.5, 0.8), 0.24),
        Light((0.8, -1.0, 0.1), 0.24),
        Light((-0.2, 0.3, -1.0), 0.42),
    )
    ambient: float = 0.36
    background: tuple[Color, Color] = (WHITE, WHITE)


def random_scene(rng: np.random.Generator) -> Scene:
    """Domain randomisation (Tobin et al. 2017): a sun above, three fills anywhere, any colours."""
    directions = rng.normal(size=(4, 3))
    directions[0, 2] = abs(directions[0, 2])
    intensities = [rng.uniform(0.3, 0.9), *rng.uniform(0.1, 0.45, 3)]
    return Scene(
        tuple(
            Light(tuple(direction), intensity, tuple(rng.uniform(0.75, 1.0, 3)))
            for direction, intensity in zip(directions, intensities, strict=True)
        ),
        ambient=rng.uniform(0.2, 0.45),
        background=(tuple(rng.uniform(size=3)), tuple(rng.uniform(size=3))),
    )


FEATURE_ANGLE = 35.0  # degrees; sharper edges are not shaded smooth


class Renderer:
    """Draws meshes, size x size; one window serves any number of objects.

    focal: in pixels, principal point in the image's centre (SRN's camera where it is None).
    Frames are drawn `supersample` times larger and reduced by area.
    """

    def __init__(self, size: int, focal: float | None = None, supersample: int = 2):
        focal = FOCAL * size if focal is None else focal
        self.size, self.side = size, size * supersample
        self.plotter = pv.Plotter(
            off_screen=True, window_size=(self.side, self.side), lighting="none"
        )
        self.window = self.plotter.render_window
        self.window.SetMultiSamples(0)
        self.lights = [pv.Light(light_type="scene light") for _ in Scene().lights]
        for light in self.lights:
            light.positional = False
            self.plotter.add_light(light)
        camera = self.plotter.camera
        camera.view_angle = np.degrees(2 * np.arctan(size / 2 / focal))
        self.pixels = vtkUnsignedCharArray()

    def render(
        self, meshes: list[Mesh], poses: np.ndarray, scene: Scene | None = None
    ) -> np.ndarray:
        """Pictures (V, size, size, 3) uint8 of the meshes from poses (V, 4, 4) T_object_camera.

        scene: None for Scene(), which is on white.
        """
        poses = check_pose(poses, "poses").reshape(-1, 4, 4)
        scene = scene or Scene()
        self._surround(scene)
        actors = [self._add(mesh, scene.ambient) for mesh in meshes]
        try:
            return np.stack([self._frame(pose) for pose in poses])
        finally:
            for actor in actors:
                self.plotter.remove_actor(actor, render=False)

    def close(self) -> None:
        self.plotter.close()

    def _surround(self, scene: Scene) -> None:
        for light, wanted in zip(self.lights, scene.lights, strict=True):
            light.position, light.intensity = wanted.direction, wanted.intensity
            light.diffuse_color = light.specular_color = wanted.color
        bottom, top = scene.background
        self.plotter.set_background(bottom, top=None if top == bottom else top)

    def _add(self, mesh: Mesh, ambient: float) -> pv.Actor:
        faces = np.column_stack([np.full(len(mesh.faces), 3), mesh.faces])
        data = pv.PolyData(mesh.vertices.astype(np.float32), faces.ravel())
        texture = None
        if mesh.texture is not None:
            data.active_texture_coordinates = mesh.uv.astype(np.float32)
            texture = pv.Texture(mesh.texture)
        elif len(mesh.colors) == len(mesh.faces):
            data.cell_data["rgb"] = mesh.colors
        else:
            data.point_data["rgb"] = mesh.colors
        data = data.compute_normals(
            cell_normals=False,
            split_vertices=True,
            feature_angle=FEATURE_ANGLE,
            consistent_normals=False,
        )
        return self.plotter.add_mesh(
            data,
            scalars=None if texture else "rgb",
            rgb=texture is None,
            texture=texture,
            smooth_shading=None,
            ambient=ambient,
            diffuse=1.0,
            specular=0.25,
            specular_power=20.0,
            reset_camera=False,
            render=False,
        )

    def _frame(self, pose: np.ndarray) -> np.ndarray:
        camera, eye = self.plotter.camera, pose[:3, 3]
        camera.position, camera.focal_point = eye, eye + pose[:3, 2]
        camera.up = -pose[:3, 1]
        self.plotter.renderer.ResetCameraClippingRange()
        self.window.Render()
        last = self.side - 1
        self.window.GetPixelData(0, 0, last, last, 0, self.pixels, 0)
        image = vtk_to_numpy(self.pixels).reshape(self.side, self.side, 3)[::-1]
        return cv2.resize(image, (self.size, self.size), interpolation=cv2.INTER_AREA)
