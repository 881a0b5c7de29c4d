#!/usr/bin/env bash
# The package and its python, then the command; ROS is there, by the entrypoint of the base.
set -e
. /opt/nvs/install/setup.bash
. /opt/nvs/venv/bin/activate
exec "$@"
