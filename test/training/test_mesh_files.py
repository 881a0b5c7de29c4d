"""Mesh files as programs write them: unusual, damaged, or with more than a matt renderer shows."""

import logging
import os

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
    dae,
    glb,
    obj,
    plain,
    png,
)

from training.data.load_meshes import find_mesh_files, load_meshes
from training.data.mesh import MeshError

POINTER = b"version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 9\n"


def refuses(path, reason):
    with pytest.raises(MeshError, match=reason) as error:
        load_meshes(path)
    assert str(error.value).startswith(f"{path}: ")


# ---------------------------------------------------------------- all formats


@pytest.mark.parametrize("suffix", [".glb", ".gltf", ".obj", ".ply", ".stl", ".off", ".dae"])
def test_empty_file_and_git_lfs_pointer_are_named_as_such(tmp_path, suffix):
    path = tmp_path / f"a{suffix}"
    path.write_bytes(b"")
    refuses(path, "the file is empty")
    path.write_bytes(POINTER)
    refuses(path, "git-lfs pointer.*git lfs pull")


def test_texture_that_is_a_git_lfs_pointer_is_named_as_such(tmp_path):
    (tmp_path / "red.png").write_bytes(POINTER)
    refuses(obj(tmp_path / "a.obj", "map_Kd red.png"), r"texture red\.png is a git-lfs pointer")


def test_broken_link_is_listed(tmp_path):
    glb(tmp_path / "a.glb")
    (tmp_path / "b.glb").symlink_to(tmp_path / "gone.glb")
    found, unsupported = find_mesh_files([tmp_path])
    assert list(found) == ["a.glb"]
    assert unsupported == [f"{tmp_path / 'b.glb'}: link to a file that is not there"]


def test_name_that_an_instance_cannot_have_is_listed(tmp_path):
    glb(tmp_path / "é b%20#.glb")
    glb(tmp_path / "long.glb").rename(tmp_path / f"{'x' * 240}.glb")
    glb(tmp_path / "latin.glb").rename(os.fsdecode(os.fsencode(tmp_path) + b"/caf\xe9.glb"))
    found, unsupported = find_mesh_files([tmp_path])
    assert list(found) == ["é b%20#.glb"]
    assert len(unsupported) == 2
    assert all("cannot be an instance's name; rename" in line for line in unsupported)


def test_texture_larger_than_opengl_allows_is_reduced(tmp_path):
    wide = np.tile(np.uint8(RED), (1, 20000, 1))
    (mesh,) = load_meshes(glb(tmp_path / "a.glb", TEXTURED, png(wide), SQUARE_UV))
    assert mesh.texture.shape == (1, 8192, 3)
    assert (mesh.texture == RED).all()


# ---------------------------------------------------------------- glTF


def two_squares(path, nodes, **tree):
    """A red square and, as mesh 1, a green one."""
    file = Gltf(**tree)
    at, faces = {"POSITION": file.accessor(SQUARE)}, file.accessor(SQUARE_FACES.ravel(), USHORT)
    colors = ([1, 0, 0, 1], [0, 1, 0, 1])
    file.tree |= {
        "meshes": [
            {"primitives": [{"attributes": at, "indices": faces, "material": k}]} for k in (0, 1)
        ],
        "materials": [{"pbrMetallicRoughness": {"baseColorFactor": color}} for color in colors],
        "nodes": nodes,
        "scenes": [{"nodes": [0, 1]}],
    }
    return file.write(path)


def test_glb_invisible_nodes_are_left_out_with_all_below_them(tmp_path):
    hidden = {"extensions": {"KHR_node_visibility": {"visible": False}}}
    nodes = [{"mesh": 0}, {"children": [2], **hidden}, {"mesh": 1}]
    assert color_of(two_squares(tmp_path / "a.glb", nodes)) == (255, 0, 0)


def test_glb_node_with_two_parents_is_refused(tmp_path):
    nodes = [{"children": [2]}, {"children": [2], "translation": [3, 0, 0]}, {"mesh": 0}]
    refuses(two_squares(tmp_path / "a.glb", nodes), "several parents")


def test_glb_number_that_is_not_finite_is_refused(tmp_path):
    nodes = [{"mesh": 0}, {"mesh": 1, "translation": [np.nan, 0, 0]}]
    refuses(two_squares(tmp_path / "a.glb", nodes), "NaN")


