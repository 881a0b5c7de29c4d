"""Finds parameters on the command line and in parameter files that a node does not use."""

import difflib
import re
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

import yaml
from rclpy.node import Node
from rclpy.utilities import remove_ros_args

PARAMETERS_KEY = "ros__parameters"


def warn_of_unused_arguments(
    node: Node, args: list[str] | None = None, later: Iterable[str] = ()
) -> None:
    """Log a warning for each source of parameters that the node does not have.

    args: the arguments of rclpy.init. later: names that the node declares later.
    """
    known = {*node.get_parameters_by_prefix(""), *later}
    args = sys.argv if args is None else args
    for warning in unused_arguments(args, node.get_fully_qualified_name(), known):
        node.get_logger().warning(warning)


def unused_arguments(args: list[str], node: str, known: set[str]) -> list[str]:
    """Return a warning for each source of parameters that no parameter of a node takes.

    args: a command line, program first. node: full name. known: names of the node's parameters.
    """
    warnings = []
    if extra := remove_ros_args(args)[1:]:
        warnings.append(f"arguments that are not behind --ros-args are ignored: {' '.join(extra)}")
    flags = list(ros_flags(args))
    rules = [split_rule(value) for flag, value in flags if flag in ("-p", "--param")]
    others = [f"{target}:{name}" for target, name in rules if target and not names(target, node)]
    if others:
        warnings.append(f"parameters of other nodes than {node} are ignored: {', '.join(others)}")
    mine = [name for target, name in rules if not target or names(target, node)]
    warnings += unknown_parameters(mine, "the command line", known)
    for file in (value for flag, value in flags if flag == "--params-file"):
        try:
            sections = dict(read_parameter_file(file))
        except (OSError, yaml.YAMLError):
            continue  # rcl has read it; it is gone, or PyYAML reads it otherwise
        mine = [name for target in sections if names(target, node) for name in sections[target]]
        if sections and not any(names(target, node) for target in sections):
            warnings.append(
                f"{file} has no parameters for this node, {node}: it has some for "
                f"{', '.join(sections)}; write {node} or /**"
            )
        warnings += unknown_parameters(mine, file, known)
    return warnings


def unknown_parameters(given: list[str], where: str, known: set[str]) -> list[str]:
    """Return a warning that names the unknown parameters, with similar names; empty without."""
    texts = []
    for name in given:
        if name not in known:
            similar = difflib.get_close_matches(name, known, n=1)
            texts.append(f"{name} (did you mean {similar[0]}?)" if similar else name)
    return [f"unknown parameters in {where} are ignored: {', '.join(texts)}"] if texts else []


def ros_flags(args: list[str]) -> Iterator[tuple[str, str]]:
    """Yield each flag between --ros-args and -- with the argument that follows it."""
    inside = False
    for flag, value in zip(args, [*args[1:], ""], strict=True):
        if flag in ("--ros-args", "--"):
            inside = flag == "--ros-args"
        elif inside and flag.startswith("-"):
            yield flag, value


def split_rule(rule: str) -> tuple[str, str]:
    """Return node (empty: every node) and name of the parameter rule [NODE:]NAME:=VALUE."""
    target, _, name = rule.partition(":=")[0].rpartition(":")
    return target, name


def read_parameter_file(file: str) -> Iterator[tuple[str, list[str]]]:
    """Yield each node name pattern of a parameter file with the names of its parameters."""
    yield from sections_of(yaml.safe_load(Path(file).read_text()) or {}, "")


def sections_of(tree: dict, path: str) -> Iterator[tuple[str, list[str]]]:
    for key, value in tree.items():
        if key == PARAMETERS_KEY:
            yield path, list(flat_names(value or {}, ""))
        elif isinstance(value, dict):
            yield from sections_of(value, f"{path}/{key}" if path else str(key))


def flat_names(tree: dict, prefix: str) -> Iterator[str]:
    for key, value in tree.items():
        if isinstance(value, dict):
            yield from flat_names(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}"


def names(pattern: str, node: str) -> bool:
    """Return whether a name pattern of parameters applies to a node.

    A pattern without a leading slash is in the root namespace; * stands for one part of a name, **
    for any number of parts.
    """
    parts = [part for part in pattern.split("/") if part]
    wildcards = {"*": "/[^/]+", "**": "(/[^/]+)*"}
    expression = "".join(wildcards.get(part, f"/{re.escape(part)}") for part in parts)
    return re.fullmatch(expression, node) is not None
