import logging

import numpy as np
import pytest

pytest.importorskip("moderngl")
pytest.importorskip("trimesh")

import trimesh
from mesh_inputs import SQUARE_UV, glb, plain, png
from PIL import Image

from tiny_nvs_ros.srn_data import SrnSplit
from training import render_meshes
from training.data.load_meshes import load_meshes

FORMATS = ["obj", "glb", "gltf", "stl", "ply", "off", "dae"]


def render(out, *arguments):
    words = [str(word) for word in ("--out", out, "--size", 32, "--workers", 1, *arguments)]
    render_meshes.main(words)
    return SrnSplit(out / "train")


def export(mesh, path):
    if path.suffix == ".dae":
        pytest.importorskip("collada")
    if path.suffix == ".gltf":
        for name, content in trimesh.exchange.gltf.export_gltf(mesh.scene()).items():
            path.with_name(path.name if name == "model.gltf" else name).write_bytes(content)
    else:
        mesh.export(path)
    return path


@pytest.fixture
def box():
    return trimesh.creation.box((4, 2, 1))


@pytest.mark.parametrize("suffix", FORMATS)
def test_each_format_gives_the_same_object(box, tmp_path, suffix):
    box.apply_translation((7, 0, -3))
    if suffix in ("glb", "gltf", "dae"):  # y up
        box.apply_transform(trimesh.transformations.rotation_matrix(-np.pi / 2, (1, 0, 0)))
    (mesh,) = load_meshes(export(box, tmp_path / f"box.{suffix}"), up="z")
    size = np.array([4, 2, 1]) / np.sqrt(21)
    np.testing.assert_allclose(mesh.vertices.min(axis=0), -size / 2, atol=1e-6)
    np.testing.assert_allclose(mesh.vertices.max(axis=0), size / 2, atol=1e-6)
    assert len(mesh.faces) == 12


def test_y_up_becomes_z_up(tmp_path):
    cone = trimesh.creation.cone(radius=1, height=4)  # its tip at +z
    cone.apply_transform(trimesh.transformations.rotation_matrix(-np.pi / 2, (1, 0, 0)))
    assert cone.vertices[:, 1].max() == pytest.approx(4)
    (mesh,) = load_meshes(export(cone, tmp_path / "cone.glb"), up="y")
    tip = mesh.vertices[mesh.vertices[:, 2].argmax()]
    np.testing.assert_allclose(tip[:2], 0, atol=1e-6)
    assert np.ptp(mesh.vertices[:, 2]) > np.ptp(mesh.vertices[:, 0])


def test_front_of_y_up_becomes_y(tmp_path):
    """A vehicle as glTF has it: y up, front towards z, so that x is its left."""
    scene = trimesh.Scene()
    for name, extents, place in (
        ("body", (2, 1, 4), (0, 0, 0)),
        ("bonnet", (1, 0.2, 0.2), (0, 0, 2)),
        ("mirror", (0.2, 0.2, 0.2), (1, 0.4, 1)),
    ):
        part = trimesh.creation.box(extents)
        part.apply_translation(place)
        scene.add_geometry(part, node_name=name)
    meshes = load_meshes(export(scene, tmp_path / "car.glb"), up="y")
    body, bonnet, mirror = sorted(meshes, key=lambda m: -np.ptp(m.vertices, axis=0).prod())
    towards = bonnet.vertices.mean(axis=0) - body.vertices.mean(axis=0)
    np.testing.assert_allclose(towards / np.linalg.norm(towards), [0, 1, 0], atol=1e-6)
    left, _, up = mirror.vertices.mean(axis=0) - body.vertices.mean(axis=0)
    assert left < 0 < up


def test_parts_of_a_scene_keep_their_places_and_colors(tmp_path):
    scene = trimesh.Scene()
    for x, color in ((0, (255, 0, 0, 255)), (3, (0, 0, 255, 255))):
        part = trimesh.creation.box()
        part.visual.face_colors = color
        scene.add_geometry(part, transform=trimesh.transformations.translation_matrix((x, 0, 0)))
    scene.export(tmp_path / "two.glb")
    left, right = sorted(
        load_meshes(tmp_path / "two.glb"),
        key=lambda m: -m.vertices[:, 0].min(),  # y up: x is turned around
    )
    assert right.vertices[:, 0].max() < 0 < left.vertices[:, 0].min()
    assert (left.colors == (255, 0, 0)).all() and (right.colors == (0, 0, 255)).all()


