"""Test sets: folders that nothing is trained on."""

from pathlib import Path

NAMES = (
    "ycb",
    "kenney",
    "photos",
)  # alone or before "_", as in ycb_5; besides all that end in "_test"
MARKER = "test_only"  # a file that marks a folder of another name, or of a copied test set


def is_test_name(folder: Path) -> bool:
    """Return whether a folder is a test set by its name."""
    return folder.name.split("_")[0] in NAMES or folder.name.endswith("_test")


def refuse_test_sets(*paths: Path) -> None:
    """Raise ValueError for a file or folder to train on that is in a test set, or holds one."""
    for path in paths:
        top = path.resolve() if path.is_dir() else path.resolve().parent
        below = (p for p in path.resolve().rglob("*") if p.is_dir()) if path.is_dir() else ()
        for folder in (top, *below):
            reason = "by its name" if is_test_name(folder) else f"it holds {MARKER}"
            if is_test_name(folder) or (folder / MARKER).exists():
                raise ValueError(f"{folder}: is a test set ({reason}); nothing is trained on it")
