"""Old import path of training.data.mesh and training.data.mesh_builder."""

from training.data.mesh import Mesh, MeshError, normalise  # noqa: F401
from training.data.mesh_builder import MeshBuilder  # noqa: F401
