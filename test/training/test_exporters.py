"""Mesh files with what is peculiar to the programs that write them."""

import logging
import struct
import zlib

import numpy as np
import pytest

pytest.importorskip("trimesh")

from mesh_inputs import (
    GREEN,
    RED,
    SQUARE,
    SQUARE_FACES,
    SQUARE_UV,
    TEXTURED,
    UBYTE,
    USHORT,
    Gltf,
    color_of,
    colors_at_corners,
    dae,
    glb,
    obj,
    plain,
    png,
)

from training.data.load_meshes import load_meshes
from training.data.mesh import MeshError
from training.data.mesh_files.stl import HEADER_BYTES, TRIANGLE
from training.data.mesh_files.textures import decode_image

CORNERS = np.array([[255, 0, 0], [0, 255, 0], [0, 0, 255], [255, 255, 255]])


def refuses(path, reason):
    with pytest.raises(MeshError, match=reason) as error:
        load_meshes(path)
    assert str(error.value).startswith(f"{path}: ")


def corner_colors(path):
    """Colours of the square's corners, in the order of CORNERS."""
    (mesh,) = load_meshes(path)
    return colors_at_corners(mesh)[[0, 0, 0, 1], [0, 1, 2, 2]].tolist()


# ---------------------------------------------------------------- glTF


def sparse(file, values, rows, dense):
    """Make an accessor of `dense` (None: zeros) in which some rows are replaced by values."""
    accessor = file.accessor(values if dense is None else dense)
    entry = file.tree["accessors"][accessor]
    if dense is None:
        del entry["bufferView"]
    entry["sparse"] = {
        "count": len(rows),
        "indices": {"bufferView": file.view(np.array(rows, "<u2").tobytes()),
                    "componentType": USHORT},
        "values": {"bufferView": file.view(values[rows].astype("<f4").tobytes())},
    }  # fmt: skip
    return accessor


@pytest.mark.parametrize("dense", [None, SQUARE * [[1], [9], [1], [7]]])
def test_glb_sparse_positions_are_those_of_their_values(tmp_path, dense):
    file = Gltf()
    rows = [1, 3] if dense is not None else [1, 2, 3]
    primitive = {
        "attributes": {"POSITION": sparse(file, SQUARE, rows, dense)},
        "indices": file.accessor(SQUARE_FACES.ravel(), USHORT),
    }
    file.tree |= {"meshes": [{"primitives": [primitive]}], "nodes": [{"mesh": 0}]}
    (mesh,) = load_meshes(file.write(tmp_path / "a.glb"))
    (expected,) = load_meshes(glb(tmp_path / "b.glb"))
    np.testing.assert_allclose(mesh.vertices, expected.vertices, atol=1e-6)


def test_glb_sparse_shape_keys_without_weight_do_not_matter(tmp_path):
    """Blender writes them so by default."""
    file = Gltf()
    primitive = {
        "attributes": {"POSITION": file.accessor(SQUARE)},
        "indices": file.accessor(SQUARE_FACES.ravel(), USHORT),
        "targets": [{"POSITION": sparse(file, SQUARE, [2], None)}],
    }
    file.tree |= {"meshes": [{"primitives": [primitive], "weights": [0.0]}], "nodes": [{"mesh": 0}]}
    (mesh,) = load_meshes(file.write(tmp_path / "a.glb"))
    assert len(mesh.faces) == 2


def test_glb_sparse_accessor_that_is_cut_off_is_refused(tmp_path):
    file = Gltf()
    primitive = {"attributes": {"POSITION": sparse(file, SQUARE, [1], SQUARE)}}
    file.tree["accessors"][0]["sparse"]["count"] = 1000
    file.tree |= {"meshes": [{"primitives": [primitive]}], "nodes": [{"mesh": 0}]}
    refuses(file.write(tmp_path / "a.glb"), "a sparse accessor goes beyond the end")


