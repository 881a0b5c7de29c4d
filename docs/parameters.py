"""Writes docs/parameters.md: python docs/parameters.py > docs/parameters.md"""

import json
from dataclasses import Field, fields

from tiny_nvs_ros.node.parameters import (
    ANY_TIME,
    AT_START,
    WHEN_UNCONFIGURED,
    Settings,
    parameter_name,
)

HEAD = """\
# Parameters of the nvs node

Made by `python docs/parameters.py > docs/parameters.md` from the table from which the node declares
them. `ros2 param describe /nvs NAME` says the same of a running node, and
[config/nvs.yaml](../config/nvs.yaml) holds them all with their defaults.

When they change: *always*, while the node runs (`ros2 param set /nvs samples 8`); *unconfigured*,
only before `configure` or after `cleanup`, since they belong to the loaded model; *at start*, only
in a parameter file or on the command line. A value that cannot be is refused with the reason.

| parameter | type | default | values | changes | |
| --- | --- | --- | --- | --- | --- |
"""
TYPES = {str: "string", bool: "bool", int: "integer", float: "double"}
CHANGES = {ANY_TIME: "always", WHEN_UNCONFIGURED: "unconfigured", AT_START: "at start"}


def line(row: Field) -> str:
    """A row of the table, in Markdown."""
    is_list = isinstance(row.default, tuple)
    type_ = TYPES[type(row.default[0] if is_list else row.default)] + "[]" * is_list
    values = ", ".join(f"`{value}`" for value in row.metadata["among"])
    if row.metadata["within"]:
        values = "{:.12g} to {:.12g}".format(*row.metadata["within"])
    cells = [
        f"`{parameter_name(row)}`",
        type_,
        f"`{json.dumps(row.default)}`",
        values,
        CHANGES[row.metadata["changes"]],
        row.metadata["description"],
    ]
    return f"| {' | '.join(cells)} |\n"


if __name__ == "__main__":
    print(HEAD + "".join(map(line, fields(Settings))), end="")
