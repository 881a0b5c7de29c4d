"""Colour, texture, orientation and shape in a mesh file are honoured, or the file is refused."""

import numpy as np
import pytest

pytest.importorskip("trimesh")

from mesh_inputs import (
    FLOAT,
    GREEN,
    RED,
    SHORT,
    SQUARE,
    SQUARE_FACES,
    SQUARE_UV,
    TEXTURED,
    UBYTE,
    USHORT,
    Gltf,
    color_of,
    dae,
    glb,
    obj,
    plain,
    png,
)
from PIL import Image

from training.data.load_meshes import changed_since, find_mesh_files, load_meshes
from training.data.mesh import MeshError

LINEAR_128 = 0.21586  # sRGB 128


def factor(*rgba, **more):
    return {"pbrMetallicRoughness": {"baseColorFactor": list(rgba)}, **more}


def area(meshes):
    a, b, c = np.moveaxis(np.concatenate([m.vertices[m.faces] for m in meshes]), 1, 0)
    return np.linalg.norm(np.cross(b - a, c - a), axis=-1).sum() / 2


def extent(meshes):
    return np.ptp(np.concatenate([mesh.vertices for mesh in meshes]), axis=0)


# ---------------------------------------------------------------- glTF: colour


@pytest.mark.parametrize(
    "material, expected",
    [
        (None, (255, 255, 255)),
        ({}, (255, 255, 255)),
        ({"pbrMetallicRoughness": {"metallicFactor": 0}}, (255, 255, 255)),
        (factor(LINEAR_128, LINEAR_128, LINEAR_128, 1), (128, 128, 128)),
        (factor(1, 0, LINEAR_128, 1), (255, 0, 128)),
        ({"emissiveFactor": [0, LINEAR_128, 0]} | factor(0, 0, 0, 1), (0, 128, 0)),
        (
            {
                "extensions": {
                    "KHR_materials_pbrSpecularGlossiness": {"diffuseFactor": [1, 0, 0, 1]}
                }
            },
            (255, 0, 0),
        ),
        ({"extensions": {"KHR_materials_unlit": {}}} | factor(0, 1, 0, 1), (0, 255, 0)),
    ],
)
def test_glb_base_color_is_converted_to_srgb(tmp_path, material, expected):
    assert color_of(glb(tmp_path / "a.glb", material)) == expected


@pytest.mark.parametrize("kind, scale", [(FLOAT, 1), (UBYTE, 255), (USHORT, 65535)])
@pytest.mark.parametrize("channels", [3, 4])
def test_glb_vertex_colors_multiply_the_base_color(tmp_path, kind, scale, channels):
    values = np.tile([LINEAR_128, 1, 0, 1][:channels], (4, 1)) * scale
    color = (values if kind == FLOAT else np.round(values), kind, kind != FLOAT)
    assert color_of(glb(tmp_path / "a.glb", None, color=color)) == (128, 255, 0)
    assert color_of(glb(tmp_path / "b.glb", {"name": "white"}, color=color)) == (128, 255, 0)
    tinted = color_of(glb(tmp_path / "c.glb", factor(1, LINEAR_128, 1, 1), color=color))
    assert tinted == (128, 128, 0)


def test_glb_texture_is_multiplied_in_linear_light(tmp_path):
    material = {"pbrMetallicRoughness": {"baseColorTexture": {"index": 0},
                                         "baseColorFactor": [LINEAR_128, 1, 1, 1]}}  # fmt: skip
    path = glb(tmp_path / "a.glb", material, png(plain((255, 128, 0))), SQUARE_UV)
    assert color_of(path) == (128, 128, 0)


def test_glb_vertex_colors_multiply_a_texture(tmp_path):
    color = np.tile([LINEAR_128, 1, 1], (4, 1))
    path = glb(tmp_path / "a.glb", TEXTURED, png(plain((255, 200, 0))), SQUARE_UV, color)
    assert color_of(path) == (128, 200, 0)


def test_glb_emissive_texture_is_added(tmp_path):
    material = {"emissiveTexture": {"index": 0}, "emissiveFactor": [1, 1, 1]}
    path = glb(tmp_path / "a.glb", material | factor(0, 0, 0, 1), png(plain(RED)), SQUARE_UV)
    assert color_of(path) == RED


