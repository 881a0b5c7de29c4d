"""The viewer's objects, and the viewer's drawing beside the renderer of training."""

import numpy as np
import pytest

from tiny_nvs_ros.simulation.objects import SOURCE_DISTANCE, SimulatedObject, source_pose
from training.data.mesh import Mesh
from training.data.scene import Scene
from training.viewer_objects import bake, build

NAME = "duck"


def test_shipped_object_is_what_the_command_writes():
    shipped, built = SimulatedObject.load(NAME), bake(build(NAME), Scene())
    assert shipped.vertices == pytest.approx(built["vertices"], abs=1e-6)
    assert (shipped.faces == built["faces"]).all()
    assert np.abs(shipped.front.astype(int) - built["front"]).max() <= 1


def test_photograph_equals_that_of_the_renderer():
    pytest.importorskip("moderngl")
    from training.data.renderer import Renderer

    photo = SimulatedObject.load(NAME).photograph(source_pose(1))
    pose = source_pose(1).copy()
    pose[:3, 3] /= 2  # the renderer's unit is the diagonal of the bounding box
    assert np.linalg.norm(pose[:3, 3]) == pytest.approx(SOURCE_DISTANCE / 2)
    size = len(photo.image)
    renderer = Renderer(size, photo.camera.matrix[0, 0], supersample=1)
    image = renderer.render(build(NAME), pose[None], Scene(specular=0.0))[0]
    renderer.close()
    ours, theirs = photo.image[..., 3] > 0, image[..., 3] > 0
    assert (ours != theirs).sum() <= 0.01 * theirs.sum()
    both = ours & theirs
    assert np.abs(photo.image[both].astype(int) - image[both]).mean() < 2


def test_textured_mesh_is_refused():
    texture = np.zeros((2, 2, 3), np.uint8)
    mesh = Mesh(np.eye(3), np.array([[0, 1, 2]]), uv=np.zeros((3, 2)), texture=texture)
    with pytest.raises(ValueError, match="texture"):
        bake([mesh], Scene())