def test_glb_reference_to_nothing_is_refused_with_a_reason(tmp_path):
    nodes = [{"mesh": 0}, {"mesh": 1}]
    refuses(two_squares(tmp_path / "a.glb", nodes, scene=7), "broken, or not supported")


@pytest.mark.parametrize("mode", [0, 1, 2, 3])
def test_glb_points_and_lines_are_left_out_and_logged(tmp_path, caplog, mode):
    file = Gltf()
    at = {"POSITION": file.accessor(SQUARE)}
    triangles = {"attributes": at, "indices": file.accessor(SQUARE_FACES.ravel(), USHORT)}
    lines = {"attributes": at, "mode": mode}
    file.tree |= {"meshes": [{"primitives": [triangles, lines]}], "nodes": [{"mesh": 0}]}
    with caplog.at_level(logging.WARNING):
        (mesh,) = load_meshes(file.write(tmp_path / "a.glb"))
    assert len(mesh.faces) == 2
    assert "a.glb: points and lines are left out" in caplog.text


def test_glb_accessor_without_data_is_refused(tmp_path):
    file = Gltf()
    primitive = {"attributes": {"POSITION": file.accessor(SQUARE)}}
    file.tree["accessors"][0] |= {"count": 10**9}
    del file.tree["accessors"][0]["bufferView"]
    file.tree |= {"meshes": [{"primitives": [primitive]}], "nodes": [{"mesh": 0}]}
    refuses(file.write(tmp_path / "a.glb"), "without data")


def test_glb_alpha_of_vertices_beside_a_texture_is_honoured(tmp_path):
    color = np.ones((4, 4))
    color[2:, 3] = 0.2  # the second triangle's mean is below one half
    options = {"image": png(plain(RED)), "uv": SQUARE_UV, "color": color}
    (mesh,) = load_meshes(glb(tmp_path / "a.glb", TEXTURED | {"alphaMode": "BLEND"}, **options))
    assert len(mesh.faces) == 1
    (mesh,) = load_meshes(glb(tmp_path / "b.glb", TEXTURED, **options))
    assert len(mesh.faces) == 2
    options["color"] = np.tile([1, 1, 1, 0.2], (4, 1))
    path = glb(tmp_path / "c.glb", TEXTURED | {"alphaMode": "BLEND"}, **options)
    refuses(path, "all of it is transparent")


def test_glb_integer_colors_are_normalised_even_if_they_do_not_say_so(tmp_path):
    color = (np.tile([255, 0, 55, 255], (4, 1)), UBYTE, False)  # 55: linear, 128 in sRGB
    assert color_of(glb(tmp_path / "a.glb", color=color)) == (255, 0, 128)


def test_glb_vertex_colors_do_not_dim_the_emission(tmp_path):
    material = TEXTURED | {"emissiveFactor": [1, 0, 0]}
    options = {"image": png(plain(GREEN)), "uv": SQUARE_UV}
    black = glb(tmp_path / "a.glb", material, color=np.zeros((4, 3)), **options)
    assert color_of(black) == (255, 0, 0)
    varied = glb(tmp_path / "b.glb", material, color=np.eye(4)[:, :3], **options)
    refuses(varied, "emissive texture and vertex colours")


# ---------------------------------------------------------------- OBJ


def test_obj_names_with_comments_and_upper_case_keywords_are_read(tmp_path):
    path = obj(tmp_path / "a.obj", "Kd 1 0 0 # red", material="m # the red one")
    path.write_text(path.read_text().replace("usemtl", "USEMTL").replace("mtllib", "MTLLIB"))
    assert color_of(path) == (255, 0, 0)
    path.with_suffix(".mtl").write_text("newmtl M\t# red\nKd 1 0 0\n")
    assert color_of(path) == (255, 0, 0)


@pytest.mark.parametrize(
    "mtl, expected",
    [
        ("Kd 0 0 0\nmap_Ke red.png", RED),
        ("map_Kd red.png\nmap_Ke red.png", RED),
        ("map_Kd red.png\nmap_Ke green.png", (250, 250, 60)),
        ("map_Kd red.png\nKe 0 0.5 0", (220, 158, 30)),
    ],
)
def test_obj_emission_is_shown(tmp_path, mtl, expected):
    (tmp_path / "red.png").write_bytes(png(plain(RED)))
    (tmp_path / "green.png").write_bytes(png(plain(GREEN)))
    assert color_of(obj(tmp_path / "a.obj", mtl)) == expected


