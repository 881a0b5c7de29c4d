"""Readers of mesh file formats: one module per format, each with read(path, files) -> list[Mesh].

A reader honours what the file says of shape, colour, texture and orientation, or raises ValueError
with the reason. It never draws a surface grey that the file gives a colour.
"""