@pytest.mark.parametrize("kind, scale", [(FLOAT, 1), (UBYTE, 255), (USHORT, 65535)])
def test_glb_normalised_integer_uv_equal_floats(tmp_path, kind, scale):
    picture = plain(GREEN, 16)
    picture[:8, :8] = RED  # upper left quarter: u, v < 0.5, as glTF counts v from the top
    uv = 0.05 + 0.4 * SQUARE_UV
    values = (np.round(uv * scale) if kind != FLOAT else uv, kind, kind != FLOAT)
    assert color_of(glb(tmp_path / "a.glb", TEXTURED, png(picture), values)) == RED


@pytest.mark.parametrize(
    "transform",
    [
        {"offset": [0.5, 0], "scale": [0.5, 0.5]},
        {"offset": [0.5, 0.5], "scale": [0.5, 0.5], "rotation": np.pi / 2},
        {"texCoord": 1},
    ],
)
def test_glb_texture_transform_and_second_uv_set_are_applied(tmp_path, transform):
    picture = plain(GREEN, 16)
    picture[:8, 8:] = RED  # the upper right quarter
    file = Gltf()
    second = np.array([0.5, 0]) + 0.5 * SQUARE_UV
    attributes = {"POSITION": file.accessor(SQUARE), "TEXCOORD_0": file.accessor(SQUARE_UV),
                  "TEXCOORD_1": file.accessor(second)}  # fmt: skip
    info = {"index": 0, "extensions": {"KHR_texture_transform": transform}}
    file.tree |= {
        "extensionsRequired": ["KHR_texture_transform"],
        "materials": [{"pbrMetallicRoughness": {"baseColorTexture": info}}],
        "textures": [{"source": file.image(png(picture))}],
        "meshes": [{"primitives": [{"attributes": attributes, "material": 0,
                    "indices": file.accessor(SQUARE_FACES.ravel(), USHORT)}]}],
        "nodes": [{"mesh": 0}],
        "scenes": [{"nodes": [0]}],
    }  # fmt: skip
    assert color_of(file.write(tmp_path / "a.glb")) == RED


def test_glb_mirrored_texture_is_mirrored(tmp_path):
    picture = np.concatenate([plain(GREEN)[:, :4], plain(RED)[:, :4]], axis=1)  # right half red
    uv = np.array([[1, 0], [1.5, 0], [1.5, 1], [1, 1]])  # mirrored: the right half again
    path = glb(tmp_path / "a.glb", TEXTURED, png(picture), uv, samplers=[{"wrapS": 33648}],
               textures=[{"source": 0, "sampler": 0}])  # fmt: skip
    assert color_of(path) == RED


def test_glb_surface_cut_out_by_alpha_is_left_out(tmp_path):
    """The left triangle pair is opaque, the right one is masked away."""
    vertices = np.concatenate([SQUARE, SQUARE + np.array([2, 0, 0])])
    faces = np.concatenate([SQUARE_FACES, SQUARE_FACES + 4])
    color = np.concatenate([np.tile([1, 0, 0, 1], (4, 1)), np.tile([1, 0, 0, 0.2], (4, 1))])
    opaque = glb(tmp_path / "a.glb", {}, color=color, vertices=vertices, faces=faces)
    masked = glb(
        tmp_path / "b.glb", {"alphaMode": "MASK"}, color=color, vertices=vertices, faces=faces
    )
    assert sum(len(mesh.faces) for mesh in load_meshes(opaque)) == 4
    assert sum(len(mesh.faces) for mesh in load_meshes(masked)) == 2


def test_glb_texture_keeps_alpha_only_if_some_of_it_is_left_out(tmp_path):
    picture = np.dstack([plain(RED), np.full((8, 8), 255)])
    opaque = glb(tmp_path / "a.glb", TEXTURED | {"alphaMode": "MASK"}, png(picture), SQUARE_UV)
    assert load_meshes(opaque)[0].texture.shape[2] == 3
    picture[:4, :, 3] = 0
    holes = glb(tmp_path / "b.glb", TEXTURED | {"alphaMode": "MASK"}, png(picture), SQUARE_UV)
    assert load_meshes(holes)[0].texture.shape[2] == 4
    ignored = glb(tmp_path / "c.glb", TEXTURED, png(picture), SQUARE_UV)
    assert load_meshes(ignored)[0].texture.shape[2] == 3
    outside = glb(tmp_path / "d.glb", TEXTURED | {"alphaMode": "MASK"}, png(picture), SQUARE_UV / 4)
    with pytest.raises(MeshError, match="all of it is transparent"):  # v < 0.25 is all cut out
        load_meshes(outside)