def test_obj_color_in_another_range_is_refused(tmp_path):
    refuses(obj(tmp_path / "a.obj", "Kd 220 30 30"), r"a\.mtl is not in \[0, 1\]: 'Kd 220 30 30'")


def test_obj_index_zero_is_refused(tmp_path):
    path = tmp_path / "a.obj"
    path.write_text("v 0 0 0\nv 1 0 0\nf 0 1 2\nv 1 1 0\n")
    refuses(path, "line 3 cannot be understood: 'f 0 1 2'")


def test_obj_cut_off_in_a_face_is_refused(tmp_path):
    path = obj(tmp_path / "a.obj")
    path.write_text(path.read_text().rstrip("\n")[:-4])
    refuses(path, "cut off")


@pytest.mark.parametrize("end", ["\\\n", "\\\r\n", "\\ \n"])
def test_obj_line_goes_on_behind_a_backslash(tmp_path, end):
    path = obj(tmp_path / "a.obj", faces=f"f 1 2 {end}3 4")
    assert sum(len(mesh.faces) for mesh in load_meshes(path)) == 2


def test_obj_vertex_colors_beside_a_texture_are_logged(tmp_path, caplog):
    (tmp_path / "red.png").write_bytes(png(plain(RED)))
    rows = "".join("v {} {} {} 0 1 0\n".format(*p) for p in SQUARE)
    with caplog.at_level(logging.WARNING):
        assert color_of(obj(tmp_path / "a.obj", "map_Kd red.png", vertices=rows)) == RED
    assert "a.obj: vertex colours beside a texture are left out" in caplog.text


# ---------------------------------------------------------------- PLY, STL, OFF


@pytest.mark.parametrize(
    "kind, values, expected",
    [
        ("float", "255 1 0", (255, 1, 0)),
        ("double", "1 0.2 0", (255, 51, 0)),
        ("int", "255 1 0", (255, 1, 0)),
        ("short", "255 1 0", (255, 1, 0)),
        ("ushort", "255 1 0", (255, 1, 0)),
        ("ushort", "65535 257 0", (255, 1, 0)),
    ],
)
def test_ply_range_of_colors_is_that_of_all_channels(tmp_path, kind, values, expected):
    header = "ply\nformat ascii 1.0\nelement vertex 4\n"
    header += "".join(f"property float {axis}\n" for axis in "xyz")
    header += "".join(f"property {kind} {name}\n" for name in ("red", "green", "blue"))
    header += "element face 1\nproperty list uchar int vertex_indices\nend_header\n"
    rows = "".join("{} {} {} {}\n".format(*p, values) for p in SQUARE)
    (tmp_path / "a.ply").write_text(f"{header}{rows}4 0 1 2 3\n")
    assert color_of(tmp_path / "a.ply") == expected


def binary_stl(path, count=2, end=b"", header=b"solid, they say"):
    triangles = np.zeros(2, [("n", "<f4", 3), ("v", "<f4", (3, 3)), ("a", "<u2")])
    triangles["v"], triangles["a"] = SQUARE[SQUARE_FACES], 0x8000 | 31 << 10
    count = np.uint32(count).tobytes()
    path.write_bytes(header.ljust(80, b"\0") + count + triangles.tobytes() + end)
    return path


def test_stl_of_another_length_is_read_or_refused(tmp_path):
    path = tmp_path / "a.stl"
    assert color_of(binary_stl(path, end=b"padding")) == (255, 0, 0)
    refuses(binary_stl(path, count=3), "2 of 3 triangles")
    refuses(binary_stl(path, count=0), "0 triangles, and has some")
    path.write_text("solid a\nfacet normal 0 0 1\nouter loop\nvertex 0 0 0\nvertex 1 0 0\n")
    refuses(path, "no endsolid")


@pytest.mark.parametrize("row", [" 1 0 0 1", " 1 0 0", " 255 0 0 1"])
def test_off_colors_of_small_integers_are_in_0_to_1(tmp_path, row):
    rows = "".join("{} {} {}{}\n".format(*p, row) for p in SQUARE)
    (tmp_path / "a.off").write_text(f"COFF\n4 1 0\n{rows}4 0 1 2 3\n")
    assert color_of(tmp_path / "a.off") == (255, 0, 0)


