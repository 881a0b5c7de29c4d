"""glTF 2.0 files, binary (GLB) or not.

trimesh reads buffers, accessors, triangles and the scene graph. Materials, colours and texture
coordinates are taken from the file's JSON here, because trimesh drops or misreads much of them in
silence: colours beside a material, normalised integers, linear factors, texture transforms.
Section numbers are those of the glTF 2.0 specification.
"""

import copy
import io
import json
import re
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import trimesh

from training.data.mesh import Mesh
from training.data.mesh_files import gltf_material
from training.data.mesh_files.files import ReferencedFiles, decode_text, read_uri
from training.data.mesh_files.gltf_sparse import without_sparse
from training.data.mesh_files.materials import MAX_COLOR
from training.data.mesh_files.surface import make_surface

Json = dict[str, Any]

# Extensions that change what is drawn only in ways that a matt renderer does not show, or that
# gltf_material reads.
SUPPORTED = re.compile(
    r"KHR_(mesh_quantization|texture_transform|materials_.*|lights_punctual|xmp.*|animation_.*)"
    r"|EXT_texture_(webp|avif)|KHR_node_visibility"
)
TRIANGLES, TRIANGLE_STRIP, TRIANGLE_FAN = 4, 5, 6  # less: points and lines
INTEGER_MAX = {5120: 127, 5121: 255, 5122: 32767, 5123: 65535}  # of normalised components
# Names under which trimesh hands attributes over as they are stored.
TEXTURE_SETS = range(8)
STORED = {"COLOR_0": "_COLOR"} | {f"TEXCOORD_{k}": f"_UV{k}" for k in TEXTURE_SETS}


def read(path: Path, files: ReferencedFiles) -> list[Mesh]:
    tree, chunk = split_container(files.read_path(path))
    _check_supported(tree)
    buffers = [_buffer(entry, chunk, files) for entry in tree.get("buffers", [])]
    tree, buffers = without_sparse(tree, buffers)
    images = gltf_material.Images(tree, buffers, files)
    primitives, rewritten = _one_primitive_per_mesh(tree)
    scene = trimesh.load_scene(
        io.BytesIO(json.dumps(rewritten).encode()),
        file_type="gltf",
        resolver={str(k): data for k, data in enumerate(buffers)},
        process=False,
        skip_materials=True,
    )
    meshes = []
    for node in scene.graph.nodes_geometry:
        T_world_node, name = scene.graph[node]
        part = scene.geometry[name]
        if isinstance(part, trimesh.Trimesh) and len(part.faces):
            primitive = primitives[int(part.metadata["primitive"])]
            meshes.append(_surface(tree, primitive, part, T_world_node, images))
    return [mesh for mesh in meshes if mesh is not None]


def split_container(data: bytes) -> tuple[Json, bytes]:
    """Return the JSON and the binary chunk of a GLB file, or the JSON of a .gltf file."""
    if data[:4] != b"glTF":
        try:
            return _parse_json(decode_text(data)), b""
        except json.JSONDecodeError as error:
            raise ValueError(f"neither GLB nor JSON ({error})") from error
    version, length = np.frombuffer(data[4:12], "<u4")
    if version != 2:
        raise ValueError(f"glTF version {version} is not supported; it must be 2")
    if length > len(data):
        raise ValueError(f"cut off: {len(data)} of {length} bytes are there")
    chunks, start = {}, 12
    while start + 8 <= length:
        size = int(np.frombuffer(data[start : start + 4], "<u4")[0])
        chunks.setdefault(data[start + 4 : start + 8], data[start + 8 : start + 8 + size])
        start += 8 + size
    if b"JSON" not in chunks:
        raise ValueError("GLB without a JSON chunk")
    return _parse_json(chunks[b"JSON"]), chunks.get(b"BIN\0", b"")


def _parse_json(text: str | bytes) -> Json:
    def refuse(name: str) -> None:
        raise ValueError(f"it holds {name} for a number")

    return json.loads(text, parse_constant=refuse)


def _check_supported(tree: Json) -> None:
    """Raise ValueError for what would change the shape or the colours and is not supported."""
    version = str(tree.get("asset", {}).get("version", "2.0"))
    if not version.startswith("2"):
        raise ValueError(f"glTF version {version} is not supported; it must be 2")
    used = {*tree.get("extensionsUsed", []), *tree.get("extensionsRequired", [])}
    for name, remedy in (
        ("KHR_draco_mesh_compression", "`gltf-transform copy` decompresses it"),
        ("EXT_meshopt_compression", "`gltf-transform copy` decompresses it"),
        ("KHR_meshopt_compression", "`gltf-transform copy` decompresses it"),
        ("EXT_mesh_gpu_instancing", "export without GPU instancing"),
    ):
        if name in used:
            raise ValueError(f"the extension {name} is not supported; {remedy}")
    for name in tree.get("extensionsRequired", []):
        if not SUPPORTED.fullmatch(name) and name not in gltf_material.IMAGE_EXTENSIONS:
            raise ValueError(f"it requires the extension {name}, which is not supported")
    for node in tree.get("nodes", []):
        if "skin" in node:
            raise ValueError("skinned meshes are not supported; apply the armature and export")
        if any(node.get("weights", [])):
            raise ValueError("morph targets are not supported; apply the shape keys and export")
    children = [child for node in tree.get("nodes", []) for child in node.get("children", [])]
    if len(children) > len(set(children)):
        raise ValueError("a node has several parents, which glTF does not allow (3.5.2)")
    for mesh in tree.get("meshes", []):
        if any(mesh.get("weights", [])):
            raise ValueError("morph targets are not supported; apply the shape keys and export")
        for primitive in mesh["primitives"]:
            _check_primitive(tree, primitive)


