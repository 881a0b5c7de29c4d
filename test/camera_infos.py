"""CameraInfo look-alikes for tests without ROS."""

from types import SimpleNamespace


def info(width=320, height=240, focal=300.0, model="plumb_bob", d=(0.0,) * 5, **changes):
    """Return the camera_info of a camera with square pixels, whose P differs from its K."""
    k = [focal, 0, (width - 1) / 2, 0, focal, (height - 1) / 2, 0, 0, 1]
    p = [2 * focal, 0, 10.0, 0, 0, 2 * focal, 20.0, 0, 0, 0, 1, 0]
    fields = dict(width=width, height=height, distortion_model=model, d=list(d), k=k, p=p)
    whole, r = region(0, 0, 0, 0), [1.0, 0, 0, 0, 1, 0, 0, 0, 1]
    fields |= dict(roi=whole, binning_x=0, binning_y=0, r=r) | changes
    return SimpleNamespace(**fields)


def region(x_offset, y_offset, width, height):
    """Return a RegionOfInterest."""
    return SimpleNamespace(x_offset=x_offset, y_offset=y_offset, width=width, height=height)


LENSES = {
    "pinhole": info(640, 480, 400.0),
    "barrel": info(640, 480, 400.0, d=(-0.28, 0.09, 0.001, -0.002, -0.01)),
    "rational": info(
        640, 480, 400.0, model="rational_polynomial", d=(0.2, 0.1, 0, 0, 0, 0.4, 0.1, 0.02)
    ),
    "fisheye": info(640, 480, 330.0, model="equidistant", d=(-0.02, 0.01, 0.003, -0.001)),
}