def test_glb_vertex_colors_that_vary_multiply_a_texture(tmp_path):
    picture = png(plain((255, 128, 64)))
    path = glb(tmp_path / "a.glb", TEXTURED, picture, SQUARE_UV, (CORNERS, UBYTE, True))
    assert corner_colors(path) == [[255, 0, 0], [0, 128, 0], [0, 0, 64], [255, 128, 64]]


def test_glb_vertex_colors_in_0_to_255_are_refused(tmp_path):
    refuses(glb(tmp_path / "a.glb", color=CORNERS.astype(float)), "colours go up to 255")
    assert color_of(glb(tmp_path / "b.glb", color=np.full((4, 3), 1.5))) == (255, 255, 255)


@pytest.mark.parametrize(
    "data, name",
    [
        (b"\xabKTX 20\xbb\r\n\x1a\n", "KTX"),
        (b"v/1\x01", "OpenEXR"),
        (b"#?RADIANCE\n", "Radiance HDR"),
        (b"8BPS", "Photoshop"),
    ],
)
def test_texture_of_an_unsupported_format_is_named_with_a_remedy(tmp_path, data, name):
    path = glb(tmp_path / "a.glb", TEXTURED, data + bytes(64), SQUARE_UV)
    refuses(path, rf"{name} images are not supported; convert it to PNG")


def test_texture_of_16384_texels_a_side_is_not_refused_for_its_size():
    """Its header alone: all of it would be much memory for a test."""
    size = b"IHDR" + struct.pack(">IIBBBBB", 16384, 16384, 8, 2, 0, 0, 0)
    header = b"\x89PNG\r\n\x1a\n\0\0\0\x0d" + size + struct.pack(">I", zlib.crc32(size))
    header += struct.pack(">I4sI", 0, b"IDAT", zlib.crc32(b"IDAT"))
    with pytest.raises(ValueError, match="cannot be read") as error:
        decode_image(header)
    assert "exceeds limit" not in str(error.value)


def test_glb_avif_texture_is_read(tmp_path):
    tree = {
        "extensionsRequired": ["EXT_texture_avif"],
        "textures": [{"extensions": {"EXT_texture_avif": {"source": 0}}}],
    }
    picture = png(plain(RED, 16), "AVIF", quality=100)
    (mesh,) = load_meshes(glb(tmp_path / "a.glb", TEXTURED, picture, SQUARE_UV, **tree))
    assert (np.abs(mesh.texture.astype(int) - RED) < 6).all()


# ---------------------------------------------------------------- OBJ


def test_obj_map_d_of_the_same_image_means_its_alpha(tmp_path):
    """Blender and others name the colour texture there; without alpha, all of it is opaque."""
    (tmp_path / "dark.png").write_bytes(png(plain((90, 20, 20))))
    path = obj(tmp_path / "a.obj", "map_Kd dark.png\nmap_d dark.png")
    assert color_of(path) == (90, 20, 20)


def test_obj_map_d_of_another_size_is_resized(tmp_path):
    (tmp_path / "red.png").write_bytes(png(plain(RED, 8)))
    mask = np.full((32, 32), 255, np.uint8)
    mask[:, :16] = 0
    (tmp_path / "mask.png").write_bytes(png(mask))
    (mesh,) = load_meshes(obj(tmp_path / "a.obj", "map_Kd red.png\nmap_d mask.png"))
    assert mesh.texture.shape == (8, 8, 4)
    assert (mesh.texture[:, :3, 3] == 0).all() and (mesh.texture[:, 5:, 3] == 255).all()


def test_obj_ambient_color_counts_if_there_is_no_diffuse_one(tmp_path):
    assert color_of(obj(tmp_path / "a.obj", "Ka 1 0 0.2")) == (255, 0, 51)
    assert color_of(obj(tmp_path / "b.obj", "Ka 1 0 0.2\nKd 0 1 0")) == (0, 255, 0)


