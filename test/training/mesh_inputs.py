"""Small mesh files for tests, written byte by byte so that they say exactly what a test needs."""

import base64
import io
import json
import struct

import numpy as np
from PIL import Image

from training.data.load_meshes import load_meshes

FLOAT, UBYTE, USHORT, SHORT, UINT = 5126, 5121, 5123, 5122, 5125
DTYPES = {FLOAT: "<f4", UBYTE: "u1", USHORT: "<u2", SHORT: "<i2", UINT: "<u4"}

# A square in the plane z = 0, two triangles.
SQUARE = np.array([[0, 0, 0], [1, 0, 0], [1, 1, 0], [0, 1, 0]], float)
SQUARE_UV = SQUARE[:, :2]
SQUARE_FACES = np.array([[0, 1, 2], [0, 2, 3]])
RED, GREEN = (220, 30, 30), (30, 220, 30)
TEXTURED = {"pbrMetallicRoughness": {"baseColorTexture": {"index": 0}}}


def png(pixels, format="PNG", **options):
    """Bytes of an image file; pixels: an array or a PIL image."""
    image = pixels if isinstance(pixels, Image.Image) else Image.fromarray(np.uint8(pixels))
    file = io.BytesIO()
    image.save(file, format, **options)
    return file.getvalue()


def plain(color, size=8):
    """A picture of one colour."""
    return np.tile(np.uint8(color), (size, size, 1))


class Gltf:
    """Collects accessors and images, then writes a GLB or a glTF file."""

    def __init__(self, **tree):
        self.blob = b""
        self.tree = {"asset": {"version": "2.0"}, "accessors": [], "bufferViews": [], **tree}

    def view(self, data):
        self.blob += b"\0" * (-len(self.blob) % 4)
        self.tree["bufferViews"].append(
            {"buffer": 0, "byteOffset": len(self.blob), "byteLength": len(data)}
        )
        self.blob += data
        return len(self.tree["bufferViews"]) - 1

    def accessor(self, values, kind=FLOAT, normalized=False):
        values = np.asarray(values).astype(DTYPES[kind])
        shape = "SCALAR" if values.ndim == 1 else f"VEC{values.shape[1]}"
        entry = {"bufferView": self.view(values.tobytes()), "componentType": kind,
                 "count": len(values), "type": shape}  # fmt: skip
        if normalized:
            entry["normalized"] = True
        self.tree["accessors"].append(entry)
        return len(self.tree["accessors"]) - 1

    def image(self, data):
        entry = {"bufferView": self.view(data), "mimeType": "image/png"}
        self.tree.setdefault("images", []).append(entry)
        return len(self.tree["images"]) - 1

    def write(self, path):
        self.tree["buffers"] = [{"byteLength": len(self.blob)}]
        if path.suffix == ".gltf":
            uri = "data:application/octet-stream;base64," + base64.b64encode(self.blob).decode()
            self.tree["buffers"][0]["uri"] = uri
            path.write_text(json.dumps(self.tree))
            return path
        text = json.dumps(self.tree).encode()
        text += b" " * (-len(text) % 4)
        chunks = struct.pack("<I4s", len(text), b"JSON") + text
        chunks += struct.pack("<I4s", len(self.blob), b"BIN\0") + self.blob
        path.write_bytes(struct.pack("<4sII", b"glTF", 2, 12 + len(chunks)) + chunks)
        return path


def glb(path, material=None, image=None, uv=None, color=None, node=None, vertices=SQUARE,
        faces=SQUARE_FACES, **tree):  # fmt: skip
    """Write one surface, a square by default.

    image: bytes of the only texture; uv, color: values, or (values, component type, normalized).
    """
    file = Gltf(**tree)
    primitive = {
        "attributes": {"POSITION": file.accessor(vertices)},
        "indices": file.accessor(np.ravel(faces), USHORT),
    }
    for name, values in (("TEXCOORD_0", uv), ("COLOR_0", color)):
        if values is not None:
            values = values if isinstance(values, tuple) else (values,)
            primitive["attributes"][name] = file.accessor(*values)
    if material is not None:
        primitive["material"] = 0
        file.tree["materials"] = [material]
    if image is not None:
        file.tree.setdefault("textures", [{"source": 0}])
        file.image(image)
    file.tree |= {"meshes": [{"primitives": [primitive]}], "nodes": [{"mesh": 0} | (node or {})]}
    file.tree.setdefault("scenes", [{"nodes": [0]}])
    return file.write(path)


def obj(path, mtl=None, faces="f 1/1 2/2 3/3\nf 1/1 3/3 4/4", head="", material="m", vertices=None):
    """Write a square as OBJ; mtl: text of the material m, in a file of the same name."""
    lines = vertices or "".join("v {} {} {}\n".format(*p) for p in SQUARE)
    lines += "".join("vt {} {}\n".format(*p) for p in SQUARE_UV)
    if mtl is not None:
        path.with_suffix(".mtl").write_text(f"newmtl m\n{mtl}\n")
        head = f"mtllib {path.with_suffix('.mtl').name}\n{head}"
    use = f"usemtl {material}\n" if material and (mtl is not None or "mtllib" in head) else ""
    path.write_text(f"{head}{lines}{use}{faces}\n")
    return path