def _check_primitive(tree: Json, primitive: Json) -> None:
    mode = primitive.get("mode", TRIANGLES)
    if mode == TRIANGLE_FAN:
        raise ValueError("triangle fans are not supported; export triangles")
    if mode not in range(TRIANGLE_FAN):
        raise ValueError(f"a surface has the mode {mode}, which glTF does not know")
    if mode < TRIANGLES:
        warnings.warn("points and lines are left out", stacklevel=2)
    for accessor in (primitive["attributes"].get("POSITION"), primitive.get("indices")):
        if accessor is not None and not {"bufferView", "sparse"} & {*tree["accessors"][accessor]}:
            raise ValueError("a surface has vertices or triangles without data")


def _buffer(entry: Json, chunk: bytes, files: ReferencedFiles) -> bytes:
    data = read_uri(entry["uri"], files) if "uri" in entry else chunk
    if len(data) < entry["byteLength"]:
        raise ValueError(f"a buffer has {len(data)} of {entry['byteLength']} bytes")
    return data


def _one_primitive_per_mesh(tree: Json) -> tuple[list[Json], Json]:
    """Rewrite the JSON so that each surface that trimesh returns can be told by its number.

    Every primitive becomes a mesh of its own, a child of the nodes that had its mesh. Attributes
    are renamed by STORED. Names, cameras and materials, which trimesh would read, are left out.
    Returns the original primitives and the new JSON.
    """
    rewritten = copy.deepcopy(tree)
    primitives, meshes, children = [], [], []
    for mesh in rewritten.get("meshes", []):
        numbers = []
        for primitive in mesh["primitives"]:
            attributes = primitive["attributes"]
            kept = {STORED.get(name, name): index for name, index in attributes.items()}
            kept.pop("NORMAL", None)
            new = {k: primitive[k] for k in ("indices", "mode") if k in primitive}
            numbers.append(len(primitives))
            meshes.append(
                {
                    "primitives": [new | {"attributes": kept}],
                    "extras": {"primitive": len(primitives)},
                }
            )
            primitives.append(primitive)
        children.append(numbers)
    nodes = rewritten.get("nodes", [])
    _hide(nodes)
    is_child = {child for node in nodes for child in node.get("children", [])}
    roots = [k for k in range(len(nodes)) if k not in is_child]
    for node in nodes[: len(nodes)]:
        node.pop("name", None)
        node.pop("camera", None)
        if "mesh" in node:
            added = [{"mesh": number} for number in children[node.pop("mesh")]]
            node["children"] = [
                *node.get("children", []),
                *range(len(nodes), len(nodes) + len(added)),
            ]
            nodes.extend(added)
    rewritten["meshes"] = meshes
    rewritten.setdefault("accessors", [])
    rewritten["buffers"] = [
        {"uri": str(k), "byteLength": entry["byteLength"]}
        for k, entry in enumerate(tree.get("buffers", []))
    ]
    if not rewritten.get("scenes"):  # a library of objects: show all
        rewritten |= {"scenes": [{"nodes": roots}], "scene": 0}
    for key in ("materials", "textures", "images", "cameras", "animations", "extensions"):
        rewritten.pop(key, None)
    return primitives, rewritten


def _hide(nodes: list[Json]) -> None:
    """Remove the meshes of nodes that KHR_node_visibility hides, with all below them."""

    def is_hidden(node: Json) -> bool:
        return not node.get("extensions", {}).get("KHR_node_visibility", {}).get("visible", True)

    todo = [k for k, node in enumerate(nodes) if is_hidden(node)]
    while todo:
        node = nodes[todo.pop()]
        node.pop("mesh", None)
        todo += node.pop("children", [])


def _surface(
    tree: Json,
    primitive: Json,
    part: trimesh.Trimesh,
    T_world_node: np.ndarray,
    images: gltf_material.Images,
) -> Mesh | None:
    """Combine trimesh's triangles with the colours that the JSON gives them."""

    def attribute(name: str) -> np.ndarray | None:
        if name not in primitive["attributes"]:
            return None
        accessor, values = primitive["attributes"][name], part.vertex_attributes[STORED[name]]
        return _normalised(tree, accessor, values, always=name == "COLOR_0")

    vertices = np.asarray(part.vertices, float)
    vertices = _normalised(tree, primitive["attributes"]["POSITION"], vertices)
    vertices = vertices @ T_world_node[:3, :3].T + T_world_node[:3, 3]
    faces = np.asarray(part.faces)
    if np.linalg.det(T_world_node[:3, :3]) < 0:  # mirrored: keep the front sides outside (3.7.4)
        faces = faces[:, ::-1]
    material = images.material(primitive.get("material"))
    color = attribute("COLOR_0")
    if color is not None and color.max(initial=0) > MAX_COLOR:
        raise ValueError(f"its vertex colours go up to {color.max():g}; glTF's are in [0, 1]")
    if color is not None and color.shape[1] == 3:
        color = np.hstack([color, np.ones((len(color), 1))])
    texture_sets = {k: attribute(f"TEXCOORD_{k}") for k in TEXTURE_SETS}
    return make_surface(
        vertices, faces, **gltf_material.appearance(material, color, texture_sets, images)
    )


def _normalised(tree: Json, accessor: int, values: np.ndarray, always: bool = False) -> np.ndarray:
    """Normalised integers to [0, 1] or [-1, 1] (3.6.2.2); other values as they are.

    always: integers that do not say so too, as some programs write colours.
    """
    description = tree["accessors"][accessor]
    values = np.asarray(values, float)
    is_float = description["componentType"] not in INTEGER_MAX
    if is_float or not (always or description.get("normalized")):
        return values
    return np.maximum(values / INTEGER_MAX[description["componentType"]], -1.0)
