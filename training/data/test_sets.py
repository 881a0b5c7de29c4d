"""Test sets: folders that nothing is trained on."""

from pathlib import Path

NAMES = (
    "ycb",
    "kenney",
    "photos",
)  # alone or before "_", as in ycb_5; besides all that end in "_test"
PARENTS = 2  # as in ycb/002_can/google_16k/textured.obj
MARKER = "test_only"  # a file that marks a folder of another name, or of a copied test set


def is_test_name(folder: Path) -> bool:
    """Return whether a folder is a test set by its name."""
    return _is_known(folder) or folder.name.endswith("_test")


def _is_known(folder: Path) -> bool:
    return folder.name.split("_")[0] in NAMES


def refuse_test_sets(*paths: Path) -> None:
    """Raise ValueError for a file or folder to train on that is in a test set, or holds one.

    A path is in one if a folder above it has a test set's marker, or one of the next PARENTS has
    one of NAMES.
    """
    for path in paths:
        top = path.resolve() if path.is_dir() else path.resolve().parent
        below = [p for p in path.resolve().rglob("*") if p.is_dir()] if path.is_dir() else []
        named = [*filter(_is_known, top.parents[:PARENTS]), *filter(is_test_name, (top, *below))]
        if named:
            raise ValueError(f"{named[0]}: is a test set (by its name); nothing is trained on it")
        for folder in (top, *top.parents, *below):
            if (folder / MARKER).exists():
                raise ValueError(
                    f"{folder}: is a test set (it holds {MARKER}); nothing is trained on it"
                )