@pytest.mark.parametrize("suffix", ["obj", "glb"])
def test_texture_is_drawn_upright(tmp_path, suffix):
    sheet = trimesh.Trimesh(
        [[0, 0, 0], [1, 0, 0], [1, 0, 1], [0, 0, 1]], [[0, 1, 2], [0, 2, 3]], process=False
    )
    picture = np.zeros((16, 16, 3), np.uint8)
    picture[:8, :, 0] = picture[8:, :, 1] = 200  # the upper half red, the lower green
    material = trimesh.visual.material.SimpleMaterial(image=Image.fromarray(picture))
    uv = [[0, 0], [1, 0], [1, 1], [0, 1]]
    sheet.visual = trimesh.visual.TextureVisuals(uv=uv, material=material)
    export(sheet, tmp_path / f"sheet.{suffix}")
    path = tmp_path / f"sheet.{suffix}"
    split = render(tmp_path / "out", "--meshes", path, "--trajectory", "orbit", "--views", 8)
    view = split.instances[0].image(6)  # from -y
    assert view[12, 16].argmax() == 0 and view[20, 16].argmax() == 1


def test_hole_in_a_texture_is_see_through(tmp_path):
    pixels = np.dstack([plain((220, 30, 30), 64), np.full((64, 64), 255, np.uint8)])
    pixels[16:48, 16:48, 3] = 0
    material = {"alphaMode": "MASK", "pbrMetallicRoughness": {"baseColorTexture": {"index": 0}}}
    path = glb(tmp_path / "frame.glb", material, png(pixels), SQUARE_UV)
    split = render(tmp_path, "--meshes", path, "--trajectory", "orbit", "--views", 4, "--size", 64)
    view = split.instances[0].image(1)  # from +y, the front
    rows, columns = np.nonzero(view.min(axis=-1) < 250)
    centre = view[(rows.min() + rows.max()) // 2, (columns.min() + columns.max()) // 2]
    assert centre.min() > 250


def test_bad_files_in_a_folder_are_named_and_counted(box, tmp_path, capsys):
    meshes = tmp_path / "meshes"
    (meshes / "below").mkdir(parents=True)
    export(box, meshes / "box.stl")
    export(box, meshes / "below" / "BOX.PLY")
    (meshes / "empty.obj").write_text("")
    (meshes / "noise.glb").write_bytes(np.random.default_rng(0).bytes(500))
    (meshes / "point.obj").write_text("v 1 1 1\nv 1 1 1\nv 1 1 1\nf 1 2 3\n")
    (meshes / "line.obj").write_text("v 0 0 0\nv 1 0 0\nv 2 0 0\nf 1 2 3\n")
    (meshes / "nan.obj").write_text("v 0 0 nan\nv 1 0 0\nv 0 1 0\nf 1 2 3\n")
    (meshes / "index.obj").write_text("v 0 0 0\nv 1 0 0\nv 0 1 0\nf 1 2 9\n")
    (meshes / "readme.txt").write_text("no mesh")
    trimesh.PointCloud(np.eye(3)).export(meshes / "cloud.ply")
    (meshes / "part.fbx").write_text("not supported")
    split = render(tmp_path, "--meshes", meshes, "--views", 2)
    assert [instance.name for instance in split.instances] == ["below_BOX.PLY", "box.stl"]
    printed = capsys.readouterr()
    assert "2 objects in" in printed.out and "8 mesh files skipped" in printed.out
    for name in ("empty.obj", "noise.glb", "point.obj", "line.obj", "nan.obj", "index.obj",
                 "part.fbx"):  # fmt: skip
        assert f"skipped: {meshes / name}: " in printed.err


def test_what_is_unusual_in_a_file_is_logged_unless_quiet(box, tmp_path, caplog):
    path = export(box, tmp_path / "box.stl")
    settings = render_meshes.MeshSettings(0, 1, 16, "random", "z")
    for quiet in (True, False):
        with caplog.at_level(logging.WARNING):
            render_meshes.load(path, tmp_path / "record.json", 0, settings, quiet)
        assert ("box.stl: surfaces to which the file gives no colour" in caplog.text) != quiet


def test_images_of_an_object_do_not_depend_on_the_other_objects(box, tmp_path):
    export(box, tmp_path / "box.stl")
    export(trimesh.creation.icosphere(), tmp_path / "aball.stl")
    alone = render(tmp_path / "1", "--meshes", tmp_path / "box.stl", "--views", 2)
    among = render(tmp_path / "2", "--meshes", tmp_path, "--views", 2, "--workers", 2)
    assert [instance.name for instance in among.instances] == ["aball.stl", "box.stl"]
    np.testing.assert_array_equal(alone.instances[0].images(), among.instances[1].images())
    np.testing.assert_array_equal(alone.instances[0].poses, among.instances[1].poses)
    assert not np.allclose(among.instances[0].poses, among.instances[1].poses)


def test_second_run_continues(box, tmp_path, capsys):
    export(box, tmp_path / "a.stl")
    render(tmp_path, "--meshes", tmp_path / "a.stl", "--views", 1)
    before = (tmp_path / "train/a.stl/rgb/000000.png").stat().st_mtime_ns
    export(box, tmp_path / "b.stl")
    split = render(tmp_path, "--meshes", tmp_path / "a.stl", tmp_path / "b.stl", "--views", 1)
    assert len(split) == 2 and "1 objects are there already" in capsys.readouterr().err
    assert (tmp_path / "train/a.stl/rgb/000000.png").stat().st_mtime_ns == before


def test_changed_mesh_is_rendered_again(box, tmp_path, capsys):
    export(box, tmp_path / "a.stl")
    export(box, tmp_path / "b.stl")
    arguments = ("--meshes", tmp_path / "a.stl", tmp_path / "b.stl", "--views", 1)
    first = render(tmp_path, *arguments).instances
    before = [instance.images() for instance in first]
    export(trimesh.creation.icosphere(), tmp_path / "a.stl")
    capsys.readouterr()
    after = [instance.images() for instance in render(tmp_path, *arguments).instances]
    assert "a.stl: a.stl has changed; rendering it again" in capsys.readouterr().err
    assert not np.array_equal(before[0], after[0])
    np.testing.assert_array_equal(before[1], after[1])


def test_changed_texture_is_rendered_again(tmp_path, caplog):
    path = tmp_path / "sheet.obj"
    path.write_text(
        "mtllib m.mtl\nv 0 0 0\nv 1 0 0\nv 1 0 1\nvt 0 0\nvt 1 0\nvt 1 1\nusemtl m\nf 1/1 2/2 3/3\n"
    )
    (tmp_path / "m.mtl").write_text("newmtl m\nKd 0 1 0\nmap_Kd red.png\n")
    arguments = ("--meshes", path, "--views", 4, "--allow-missing-textures")
    green = render(tmp_path, *arguments).instances[0].images()
    assert "texture red.png is not there; drawn without it" in caplog.text
    Image.new("RGB", (8, 8), (220, 0, 0)).save(tmp_path / "red.png")
    red = render(tmp_path, *arguments).instances[0].images()
    there = (green < 250).any(axis=-1)
    assert (green[there].mean(axis=0)).argmax() == 1 and (red[there].mean(axis=0)).argmax() == 0


def test_instance_of_unknown_origin_is_not_touched(box, tmp_path, capsys):
    arguments = ("--meshes", export(box, tmp_path / "a.stl"), "--views", 1)
    render(tmp_path, *arguments)
    (tmp_path / "train/sources/a.stl.json").unlink()
    with pytest.raises(SystemExit):
        render(tmp_path, *arguments)
    assert "not from which files it was made" in capsys.readouterr().err
    assert (tmp_path / "train/a.stl/rgb/000000.png").exists()


def test_object_has_the_size_of_a_car(box, tmp_path):
    split = render(tmp_path, "--meshes", export(box, tmp_path / "box.stl"), "--views", 4)
    covered = (split.instances[0].images() < 250).any(axis=-1).mean(axis=(1, 2))
    assert (covered > 0.03).all() and (covered < 0.6).all()


@pytest.mark.parametrize(
    "arguments, words",
    [
        (["--meshes", "{here}/none.obj"], "none.obj: no such file or folder"),
        (["--meshes", "{here}/nothing"], "no mesh files; known are .obj"),
        (["--meshes", "{here}/a", "{here}/b"], "would both be named part.obj"),
        (["--meshes", "{here}/a"], "none of the mesh files could be used"),
        (["--meshes", "{here}/a", "--views", "0"], "--views must be at least 1"),
    ],
)
def test_impossible_request_is_refused(tmp_path, capsys, arguments, words):
    for folder in ("a", "b", "nothing"):
        (tmp_path / folder).mkdir()
    for folder in ("a", "b"):
        (tmp_path / folder / "part.obj").write_text("nonsense")
    with pytest.raises(SystemExit) as stop:
        render(tmp_path, *(word.format(here=tmp_path) for word in arguments))
    assert stop.value.code == 2
    assert words in capsys.readouterr().err


def test_disguise_colours_and_turns_meshes_the_same_in_every_run(box, tmp_path):
    for name in "abcd":
        export(box, tmp_path / f"{name}.stl")
    words = ["--meshes", tmp_path, "--views", 2]
    plain, first, again = (
        render(tmp_path / out, *words, *more)
        for out, more in (("0", []), ("1", ["--disguise"]), ("2", ["--disguise"]))
    )
    coloured = 0
    for ours, theirs, other in zip(first.instances, again.instances, plain.instances, strict=True):
        np.testing.assert_array_equal(ours.images(), theirs.images())
        assert not np.array_equal(ours.images(), other.images())
        image = ours.image(0, alpha=True)
        coloured += np.ptp(image[image[..., 3] == 255][:, :3].astype(int), axis=-1).max() > 20
        assert np.ptp(other.images()[0].astype(int), axis=-1).max() < 3  # grey
    assert coloured >= 3
    with pytest.raises(SystemExit):
        render(tmp_path / "1", *words)  # made in disguise
