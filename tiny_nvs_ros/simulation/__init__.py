"""Simulated objects, and photographs of them from anywhere. Needs neither ROS nor OpenGL."""