def test_glb_of_glass_alone_is_refused(tmp_path):
    glass = {"extensions": {"KHR_materials_transmission": {"transmissionFactor": 1}}}
    with pytest.raises(MeshError, match="all of it is transparent"):
        load_meshes(glb(tmp_path / "a.glb", glass))


def test_glb_half_transparent_surface_is_drawn_opaque_and_logged(tmp_path, caplog):
    path = glb(tmp_path / "a.glb", factor(1, 0, 0, 0.7, alphaMode="BLEND"))
    assert color_of(path) == (255, 0, 0)
    assert "a.glb: half-transparent surfaces are drawn opaque" in caplog.text


# ---------------------------------------------------------------- glTF: shape


def test_glb_without_indices_and_strips_are_read(tmp_path):
    for mode, vertices in ((4, SQUARE[[0, 1, 2, 0, 2, 3]]), (5, SQUARE[[0, 1, 3, 2]])):
        file = Gltf()
        primitive = {"attributes": {"POSITION": file.accessor(vertices)}, "mode": mode}
        file.tree |= {"meshes": [{"primitives": [primitive]}], "nodes": [{"mesh": 0}]}
        meshes = load_meshes(file.write(tmp_path / f"{mode}.gltf"))  # and without scenes
        assert area(meshes) == pytest.approx(0.5)  # a square with diagonal 1


def test_glb_quantised_positions_are_scaled_to_their_range(tmp_path):
    """Two squares: one in floats, one in normalised shorts, in the same place."""
    file = Gltf(extensionsRequired=["KHR_mesh_quantization"])
    meshes = [
        {"primitives": [{"attributes": {"POSITION": file.accessor(*position)},
                         "indices": file.accessor(SQUARE_FACES.ravel(), USHORT)}]}
        for position in ((SQUARE,), (np.round(SQUARE * 32767), SHORT, True))
    ]  # fmt: skip
    file.tree |= {"meshes": meshes, "nodes": [{"mesh": 0}, {"mesh": 1}]}
    floats, integers = load_meshes(file.write(tmp_path / "a.glb"))
    np.testing.assert_allclose(floats.vertices, integers.vertices, atol=1e-4)


def test_glb_node_transforms_instances_and_mirroring_are_applied(tmp_path):
    """One mesh, three nodes: as it is, moved under a scaled parent, and mirrored."""
    file = Gltf()
    triangle = {"attributes": {"POSITION": file.accessor(SQUARE[:3])}}
    file.tree |= {
        "meshes": [{"primitives": [triangle]}],
        "nodes": [
            {"mesh": 0, "name": "world"},
            {"children": [2], "scale": [2, 2, 2]},
            {"mesh": 0, "translation": [2, 0, 0], "name": "world"},
            {"mesh": 0, "matrix": [-1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0, -3, 0, 0, 1]},
        ],
        "scenes": [{"nodes": [0]}, {"nodes": [0, 1, 3]}],
        "scene": 1,
    }
    meshes = load_meshes(file.write(tmp_path / "a.glb"))
    spans = sorted((mesh.vertices[:, 0].max(), mesh.vertices[:, 0].min()) for mesh in meshes)
    scale = np.hypot(10, 2)  # from x = -4 to 6, y = 0 to 2
    expected = [(4, 3), (0, -1), (-4, -6)]  # x is turned around: y up, front z
    ends = np.array(spans[::-1]) * scale - 1
    np.testing.assert_allclose(ends, expected, atol=1e-6)
    normals = [np.cross(*np.diff(mesh.vertices[mesh.faces[0]], axis=0)) for mesh in meshes]
    assert all(normal[1] > 0 for normal in normals)  # all fronts face z, which becomes y


def test_glb_is_y_up_whatever_up_says(tmp_path):
    bottle = SQUARE * [0.2, 3, 1]
    for up in ("y", "z"):
        meshes = load_meshes(glb(tmp_path / "a.glb", vertices=bottle), up=up)
        assert extent(meshes).argmax() == 2


