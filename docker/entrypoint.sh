#!/usr/bin/env bash
# Sets up the package and its python, and runs the command; the base's entrypoint sets up ROS.
set -e
. /opt/nvs/install/setup.bash
. /opt/nvs/venv/bin/activate
exec "$@"