def dae(path, up="Z_UP", effect="", vertices=SQUARE, primitive=None, bind=True, color=None):
    """Write a square as COLLADA; effect: what the material's diffuse holds, primitive: its XML."""
    flat = " ".join(map(str, np.ravel(vertices)))
    uv = " ".join(map(str, SQUARE_UV.ravel()))
    inputs = '<input semantic="VERTEX" source="#v" offset="0"/>'
    inputs += '<input semantic="TEXCOORD" source="#uv" offset="1" set="0"/>'
    sources = f"""<source id="uv"><float_array id="uva" count="8">{uv}</float_array>
      <technique_common><accessor source="#uva" count="4" stride="2"><param name="S" type="float"/>
      <param name="T" type="float"/></accessor></technique_common></source>"""
    if color is not None:
        values = " ".join(map(str, np.ravel(color)))
        inputs += '<input semantic="COLOR" source="#c" offset="0"/>'
        sources += f"""<source id="c"><float_array id="ca" count="12">{values}</float_array>
          <technique_common><accessor source="#ca" count="4" stride="3">
          <param name="R" type="float"/><param name="G" type="float"/><param name="B" type="float"/>
          </accessor></technique_common></source>"""
    used = ' material="m"' if effect else ""
    primitive = (
        primitive or "<triangles{used} count='2'>{inputs}<p>0 0 1 1 2 2 0 0 2 2 3 3</p></triangles>"
    )
    bound = """<bind_material><technique_common><instance_material symbol="m" target="#mat"/>
      </technique_common></bind_material>""" if effect and bind else ""  # fmt: skip
    library = f"""
    <library_images><image id="img"><init_from>red.png</init_from></image></library_images>
    <library_effects><effect id="e"><profile_COMMON>
      <newparam sid="surf"><surface type="2D"><init_from>img</init_from></surface></newparam>
      <newparam sid="samp"><sampler2D><source>surf</source></sampler2D></newparam>
      <technique sid="common"><lambert><diffuse>{effect}</diffuse></lambert></technique>
    </profile_COMMON></effect></library_effects>
    <library_materials><material id="mat"><instance_effect url="#e"/></material></library_materials>
    """  # fmt: skip
    path.write_text(f"""<?xml version="1.0"?>
    <COLLADA xmlns="http://www.collada.org/2005/11/COLLADASchema" version="1.4.1">
    <asset><created>2020-01-01T00:00:00</created><modified>2020-01-01T00:00:00</modified>
    <up_axis>{up}</up_axis></asset>{library if effect else ""}
    <library_geometries><geometry id="g"><mesh>
    <source id="p"><float_array id="pa" count="{np.size(vertices)}">{flat}</float_array>
    <technique_common><accessor source="#pa" count="{len(vertices)}" stride="3">
    <param name="X" type="float"/><param name="Y" type="float"/><param name="Z" type="float"/>
    </accessor></technique_common></source>{sources}
    <vertices id="v"><input semantic="POSITION" source="#p"/></vertices>
    {primitive.format(used=used, inputs=inputs)}</mesh></geometry></library_geometries>
    <library_visual_scenes><visual_scene id="s"><node id="n"><instance_geometry url="#g">{bound}
    </instance_geometry></node></visual_scene></library_visual_scenes>
    <scene><instance_visual_scene url="#s"/></scene></COLLADA>""")
    return path


def color_of(path, **options):
    """The one colour of a mesh file, RGB; its texture is sampled where its uv are."""
    colors = [colors_at_corners(mesh).reshape(-1, 3) for mesh in load_meshes(path, **options)]
    colors = np.concatenate(colors).astype(int)
    assert (np.abs(colors - colors[0]) <= 1).all()
    return tuple(colors[0].tolist())


def colors_at_corners(mesh):
    """(F, 3, 3): the colour at each corner of each face, as a nearest-texel renderer shows it."""
    colors = np.full((*mesh.faces.shape, 3), 255, np.uint8)
    if mesh.colors is not None:
        of_faces = len(mesh.colors) == len(mesh.faces)
        colors[:] = mesh.colors[:, None] if of_faces else mesh.colors[mesh.faces]
    if mesh.texture is None:
        return colors
    height, width = mesh.texture.shape[:2]
    # A little inside the triangle, so that rounding does not choose the neighbour.
    uv = mesh.uv[mesh.faces] * 0.98 + mesh.uv[mesh.faces].mean(axis=1, keepdims=True) * 0.02
    column = np.floor(uv[..., 0] % 1 * width).astype(int)
    row = np.floor((1 - uv[..., 1] % 1) * height).astype(int).clip(0, height - 1)
    return np.uint8(np.round(mesh.texture[row, column][..., :3] * (colors / 255)))
