"""Evaluation: methods, metrics, scores, reports, and pictures of them."""