@pytest.mark.parametrize(
    "change, reason",
    [
        ({"extensionsRequired": ["KHR_draco_mesh_compression"]}, "KHR_draco_mesh_compression"),
        ({"extensionsUsed": ["EXT_meshopt_compression"]}, "EXT_meshopt_compression"),
        ({"extensionsUsed": ["EXT_mesh_gpu_instancing"]}, "EXT_mesh_gpu_instancing"),
        ({"extensionsRequired": ["ACME_colours"]}, "ACME_colours"),
        ({"asset": {"version": "1.0"}}, "version 1.0"),
        ({"node": {"skin": 0}}, "skinned"),
        ({"node": {"weights": [0.5]}}, "morph targets"),
    ],
)
def test_glb_with_unsupported_geometry_is_refused(tmp_path, change, reason):
    path = glb(tmp_path / "a.glb", **change)
    with pytest.raises(MeshError, match=reason) as error:
        load_meshes(path)
    assert str(error.value).startswith(str(path))


def test_glb_with_triangle_fan_is_refused(tmp_path):
    file = Gltf()
    primitive = {"attributes": {"POSITION": file.accessor(SQUARE)}, "mode": 6}
    file.tree |= {"meshes": [{"primitives": [primitive]}], "nodes": [{"mesh": 0}]}
    with pytest.raises(MeshError, match="triangle fans are not supported"):
        load_meshes(file.write(tmp_path / "a.glb"))


def test_glb_cut_off_is_refused(tmp_path):
    path = glb(tmp_path / "a.glb")
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(MeshError, match="cut off"):
        load_meshes(path)


def test_gltf_texture_file_is_found_or_named(tmp_path):
    (tmp_path / "My Textures").mkdir()
    (tmp_path / "My Textures" / "Red.png").write_bytes(png(plain(RED)))
    for uri in ("My%20Textures/Red.png", "my textures\\red.PNG", "./My Textures/Red.png"):
        path = glb(tmp_path / "a.glb", TEXTURED, None, SQUARE_UV,
                   images=[{"uri": uri}], textures=[{"source": 0}])  # fmt: skip
        assert color_of(path) == RED
    path = glb(tmp_path / "b.glb", TEXTURED, None, SQUARE_UV,
               images=[{"uri": "gone.png"}], textures=[{"source": 0}])  # fmt: skip
    with pytest.raises(MeshError, match=r"b\.glb: texture gone\.png is not there"):
        load_meshes(path)
    assert color_of(path, allow_missing_textures=True) == (255, 255, 255)


# ---------------------------------------------------------------- textures


def palette_image():
    return Image.fromarray(plain(RED)).convert("P", palette=Image.Palette.ADAPTIVE)


@pytest.mark.parametrize(
    "data, expected",
    [
        (png(np.full((4, 4), 128)), (128, 128, 128)),
        (png(Image.fromarray(np.full((4, 4), 128 * 257, np.uint16))), (128, 128, 128)),
        (png(palette_image()), RED),
        (png(Image.new("1", (4, 4), 1)), (255, 255, 255)),
        (png(Image.new("LA", (4, 4), (128, 0))), (128, 128, 128)),
        (png(Image.new("CMYK", (8, 8), (0, 255, 255, 0)), "JPEG", quality=100), (255, 0, 0)),
        (png(Image.new("RGB", (4, 4), RED), "BMP"), RED),
        (png(Image.new("RGB", (4, 4), RED), "WEBP", lossless=True), RED),
        (png(Image.new("RGB", (4, 4), RED), "TGA"), RED),
        (png(Image.new("RGBA", (4, 4), (*RED, 255)), "DDS"), RED),
    ],
    ids=["grey", "grey 16 bit", "palette", "1 bit", "grey alpha", "CMYK", "BMP", "WebP", "TGA",
         "DDS"],
)  # fmt: skip
def test_texture_of_any_kind_is_converted_to_rgb(tmp_path, data, expected):
    (tmp_path / "picture").write_bytes(data)
    assert color_of(obj(tmp_path / "a.obj", "map_Kd picture")) == expected


@pytest.mark.parametrize("data", [b"", b"DDS " + bytes(200), png(plain(RED, 64))[:120]])
def test_broken_texture_is_refused(tmp_path, data):
    (tmp_path / "red.png").write_bytes(data)
    with pytest.raises(MeshError, match=r"texture red\.png cannot be read"):
        load_meshes(obj(tmp_path / "a.obj", "Kd 0 1 0\nmap_Kd red.png"))
    assert color_of(tmp_path / "a.obj", allow_missing_textures=True) == (0, 255, 0)


# ---------------------------------------------------------------- OBJ


