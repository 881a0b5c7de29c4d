from pathlib import Path

import pytest

from tiny_nvs_ros import resources

ROOT = Path(__file__).parents[1]


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A working folder with weights in mine/ and in weights/yours/, and no ROS."""
    for name in ("mine", "weights/yours"):
        (tmp_path / name).mkdir(parents=True)
        (tmp_path / name / "config.json").write_text("{}")
        (tmp_path / name / "model.safetensors").write_bytes(b"\x08\0\0\0\0\0\0\0{}      ")
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("AMENT_PREFIX_PATH", raising=False)
    return tmp_path


def test_weights_that_come_with_the_package_are_found_by_name(folder):
    assert resources.find_weights("cars").name == "cars"
    assert (resources.find_weights("cars") / "config.json").is_file()


def test_installed_weights_come_before_those_of_the_checkout(folder, monkeypatch):
    installed = folder / "prefix/share/tiny_nvs_ros/weights/cars"
    installed.mkdir(parents=True)
    monkeypatch.setenv("AMENT_PREFIX_PATH", f"{folder}/nothing:{folder}/prefix")
    assert resources.find_weights("cars") == installed
    assert resources.share_folder("weights") == installed.parent


@pytest.mark.parametrize("name", ["./mine", "weights/yours", "{folder}/mine", "~/mine"])
def test_weights_are_found_by_path(folder, name, monkeypatch):
    monkeypatch.setenv("HOME", str(folder))
    found = resources.find_weights(name.format(folder=folder))
    assert (found / "config.json").is_file()


@pytest.mark.parametrize("name, path", [("mine", "./mine"), ("yours", "weights/yours")])
def test_name_of_a_folder_nearby_is_refused_with_its_path(folder, name, path):
    with pytest.raises(FileNotFoundError, match=f"no weights '{name}' .* give its path, {path}$"):
        resources.find_weights(name)


def test_unknown_name_is_refused_with_those_there_are(folder):
    with pytest.raises(FileNotFoundError, match=r"no weights 'bus' .*there are .*cars, cars_"):
        resources.find_weights("bus")
    with pytest.raises(FileNotFoundError, match=r"weights folder bus/red does not exist"):
        resources.find_weights("bus/red")
    with pytest.raises(FileNotFoundError, match="is a file; give its folder, mine"):
        resources.find_weights("./mine/model.safetensors")
    with pytest.raises(FileNotFoundError, match="no weights ''"):
        resources.find_weights("")


@pytest.mark.parametrize("file", ["model.onnx", "config.json"])
def test_git_lfs_pointer_is_named_with_the_remedy(folder, file):
    pointer = "version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 5\n"
    (folder / "mine" / file).write_text(pointer)
    with pytest.raises(ValueError, match=rf"mine/{file} is a git-lfs pointer.*git lfs pull"):
        resources.find_weights("./mine")


def test_missing_share_folder_is_refused_with_the_places(folder):
    with pytest.raises(FileNotFoundError, match=f"share/tiny_nvs_ros/nothing nor .*{ROOT}/nothing"):
        resources.share_folder("nothing")
