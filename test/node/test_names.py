"""No attribute of NvsNode hides one of rclpy's, which would break rclpy silently."""

import ast
import inspect

from rclpy.lifecycle import LifecycleNode

from tiny_nvs_ros.node.node import NvsNode


def test_no_attribute_hides_one_of_rclpy(ros_node):
    node = LifecycleNode("names")
    theirs = {name for name in {*vars(node), *dir(LifecycleNode)} if not name.startswith("__")}
    node.destroy_node()
    tree = ast.parse(inspect.getsource(NvsNode))
    assigned = {
        each.attr
        for each in ast.walk(tree)
        if isinstance(each, ast.Attribute) and isinstance(each.ctx, ast.Store)
    }
    defined = {each.name for each in ast.walk(tree) if hasattr(each, "name") and each.name}
    callbacks = {name for name in defined if name.startswith("on_")}
    assert "_inputs" in assigned
    assert not (assigned | defined - callbacks) & theirs