@pytest.mark.parametrize(
    "line",
    [
        "map_Kd textures\\red.png",
        "map_Kd .\\Textures\\RED.png",
        "map_kd Textures/Red.PNG",
        'map_Kd "textures/red.png"',
        "map_Kd -s 1 1 1 -o 0 0 0 textures/red.png",
        "map_Kd -blendu on -clamp off -bm 0.5 textures/red.png",
        "map_Kd my red.png",
        "\tmap_Kd\tmy red.png\r",
        "Kd 0 0 0\nmap_Kd my red.png",
        "map_Ka my red.png",
        "map_Kd my red.png # the label",
    ],
)
def test_obj_texture_is_found_if_case_or_slash_differ(tmp_path, line):
    (tmp_path / "textures").mkdir()
    for name in ("textures/red.png", "my red.png"):
        (tmp_path / name).write_bytes(png(plain(RED)))
    assert color_of(obj(tmp_path / "a.obj", f"Kd 0.8 0.8 0.8\n{line}")) == RED


@pytest.mark.parametrize(
    "name", ["gone.png", "C:\\Users\\me\\red.png", "/nowhere/red.png", "red.jpg"]
)
def test_obj_texture_elsewhere_is_refused_by_name(tmp_path, name):
    (tmp_path / "red.png").write_bytes(png(plain(RED)))
    path = obj(tmp_path / "a.obj", f"Kd 0 0 1\nmap_Kd {name}")
    with pytest.raises(MeshError) as error:
        load_meshes(path)
    assert name in str(error.value) and str(path) in str(error.value)
    assert color_of(path, allow_missing_textures=True) == (0, 0, 255)


@pytest.mark.parametrize(
    "head, material, reason",
    [
        ("mtllib gone.mtl\n", "m", "material m: gone.mtl is not there"),
        ("mtllib ./gone.mtl\n", "m", "material m: ./gone.mtl is not there"),
        ("mtllib b.mtl\n", "other", "material other: it is not in b.mtl"),
    ],
)
def test_obj_material_that_is_not_there_is_refused_by_name(tmp_path, head, material, reason):
    (tmp_path / "b.mtl").write_text("newmtl m\nKd 1 0 0\n")
    path = obj(tmp_path / "a.obj", head=head, material=material)
    with pytest.raises(MeshError, match=reason):
        load_meshes(path)
    assert color_of(path, allow_missing_textures=True) == (180, 180, 180)


def test_obj_materials_in_several_files_are_found(tmp_path):
    (tmp_path / "a b.mtl").write_text("newmtl first\nKd 0 1 0\n")
    (tmp_path / "C.mtl").write_bytes("newmtl m\nKd 1 0 0\n".encode("utf-16"))
    for head in ("mtllib a b.mtl\nmtllib c.mtl\n", "mtllib C.mtl x.mtl\n"):
        assert color_of(obj(tmp_path / "a.obj", head=head)) == (255, 0, 0)


def test_obj_texture_beside_its_mtl_file_is_found(tmp_path):
    (tmp_path / "library").mkdir()
    (tmp_path / "library/b.mtl").write_text("newmtl m\nmap_Kd red.png\n")
    path = obj(tmp_path / "a.obj", head="mtllib library\\b.mtl\n")
    record = tmp_path / "record.json"
    load_meshes(path, allow_missing_textures=True, record_path=record)
    (tmp_path / "library/red.png").write_bytes(png(plain(RED)))
    assert changed_since(path, record) == "library/red.png"
    assert color_of(path) == RED


def test_obj_texture_scale_and_offset_are_applied(tmp_path):
    picture = plain(GREEN, 16)
    picture[:8, 8:] = RED  # upper right: u, v > 0.5
    (tmp_path / "p.png").write_bytes(png(picture))
    assert color_of(obj(tmp_path / "a.obj", "map_Kd -s .5 .5 -o .5 .5 p.png")) == RED


def test_obj_clamped_texture_repeats_its_border(tmp_path):
    picture = plain(RED)
    picture[:, -1] = picture[0] = GREEN  # the right column and the upper row
    (tmp_path / "p.png").write_bytes(png(picture))
    for offset in ("1.1 0", "0 1.1"):
        path = obj(tmp_path / "a.obj", f"map_Kd -o {offset} -s 2 2 -clamp on p.png")
        assert color_of(path) == GREEN
    with pytest.raises(MeshError, match="clamped"):
        load_meshes(obj(tmp_path / "b.obj", "map_Kd -s 1e9 1 -clamp on p.png"))