def test_obj_texture_of_a_gazebo_model_is_found(tmp_path):
    """Google Scanned Objects name texture.png, which lies in materials/textures."""
    for folder in ("meshes", "materials/textures"):
        (tmp_path / folder).mkdir(parents=True)
    path = obj(tmp_path / "meshes/model.obj", "map_Kd texture.png")
    refuses(path, r"texture texture\.png is not there")
    (tmp_path / "materials/textures/texture.png").write_bytes(png(plain(RED)))
    assert color_of(path) == RED
    (tmp_path / "meshes/texture.png").write_bytes(png(plain(GREEN)))
    assert color_of(path) == GREEN  # beside it comes first


@pytest.mark.parametrize("mtl", [None, "Ns 10"])
def test_obj_without_a_color_is_grey_and_logged(tmp_path, caplog, mtl):
    with caplog.at_level(logging.WARNING):
        assert color_of(obj(tmp_path / "a.obj", mtl)) == (180, 180, 180)
    assert "a.obj: surfaces to which the file gives no colour are drawn grey" in caplog.text


# ---------------------------------------------------------------- MeshLab


def ply(path, vertex="", values=("",) * 4, faces="", of_faces=("",) * 2, head=b""):
    """Write the square; values, of_faces: what stands behind the vertices and the faces."""
    text = b"ply\nformat ascii 1.0\n" + head
    text += b"element vertex 4\nproperty float x\nproperty float y\nproperty float z\n"
    text += vertex.encode() + b"element face 2\nproperty list uchar int vertex_indices\n"
    text += faces.encode() + b"end_header\n"
    rows = ["{} {} {} ".format(*p) + v for p, v in zip(SQUARE, values, strict=True)]
    rows += ["3 {} {} {} ".format(*f) + v for f, v in zip(SQUARE_FACES, of_faces, strict=True)]
    path.write_bytes(text + "".join(f"{row}\n" for row in rows).encode())
    return path


RGB = "".join(f"property uchar {name}\n" for name in ("red", "green", "blue"))


def test_ply_colors_of_wedges_are_kept(tmp_path):
    wedges = [
        "9 " + " ".join(map(str, (CORNERS[face] / 255).ravel().tolist())) for face in SQUARE_FACES
    ]
    path = ply(tmp_path / "a.ply", faces="property list uchar float color\n", of_faces=wedges)
    assert corner_colors(path) == CORNERS.tolist()


def test_colors_of_vertices_count_beside_faces_of_one_color(tmp_path):
    rows = [" ".join(map(str, row)) for row in CORNERS]
    path = ply(tmp_path / "a.ply", RGB, rows, RGB, ["255 255 255"] * 2)
    assert corner_colors(path) == CORNERS.tolist()
    path = ply(tmp_path / "b.ply", RGB, rows, RGB, ["255 0 0", "0 0 255"])
    assert corner_colors(path) == [[255, 0, 0]] * 3 + [[0, 0, 255]]


@pytest.mark.parametrize("encoding", ["utf-8", "latin-1"])
def test_ply_with_a_texture_name_beyond_ascii_is_read(tmp_path, encoding):
    (tmp_path / "täxture.png").write_bytes(png(plain(RED)))
    head = "comment gemäß MeshLab\ncomment TextureFile täxture.png\n".encode(encoding)
    uv = [" ".join(map(str, row)) for row in SQUARE_UV]
    path = ply(tmp_path / "a.ply", "property float s\nproperty float t\n", uv, head=head)
    assert color_of(path) == RED


def test_ply_with_materials_is_refused(tmp_path):
    path = ply(tmp_path / "a.ply")
    text = path.read_text().replace("end_header", "element material 1\nproperty int k\nend_header")
    path.write_text(f"{text}7\n")
    refuses(path, "element material is not supported")


