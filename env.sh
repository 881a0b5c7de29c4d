# Sets up this shell: . ./env.sh (bash, zsh; another sh: from the checkout's root).
# Then python finds ROS, the interfaces, the package, training/ and torch.

if [ -n "${BASH_VERSION:-}" ]; then
    _root=$(cd "$(dirname "$BASH_SOURCE")" && pwd)
elif [ -n "${ZSH_VERSION:-}" ]; then
    _root=$(cd "$(dirname "$0")" && pwd)
else
    _root=$(pwd)
fi

_venv="$_root/${VENV:-.venv}"

if [ ! -f "$_venv/built" ]; then
    echo "env.sh: nothing is built in $_venv yet: make build" >&2
    unset _root _venv
    return 1
fi

if grep -q "^installed" "$_venv/ros"; then
    . "$_root/install/setup.sh"
    _stand_ins=
else
    export AMENT_PREFIX_PATH="$_venv"
    _stand_ins=":$_root/ros_pip"
fi
export PYTHONPATH="$_root${PYTHONPATH:+:$PYTHONPATH}$_stand_ins"
export PATH="$_venv/bin:$PATH"
export VIRTUAL_ENV="$_venv"
unset _root _venv _stand_ins
