"""The files that a mesh file refers to: materials, textures and buffers."""

import base64
import hashlib
import re
import unicodedata
import urllib.parse
import warnings
from pathlib import Path

import numpy as np

from tiny_nvs_ros.resources import LFS_POINTER
from training.data.mesh_files.textures import decode_image


class ReferencedFiles:
    """Finds and reads the files that one mesh file refers to, and remembers which they were.

    A name that differs from the file's in case, in the kind of slash or in the Unicode form only is
    found, because exporters on Windows and macOS write such names. Of a mesh in Gazebo's layout,
    MODEL/meshes/, MODEL/materials/textures/ is searched too, as Google Scanned Objects need it. No
    other place is searched.

    allow_missing: a material or texture that is missing or broken is left out instead of refused.
    """

    def __init__(self, mesh_path: Path, allow_missing: bool = False):
        self.mesh_path = mesh_path
        self.allow_missing = allow_missing
        self.digests: dict[str, str] = {}  # sha256 of each file read, by its path from the mesh
        self.missing: set[str] = set()  # paths from the mesh where nothing was found
        self._images: dict[Path, np.ndarray] = {}

    def read(self, name: str, relative_to: Path | None = None) -> bytes:
        """Return the content of the file `name`.

        Its place is relative to the mesh file, or first to another file that names it. Raises
        FileNotFoundError if it is not there.
        """
        return self.read_path(self.find(name, relative_to))

    def find(self, name: str, relative_to: Path | None = None) -> Path:
        """As read, but return the path."""
        folders = [self.mesh_path.parent]
        if relative_to is not None and relative_to.parent not in folders:
            folders.insert(0, relative_to.parent)
        if self.mesh_path.parent.name == "meshes":
            folders.append(self.mesh_path.parent.parent / "materials" / "textures")
        for folder in folders:
            path = find_file(folder, name)
            if path is not None:
                return path
        self.missing |= {self._key(folder / name) for folder in folders}
        raise FileNotFoundError(f"{name} is not there")

    def read_path(self, path: Path) -> bytes:
        """Return a file's content; raises ValueError for git-lfs pointers and empty mesh files."""
        data = path.read_bytes()
        if not data and path == self.mesh_path:
            raise ValueError("the file is empty")
        if data.startswith(LFS_POINTER):
            raise ValueError(f"{path.name} is a git-lfs pointer, not the file: run `git lfs pull`")
        self.digests[self._key(path)] = hashlib.sha256(data).hexdigest()
        return data

    def _key(self, path: Path) -> str:
        folder = self.mesh_path.parent
        return (path.relative_to(folder) if path.is_relative_to(folder) else path).as_posix()

    def texture(self, name: str, relative_to: Path | None = None) -> np.ndarray | None:
        """Return the image file `name`, (H, W, 3 or 4) uint8.

        Raises ValueError if it is missing or broken; with allow_missing, returns None instead.
        """
        try:
            path = self.find(name, relative_to)
            data = b"" if path in self._images else self.read_path(path)
        except (ValueError, OSError) as error:
            return self.report_missing(f"texture {error}")
        try:
            if path not in self._images:
                self._images[path] = decode_image(data)
            return self._images[path]
        except ValueError as error:
            return self.report_missing(f"texture {name} {error}")

    def report_missing(self, reason: str) -> None:
        """Raise ValueError with the reason; only warn of it if missing textures are allowed."""
        if not self.allow_missing:
            raise ValueError(reason)
        warnings.warn(f"{reason}; drawn without it", stacklevel=2)

    def record(self) -> dict:
        """Return what was read and what was missing, for `changed_file`."""
        return {"files": dict(sorted(self.digests.items())), "missing": sorted(self.missing)}


def changed_file(mesh_path: Path, record: dict) -> str | None:
    """Return the name of a file that changed since `ReferencedFiles.record`, None if none did."""
    for name, digest in record["files"].items():
        path = mesh_path.parent / name
        if not path.is_file() or hashlib.sha256(path.read_bytes()).hexdigest() != digest:
            return name
    return next((n for n in record["missing"] if find_file(mesh_path.parent, n)), None)


def find_file(folder: Path, name: str) -> Path | None:
    """Return the file that `name` means, seen from `folder`; None if there is none."""
    written = name.strip().strip('"').strip("'")
    spellings = [written, urllib.parse.unquote(written), written.partition(" #")[0].strip()]
    for spelling in dict.fromkeys(spellings):
        spelling = re.sub(r"^file:(//)?(?=/|[^/])", "", spelling).replace("\\", "/")
        spelling = re.sub(r"(?<!^)/+", "/", spelling)
        start = Path("/") if spelling.startswith("/") else folder
        path = _walk(start, [part for part in spelling.split("/") if part not in ("", ".")])
        if path is not None and path.is_file():
            return path
    return None


def _walk(folder: Path, parts: list[str]) -> Path | None:
    for part in parts:
        folder = folder / ".." if part == ".." else _entry(folder, part)
        if folder is None:
            return None
    return folder


def _entry(folder: Path, name: str) -> Path | None:
    """Return the entry of a folder with this name; a difference in case only is accepted."""
    try:
        if (folder / name).exists():
            return folder / name
        similar = [entry for entry in folder.iterdir() if _fold(entry.name) == _fold(name)]
    except (OSError, ValueError):  # no folder, or a name that the system cannot have
        return None
    return similar[0] if len(similar) == 1 else None


def _fold(name: str) -> str:
    return unicodedata.normalize("NFC", name).casefold()


def decode_text(data: bytes) -> str:
    """Return the text of a file in UTF-8, UTF-16 with a byte order mark, or Latin-1."""
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        return data.decode("utf-16", errors="replace")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return data.decode("latin-1")


def read_uri(uri: str, files: ReferencedFiles) -> bytes:
    """Return the content of a data: URI, or of a file beside the mesh file."""
    if uri.startswith("data:"):
        kind, _, text = uri.partition(",")
        is_base64 = kind.endswith("base64")
        return base64.b64decode(text + "==") if is_base64 else urllib.parse.unquote_to_bytes(text)
    return files.read(uri)