def test_obj_faces_without_texture_coordinates_are_refused(tmp_path):
    (tmp_path / "p.png").write_bytes(png(plain(RED)))
    path = obj(tmp_path / "a.obj", "map_Kd p.png", faces="f 1/1 2/2 3/3\nf 1 3 4")
    with pytest.raises(MeshError, match=r"p\.png: some of its faces have no texture coordinates"):
        load_meshes(path)


@pytest.mark.parametrize("scale", [1, 255])
def test_obj_vertex_colors_are_kept_with_and_without_a_material(tmp_path, scale):
    rows = "".join("v {} {} {} {} 0 {}\n".format(*p, scale, scale * 0.2) for p in SQUARE)
    assert color_of(obj(tmp_path / "a.obj", vertices=rows)) == (255, 0, 51)
    grey = obj(tmp_path / "b.obj", "Kd 0.8 0.8 0.8", vertices=rows)
    assert color_of(grey) == (255, 0, 51)
    tinted = obj(tmp_path / "c.obj", "Kd 0.5 1 1", vertices=rows)
    assert color_of(tinted) == (128, 0, 51)


def test_obj_negative_indices_count_from_their_line(tmp_path):
    """Two squares one after the other, the second beside the first."""
    square = "v 0 0 0\nv 1 0 0\nv 1 1 0\nv 0 1 0\nf -4 -3 -2 -1\n"
    (tmp_path / "a.obj").write_text(square + square.replace("v 0", "v 3").replace("v 1", "v 4"))
    meshes = load_meshes(tmp_path / "a.obj")
    assert area(meshes) == pytest.approx(2 / 17)  # of a box 4 x 1
    np.testing.assert_allclose(extent(meshes) * np.sqrt(17), [4, 1, 0])


def test_concave_polygons_keep_their_shape(tmp_path):
    """An L of area 3 in a 2 x 2 square; a fan from its first corner would cover more."""
    corners = [(2, 1), (2, 2), (0, 2), (0, 0), (1, 0), (1, 1)]
    rows = "".join(f"v {x} 0 {y}\n" for x, y in corners)
    for name, order in (("a", range(1, 7)), ("b", range(6, 0, -1))):
        (tmp_path / f"{name}.obj").write_text(rows + f"f {' '.join(map(str, order))}\n")
        assert area(load_meshes(tmp_path / f"{name}.obj")) == pytest.approx(3 / 8)
    faces = f"OFF\n6 1 0\n{rows.replace('v ', '')}6 0 1 2 3 4 5\n"
    (tmp_path / "c.off").write_text(faces)
    assert area(load_meshes(tmp_path / "c.off")) == pytest.approx(3 / 8)


def test_obj_continued_lines_and_comments_are_read(tmp_path):
    (tmp_path / "a.obj").write_bytes(
        b"\xef\xbb\xbf# caf\xe9\r\nv 0 0 0 # origin\r\nv 1 0 0\r\nv 1 1 0\r\nf 1 2 \\\r\n 3\r\n"
    )
    assert len(load_meshes(tmp_path / "a.obj")[0].faces) == 1


@pytest.mark.parametrize(
    "text, reason",
    [
        ("v 0 0 0\nv 1 0 0\nv 1 1 x\nf 1 2 3\n", "line 3 cannot be understood"),
        ("v 0 0 0\nv 1 0 0\nv 1 1 0\nf 1 2 a\n", "line 4 cannot be understood"),
        ("v 0 0 0\nv 1 0 0\nv 1 1 0\nf 1 2 7\n", "vertices that it does not have"),
        ("v 0 0 0\nv 1 0 0 1 0 0\nv 1 1 0\nf 1 2 3\n", "some of its vertices have colours"),
        ("v 0 0 0\nsurf 0 1 0 1 1\n", "free-form"),
    ],
)
def test_obj_with_bad_lines_is_refused(tmp_path, text, reason):
    (tmp_path / "a.obj").write_text(text)
    with pytest.raises(MeshError, match=reason):
        load_meshes(tmp_path / "a.obj")


# ---------------------------------------------------------------- COLLADA


@pytest.mark.parametrize("up, axis", [("X_UP", 0), ("Y_UP", 1), ("Z_UP", 2), ("\n Z_UP ", 2)])
def test_dae_says_which_axis_is_up(tmp_path, up, axis):
    bottle = np.zeros((4, 3))
    bottle[:, axis], bottle[:, (axis + 1) % 3] = 3 * SQUARE[:, 0], SQUARE[:, 1]
    meshes = load_meshes(dae(tmp_path / "a.dae", up, vertices=bottle), up="y")
    assert extent(meshes).argmax() == 2


