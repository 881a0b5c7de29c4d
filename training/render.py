"""Pictures of meshes from pinhole cameras, without a display (VTK)."""

import os

os.environ.setdefault("LP_NUM_THREADS", "1")  # Mesa's software rasteriser: a process is a worker

import cv2
import numpy as np
import pyvista as pv
from vtkmodules.util.numpy_support import vtk_to_numpy
from vtkmodules.vtkCommonCore import vtkLogger, vtkUnsignedCharArray

from tiny_nvs_ros.geometry import FOCAL, check_pose
from training.mesh import Mesh

# Without a display VTK warns that X does not answer, and goes on with EGL or OSMesa.
vtkLogger.SetStderrVerbosity(vtkLogger.VERBOSITY_ERROR)

# Direction to the light in the object's frame, and its strength: sun, two fills, ground.
LIGHTS = (
    ((0.5, 0.7, 1.6), 0.56),
    ((-0.9, -0.5, 0.8), 0.24),
    ((0.8, -1.0, 0.1), 0.24),
    ((-0.2, 0.3, -1.0), 0.42),
)
AMBIENT = 0.36
FEATURE_ANGLE = 35.0  # degrees; sharper edges are not shaded smooth


class Renderer:
    """Draws meshes on white, size x size; one window serves any number of objects.

    focal: in pixels, principal point in the image's centre (SRN's camera where it is None).
    Frames are drawn `supersample` times larger and reduced by area.
    """

    def __init__(self, size: int, focal: float | None = None, supersample: int = 2):
        focal = FOCAL * size if focal is None else focal
        self.size, self.side = size, size * supersample
        self.plotter = pv.Plotter(
            off_screen=True, window_size=(self.side, self.side), lighting="none"
        )
        self.plotter.set_background("white")
        self.window = self.plotter.render_window
        self.window.SetMultiSamples(0)
        for direction, intensity in LIGHTS:
            light = pv.Light(position=direction, light_type="scene light", intensity=intensity)
            light.positional = False
            self.plotter.add_light(light)
        camera = self.plotter.camera
        camera.view_angle = np.degrees(2 * np.arctan(size / 2 / focal))
        self.pixels = vtkUnsignedCharArray()

    def render(self, meshes: list[Mesh], poses: np.ndarray) -> np.ndarray:
        """Pictures (V, size, size, 3) uint8 of the meshes from poses (V, 4, 4) T_object_camera."""
        poses = check_pose(poses, "poses").reshape(-1, 4, 4)
        actors = [self._add(mesh) for mesh in meshes]
        try:
            return np.stack([self._frame(pose) for pose in poses])
        finally:
            for actor in actors:
                self.plotter.remove_actor(actor, render=False)

    def close(self) -> None:
        self.plotter.close()

    def _add(self, mesh: Mesh) -> pv.Actor:
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
            ambient=AMBIENT,
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