@pytest.mark.parametrize(
    "attribute, expected",
    [(0x8000 | 31, (255, 0, 0)), (0xFFFF, (255, 255, 255)), (0, (127, 127, 127))],
)
def test_stl_of_meshlab_marks_colors_the_other_way_round(tmp_path, attribute, expected):
    triangles = np.zeros(2, TRIANGLE)
    triangles["vertices"], triangles["attribute"] = SQUARE[SQUARE_FACES], attribute
    header = b"COLOR=\x7f\x7f\x7f MATERIAL=\x7f\x7f\x7f \x7f\x7f\x7f \x7f\x7f\x7f "
    header = header.ljust(HEADER_BYTES)
    (tmp_path / "a.stl").write_bytes(header + b"\2\0\0\0" + triangles.tobytes())
    assert color_of(tmp_path / "a.stl") == expected


def test_stl_with_a_color_of_the_object_alone_has_it(tmp_path):
    triangles = np.zeros(2, TRIANGLE)
    triangles["vertices"] = SQUARE[SQUARE_FACES]
    header = b"COLOR=\xc8\x14\x14\xff".ljust(HEADER_BYTES)
    (tmp_path / "a.stl").write_bytes(header + b"\2\0\0\0" + triangles.tobytes())
    assert color_of(tmp_path / "a.stl") == (200, 20, 20)


@pytest.mark.parametrize(
    "header, row, face",
    [
        ("NCOFF", "255 0 51 255 0 0 1.57", ""),
        ("CNOFF", "0 0 1.57 255 0 51 255", ""),
        ("NOFF", "0 0 1.57", "255 0 51"),
        ("NCSTOFF", "255 0 51 0 0 1.57 0.5 0.5", ""),
        ("STCNOFF", "0 0 1.57 255 0 51 0.5 0.5", ""),
        ("COFF", "255 0 51 255", ""),
        ("COFF", "1.0 0.0 0.2 1.0", ""),
        ("OFF # a square", "", "1.0 0.0 0.2"),
        ("off", "", "255 0 51"),
    ],
)
def test_off_with_colors_and_normals_in_either_order_is_read(tmp_path, header, row, face):
    rows = "".join("{} {} {} {}\n".format(*p, row) for p in SQUARE)
    (tmp_path / "a.off").write_text(f"{header}\n4 1 0\n{rows}4 0 1 2 3 {face}\n")
    assert color_of(tmp_path / "a.off") == (255, 0, 51)


def test_off_colors_below_0_are_refused(tmp_path):
    rows = "".join("{} {} {} 0 -1 0\n".format(*p) for p in SQUARE)
    (tmp_path / "a.off").write_text(f"COFF\n4 1 0\n{rows}4 0 1 2 3\n")
    refuses(tmp_path / "a.off", "colours below 0")


# ---------------------------------------------------------------- COLLADA


def test_dae_with_holes_or_skew_is_refused_by_name(tmp_path):
    holes = (
        "<polygons count='1'>{inputs}<ph><p>0 0 1 1 2 2 3 3</p><h>0 0 1 1 2 2</h></ph></polygons>"
    )
    refuses(dae(tmp_path / "a.dae", primitive=holes), "polygons with holes are not supported")
    path = dae(tmp_path / "b.dae")
    path.write_text(
        path.read_text().replace(
            "<instance_geometry", "<skew>45 0 1 0 1 0 0</skew><instance_geometry"
        )
    )
    refuses(path, "<skew> are not supported")


def test_dae_opacity_in_another_image_is_logged(tmp_path, caplog):
    (tmp_path / "red.png").write_bytes(png(plain(RED)))
    path = dae(tmp_path / "a.dae", effect='<texture texture="samp" texcoord="UV"/>')
    text = path.read_text().replace(
        "<library_images>",
        '<library_images><image id="mask"><init_from>mask.png</init_from></image>',
    )
    text = text.replace(
        "</diffuse>",
        '</diffuse><transparent><texture texture="mask" texcoord="UV"/></transparent>',
    )
    path.write_text(text)
    with caplog.at_level(logging.WARNING):
        assert color_of(path) == RED
    assert "a.dae: opacity in an image of its own is left out" in caplog.text
