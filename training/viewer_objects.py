"""Write the viewer's objects, triangles with lighting in their colours: --help

Their seed is not one of training's. They were chosen by their looks.
"""

import argparse
from pathlib import Path

import numpy as np

from training.data.cars import car
from training.data.mesh import Mesh
from training.data.normals import corner_normals
from training.data.objects import build_object
from training.data.scene import Scene

SEED = 9001
CARS = {"pick-up": 0, "van": 5}  # numbers in training.data.cars
THINGS = {  # family and number in training.data.objects
    "chair": ("chair", 2),
    "coffee machine": ("dispenser", 3),
    "cup and saucer": ("mug", 1),
    "dog": ("quadruped", 3),
    "duck": ("bird", 3),
    "excavator": ("toy_vehicle", 2),
    "shoe": ("shoe", 1),
}


def build(name: str) -> list[Mesh]:
    """Return the meshes of one of CARS and THINGS, bounding-box diagonal 1."""
    if name in CARS:
        return car(SEED, CARS[name])
    family, number = THINGS[name]
    return build_object(SEED, number, family)


def bake(meshes: list[Mesh], scene: Scene) -> dict[str, np.ndarray]:
    """Return triangles as `tiny_nvs_ros.simulation.objects` reads them, in object radii.

    Lights shine on both sides of a face; there is no gloss, which would depend on the camera.
    Raises ValueError for a mesh with a texture.
    """
    vertices, faces, front, back = [], [], [], []
    for mesh in meshes:
        if mesh.texture is not None:
            raise ValueError("a mesh has a texture; the viewer's objects have colours")
        faces.append(mesh.faces + sum(map(len, vertices)))
        vertices.append(2 * mesh.vertices)  # half the diagonal of the bounding box is 1
        by_face = len(mesh.colors) == len(mesh.faces)
        colors = mesh.colors[:, None] if by_face else mesh.colors[mesh.faces]
        normals = corner_normals(mesh.vertices, mesh.faces)
        front.append(np.clip(np.round(colors * lighting(normals, scene)), 0, 255))
        back.append(np.clip(np.round(colors * lighting(-normals, scene)), 0, 255))
    return {
        "vertices": np.concatenate(vertices).astype(np.float32),
        "faces": np.concatenate(faces).astype(np.uint16),
        "front": np.concatenate(front).astype(np.uint8),
        "back": np.concatenate(back).astype(np.uint8),
    }


def lighting(normals: np.ndarray, scene: Scene) -> np.ndarray:
    """Return the light on surfaces (..., 3), as the renderer computes it; normals: (..., 3)."""
    up = 0.5 + 0.5 * normals[..., 2:]
    light = np.array(scene.ground) * (1 - up) + np.array(scene.sky) * up
    for source in scene.lights:
        direction = np.array(source.direction) / np.linalg.norm(source.direction)
        facing = np.maximum(normals @ direction, 0)[..., None]
        light = light + facing * source.intensity * np.array(source.color)
    return light


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(
        prog="python -m training.viewer_objects", description=__doc__.splitlines()[0]
    )
    parser.add_argument("--out", type=Path, default=Path("tiny_nvs_ros/simulation/objects"))
    out = parser.parse_args(arguments).out
    out.mkdir(parents=True, exist_ok=True)
    for name in (*CARS, *THINGS):
        file = out / f"{name.replace(' ', '_')}.npz"
        np.savez_compressed(file, **bake(build(name), Scene()))
        print(f"{file}: {file.stat().st_size} bytes")


if __name__ == "__main__":
    main()
