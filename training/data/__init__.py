"""Makes and reads training data: meshes, rendered views, recordings."""