DAE_TEXTURE = '<texture texture="samp" texcoord="UV"/>'


@pytest.mark.parametrize("bind", [True, False])
def test_dae_material_color_and_texture_are_kept(tmp_path, bind):
    color = dae(tmp_path / "a.dae", effect="<color>1 0.5 0 1</color>")
    assert color_of(color) == (255, 128, 0)
    textured = dae(tmp_path / "b.dae", effect=DAE_TEXTURE)
    with pytest.raises(MeshError, match=r"b\.dae: texture red\.png is not there"):
        load_meshes(textured)
    (tmp_path / "Red.png").write_bytes(png(plain(RED)))
    assert color_of(textured) == RED


def test_dae_material_that_is_bound_to_nothing_is_refused(tmp_path):
    path = dae(tmp_path / "a.dae", effect="<color>1 0 0 1</color>", bind=False)
    with pytest.raises(MeshError, match="material m is not bound"):
        load_meshes(path)


def test_dae_vertex_colors_are_kept(tmp_path):
    color = np.tile([1, 0, 0.2], (4, 1))
    assert color_of(dae(tmp_path / "a.dae", color=color)) == (255, 0, 51)
    path = dae(tmp_path / "b.dae", effect="<color>0.8 0.8 0.8 1</color>", color=color)
    assert color_of(path) == (255, 0, 51)


def test_dae_concave_polygon_keeps_its_shape(tmp_path):
    corners = np.array([(2, 1), (2, 2), (0, 2), (0, 0), (1, 0), (1, 1)], float)
    vertices = np.insert(corners, 1, 0, axis=1)
    primitive = (
        "<polylist count='1'><input semantic='VERTEX' source='#v' offset='0'/>"
        "<vcount>6</vcount><p>0 1 2 3 4 5</p></polylist>"
    )
    path = dae(tmp_path / "a.dae", vertices=vertices, primitive=primitive)
    assert area(load_meshes(path)) == pytest.approx(3 / 8)


# ---------------------------------------------------------------- PLY, STL, OFF

PLY_FACES = "element face 1\nproperty list uchar int vertex_indices\nend_header\n"


def ply(path, properties="", values="", head="", faces=PLY_FACES, rows="4 0 1 2 3\n"):
    position = "property float x\nproperty float y\nproperty float z\n"
    header = f"ply\nformat ascii 1.0\n{head}element vertex 4\n{position}{properties}"
    vertices = "".join("{} {} {} {}\n".format(*p, values) for p in SQUARE)
    path.write_text(header + faces + vertices + rows)
    return path


@pytest.mark.parametrize(
    "kind, names, values",
    [
        ("uchar", ("red", "green", "blue"), "255 0 51"),
        ("uchar", ("diffuse_red", "diffuse_green", "diffuse_blue"), "255 0 51"),
        ("uchar", ("r", "g", "b"), "255 0 51"),
        ("ushort", ("red", "green", "blue"), "65535 0 13107"),
        ("float", ("red", "green", "blue"), "1.0 0.0 0.2"),
        ("float", ("red", "green", "blue"), "255.0 0.0 51.0"),
        ("int", ("red", "green", "blue"), "255 0 51"),
        ("uchar", ("red", "green", "blue", "alpha"), "255 0 51 0"),
    ],
)
def test_ply_vertex_colors_of_any_type_are_kept(tmp_path, kind, names, values):
    properties = "".join(f"property {kind} {name}\n" for name in names)
    assert color_of(ply(tmp_path / "a.ply", properties, values)) == (255, 0, 51)


def test_ply_face_colors_follow_their_polygon(tmp_path):
    faces = PLY_FACES.replace(
        "end", "property uchar red\nproperty uchar green\nproperty uchar blue\nend"
    )
    faces = faces.replace("face 1", "face 2")
    path = ply(tmp_path / "a.ply", faces=faces, rows="3 0 1 2 255 0 0\n3 0 2 3 0 0 255\n")
    (mesh,) = load_meshes(path)
    assert mesh.colors.tolist() == [[255, 0, 0], [0, 0, 255]]
    path = ply(
        tmp_path / "b.ply", faces=faces.replace("face 2", "face 1"), rows="4 0 1 2 3 255 0 0\n"
    )
    assert color_of(path) == (255, 0, 0)


