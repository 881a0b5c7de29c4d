"""Sparse accessors of glTF files (3.6.2.3), which trimesh does not read."""

import copy
from typing import Any

import numpy as np

Json = dict[str, Any]

COLUMNS = {"SCALAR": 1, "VEC2": 2, "VEC3": 3, "VEC4": 4}
DTYPES = {5120: "i1", 5121: "u1", 5122: "<i2", 5123: "<u2", 5125: "<u4", 5126: "<f4"}


def without_sparse(tree: Json, buffers: list[bytes]) -> tuple[Json, list[bytes]]:
    """Return a glTF tree and its buffers, with each sparse accessor replaced by its values."""
    if not any("sparse" in accessor for accessor in tree.get("accessors", [])):
        return tree, buffers
    tree, buffers = copy.deepcopy(tree), list(buffers)
    for accessor in tree["accessors"]:
        if "sparse" not in accessor:
            continue
        sparse, columns = accessor.pop("sparse"), COLUMNS[accessor["type"]]
        values = np.zeros((accessor["count"], columns), DTYPES[accessor["componentType"]])
        if "bufferView" in accessor:
            values[:] = _read(tree, buffers, accessor, accessor["count"], values.dtype, columns)
        count = sparse["count"]
        kind = np.dtype(DTYPES[sparse["indices"]["componentType"]])
        rows = _read(tree, buffers, sparse["indices"], count, kind, 1)[:, 0]
        values[rows] = _read(tree, buffers, sparse["values"], count, values.dtype, columns)
        view = {"buffer": len(buffers), "byteLength": values.nbytes}
        accessor |= {"bufferView": len(tree["bufferViews"]), "byteOffset": 0}
        tree["bufferViews"].append(view)
        tree["buffers"].append({"byteLength": values.nbytes})
        buffers.append(values.tobytes())
    return tree, buffers


def _read(
    tree: Json, buffers: list[bytes], at: Json, count: int, kind: np.dtype, columns: int
) -> np.ndarray:
    """Return the values (count, columns) that lie where `at` says."""
    view = tree["bufferViews"][at["bufferView"]]
    start = view.get("byteOffset", 0) + at.get("byteOffset", 0)
    stride = view.get("byteStride", kind.itemsize * columns)
    if start + (count - 1) * stride + kind.itemsize * columns > len(buffers[view["buffer"]]):
        raise ValueError("a sparse accessor goes beyond the end of its buffer")
    data = buffers[view["buffer"]]
    return np.ndarray((count, columns), kind, data, start, (stride, kind.itemsize))
