"""Pieces of objects that several families share."""
