"""Finds the folders that come with this package: weights, the demo's data. ROS is optional.

They are installed in <prefix>/share/tiny_nvs_ros by colcon and by pip, and stand beside the package
in a checkout.
"""

import hashlib
import os
import sys
from pathlib import Path

PACKAGE = "tiny_nvs_ros"
LFS_POINTER = b"version https://git-lfs.github.com/spec/"


def share_folder(name: str) -> Path:
    """Return a folder that comes with the package, such as "weights/cars".

    Looks in the ROS installation's share folders (AMENT_PREFIX_PATH), in python's, and beside the
    package in a checkout. Raises FileNotFoundError, with the places, if there is none.
    """
    folders = [folder / name for folder in _share_folders()]
    for folder in folders:
        if folder.is_dir():
            return folder
    raise FileNotFoundError(f"no folder {' nor '.join(map(str, folders))}")


def find_weights(name: str | Path) -> Path:
    """Return the folder of weights: a path, or the name of weights that come with the package.

    A name without a slash, such as "cars", is never looked up in the working directory. Raises
    FileNotFoundError, with what there is instead, if there is no such folder, and ValueError if its
    files are git-lfs pointers.
    """
    name = str(name)
    if os.sep in name or name.startswith(("~", ".")):
        folder = Path(name).expanduser()
        if folder.is_file():
            raise FileNotFoundError(f"weights {folder} is a file; give its folder, {folder.parent}")
        if not folder.is_dir():
            raise FileNotFoundError(f"weights folder {folder} does not exist")
    else:
        folder = _find_shipped(name)
    for file in sorted(filter(Path.is_file, folder.iterdir())):
        check_not_lfs_pointer(file)
    return folder


def is_lfs_pointer(file: str | Path) -> bool:
    """Return whether a file is a git-lfs pointer: the text that stands in for its content."""
    with open(file, "rb") as stream:
        return stream.read(len(LFS_POINTER)) == LFS_POINTER


def check_not_lfs_pointer(file: str | Path) -> None:
    """Raise ValueError if a file is a git-lfs pointer."""
    if is_lfs_pointer(file):
        raise ValueError(
            f"{file} is a git-lfs pointer, not the file itself: run `git lfs install` and "
            "`git lfs pull` in the checkout, then build again"
        )


def fingerprint(weights: str | Path) -> str:
    """Return the digest of model.safetensors, which an exported graph carries."""
    file = Path(weights) / "model.safetensors"
    if not file.is_file():
        raise FileNotFoundError(f"{file} is missing; a weights folder holds it")
    check_not_lfs_pointer(file)
    return hashlib.sha256(file.read_bytes()).hexdigest()


def _find_shipped(name: str) -> Path:
    """Return the folder of shipped weights. Raises FileNotFoundError with suggestions."""
    if name:
        try:
            return share_folder(f"weights/{name}")
        except FileNotFoundError:
            pass
    for near in (Path(name), Path("weights", name)):
        if name and near.is_dir():
            path = near if len(near.parts) > 1 else f"./{near}"
            raise FileNotFoundError(
                f"no weights {name!r} come with the package: for the folder {path}, give its path, "
                f"{path}"
            )
    shipped = sorted(
        {
            file.parent.name
            for root in _share_folders()
            for file in root.glob("weights/*/config.json")
        }
    )
    names = ", ".join(shipped) or "none in " + " nor ".join(str(f) for f in _share_folders())
    raise FileNotFoundError(
        f"no weights {name!r} come with the package: there are {names}; a folder of your own is "
        "given by a path, such as ./mine"
    )


def _share_folders() -> list[Path]:
    """Return the share folders that can hold the package's files, the checkout's last."""
    prefixes = os.environ.get("AMENT_PREFIX_PATH", "").split(os.pathsep)
    prefixes = [prefix for prefix in prefixes if prefix] + [sys.prefix]
    folders = [Path(prefix, "share", PACKAGE) for prefix in dict.fromkeys(prefixes)]
    return [*folders, Path(__file__).resolve().parents[1]]
