#!/usr/bin/env bash
# ROS, the package and its python, then the command.
set -e
. /opt/nvs/install/setup.bash
. /opt/nvs/venv/bin/activate
exec "$@"