def test_off_transparent_faces_are_left_out(tmp_path):
    rows = "".join("{} {} {}\n".format(*p) for p in SQUARE)
    faces = "3 0 1 2 1.0 0.0 0.0 1.0\n3 0 2 3 1.0 0.0 0.0 0.0\n"
    (tmp_path / "a.off").write_text(f"OFF\n4 2 0\n{rows}{faces}")
    (mesh,) = load_meshes(tmp_path / "a.off")
    assert len(mesh.faces) == 1


# ---------------------------------------------------------------- COLLADA

DAE_TEXTURE = '<texture texture="samp" texcoord="UV"/>'


def textured_dae(path, old="", new=""):
    """A square that shows the right half of an image, twice as wide as it is, if it is wrapped."""
    picture = np.concatenate([plain(GREEN)[:, :4], plain(RED)[:, :4]], axis=1)
    (path.parent / "red.png").write_bytes(png(picture))
    text = dae(path, effect=DAE_TEXTURE).read_text()
    uv = SQUARE_UV * [0.4, 1] + [1.05, 0]
    text = text.replace(" ".join(map(str, SQUARE_UV.ravel())), " ".join(map(str, uv.ravel())))
    assert old in text
    path.write_text(text.replace(old, new))
    return path


@pytest.mark.parametrize(
    "mode, expected", [("WRAP", GREEN), ("MIRROR", RED), ("CLAMP", RED), ("NONE", None)]
)
def test_dae_texture_is_wrapped_as_its_sampler_says(tmp_path, mode, expected):
    end = "</source></sampler2D>"
    path = textured_dae(
        tmp_path / "a.dae", end, end.replace("</sampler2D>", f"<wrap_s>{mode}</wrap_s></sampler2D>")
    )
    if expected is None:
        refuses(path, "does not repeat")
    else:
        assert color_of(path) == expected


def test_dae_texture_repeated_by_an_extension_is_refused(tmp_path):
    extra = '<extra><technique profile="MAYA"><repeatU>{}</repeatU></technique></extra></texture>'
    for count in (1, 2):
        texture = DAE_TEXTURE.replace("/>", ">") + extra.format(count)
        path = textured_dae(tmp_path / "a.dae", DAE_TEXTURE, texture)
        if count == 1:
            assert color_of(path) == GREEN
        else:
            refuses(path, "repeatU 2, which is not supported")


def test_dae_emission_is_shown_with_and_as_a_texture(tmp_path):
    (tmp_path / "red.png").write_bytes(png(plain(RED)))
    path = dae(tmp_path / "a.dae", effect=DAE_TEXTURE)
    text = path.read_text()
    diffuse = f"<diffuse>{DAE_TEXTURE}</diffuse>"
    path.write_text(text.replace(diffuse, f"<emission>{DAE_TEXTURE}</emission>"))
    assert color_of(path) == RED
    path.write_text(
        text.replace(diffuse, f"<emission><color>0 0.5 0 1</color></emission>{diffuse}")
    )
    assert color_of(path) == (220, 158, 30)


def test_dae_image_of_version_1_5_is_found(tmp_path):
    (tmp_path / "red.png").write_bytes(png(plain(RED)))
    path = dae(tmp_path / "a.dae", effect=DAE_TEXTURE)
    path.write_text(path.read_text().replace(">red.png<", "><ref>red.png</ref><"))
    assert color_of(path) == RED


@pytest.mark.parametrize(
    "old, new, reason",
    [
        ("<p>0 0", "<p>-1 0", "vertices that it does not have"),
        ('count="12">0.0', 'count="12">NaN', "not finite"),
    ],
)
def test_dae_with_invalid_numbers_is_refused(tmp_path, old, new, reason):
    path = dae(tmp_path / "a.dae")
    assert old in path.read_text()
    path.write_text(path.read_text().replace(old, new))
    refuses(path, reason)


def test_dae_transparent_surface_is_drawn_opaque_and_logged(tmp_path, caplog):
    path = dae(tmp_path / "a.dae", effect="<color>1 0 0 1</color>")
    clear = "</diffuse><transparent><color>0 0 0 0</color></transparent>"
    path.write_text(path.read_text().replace("</diffuse>", clear))
    with caplog.at_level(logging.WARNING):
        assert color_of(path) == (255, 0, 0)
    assert "a.dae: transparent surfaces are drawn opaque" in caplog.text
