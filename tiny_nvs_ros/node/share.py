"""Where the files that come with this package lie."""

from pathlib import Path

from ament_index_python.packages import PackageNotFoundError, get_package_share_directory


def share_folder(name: str) -> Path:
    """A folder such as "weights": installed in share/, or beside the module in a checkout.

    Raises FileNotFoundError naming where it looked.
    """
    checkout = Path(__file__).resolve().parents[2] / name
    try:
        installed = Path(get_package_share_directory("tiny_nvs_ros")) / name
    except PackageNotFoundError:
        installed = checkout
    for folder in (installed, checkout):
        if folder.is_dir():
            return folder
    raise FileNotFoundError(f"no folder {installed} (nor {checkout})")