@pytest.mark.parametrize("of_faces", [True, False])
def test_ply_texture_is_found_or_named(tmp_path, of_faces):
    if of_faces:
        faces = PLY_FACES.replace("end", "property list uchar float texcoord\nend")
        uv = " ".join(map(str, SQUARE_UV.ravel()))
        path = ply(tmp_path / "a.ply", head="comment TextureFile red.png\n", faces=faces,
                   rows=f"4 0 1 2 3 8 {uv}\n")  # fmt: skip
    else:
        path = ply(tmp_path / "a.ply", "property float s\nproperty float t\n", "0.5 0.5",
                   head="comment TextureFile red.png\n")  # fmt: skip
    with pytest.raises(MeshError, match=r"texture red\.png is not there"):
        load_meshes(path)
    (tmp_path / "red.png").write_bytes(png(plain(RED)))
    assert color_of(path) == RED


def stl(path, attribute, header=b""):
    triangles = np.zeros(2, [("n", "<f4", 3), ("v", "<f4", (3, 3)), ("a", "<u2")])
    triangles["v"], triangles["a"] = SQUARE[SQUARE_FACES], attribute
    path.write_bytes(header.ljust(80, b"\0") + np.uint32(2).tobytes() + triangles.tobytes())
    return path


def test_stl_colors_are_kept(tmp_path):
    red_in_viscam, red_in_magics = 0x8000 | 31 << 10, 31
    assert color_of(stl(tmp_path / "a.stl", red_in_viscam)) == (255, 0, 0)
    magics = b"COLOR=\x00\xff\x00\xff,MATERIAL="
    assert color_of(stl(tmp_path / "b.stl", red_in_magics, magics)) == (255, 0, 0)
    assert color_of(stl(tmp_path / "c.stl", 0x8000, magics)) == (0, 255, 0)
    assert color_of(stl(tmp_path / "d.stl", 0)) == (180, 180, 180)


@pytest.mark.parametrize("suffix", [".obj", ".ply", ".stl", ".off"])
def test_up_is_asked_for_formats_that_do_not_say_it(tmp_path, suffix):
    import trimesh

    box = trimesh.creation.box((1, 4, 1))
    box.export(tmp_path / f"a{suffix}")
    assert extent(load_meshes(tmp_path / f"a{suffix}", up="y")).argmax() == 2
    assert extent(load_meshes(tmp_path / f"a{suffix}", up="z")).argmax() == 1


# ---------------------------------------------------------------- changed files


def test_changed_file_is_named(tmp_path):
    path = obj(tmp_path / "a.obj", "map_Kd red.png")
    (tmp_path / "red.png").write_bytes(png(plain(RED)))
    record = tmp_path / "sources/a.json"
    load_meshes(path, record_path=record)
    assert changed_since(path, record) is None
    (tmp_path / "red.png").write_bytes(png(plain(GREEN)))
    assert changed_since(path, record) == "red.png"
    load_meshes(path, record_path=record)
    (tmp_path / "a.mtl").write_text("newmtl m\nKd 1 0 0\n")
    assert changed_since(path, record) == "a.mtl"
    load_meshes(path, record_path=record)
    path.write_text(path.read_text() + "\n")
    assert changed_since(path, record) == "a.obj"


def test_texture_that_was_missing_and_is_there_now_is_a_change(tmp_path):
    path = obj(tmp_path / "a.obj", "map_Kd red.png")
    load_meshes(path, allow_missing_textures=True, record_path=tmp_path / "a.json")
    assert changed_since(path, tmp_path / "a.json") is None
    (tmp_path / "red.png").write_bytes(png(plain(RED)))
    assert changed_since(path, tmp_path / "a.json") == "red.png"


def test_missing_record_is_an_error(tmp_path):
    with pytest.raises(ValueError, match="missing or broken"):
        changed_since(tmp_path / "a.obj", tmp_path / "a.json")


def test_files_of_unsupported_formats_are_listed(tmp_path):
    glb(tmp_path / "a.glb")
    (tmp_path / "b.FBX").write_bytes(b"Kaydara")
    (tmp_path / "readme.txt").write_text("no mesh")
    (tmp_path / "._a.glb").write_bytes(b"Mac OS X")
    found, unsupported = find_mesh_files([tmp_path])
    assert list(found) == ["a.glb"]
    assert unsupported == [f"{tmp_path / 'b.FBX'}: format .fbx is not supported; convert it to GLB"]
