import numpy as np

from tiny_nvs_ros.geometry import look_at
from tiny_nvs_ros.simulation.rasterize import rasterize

SIZE = 64
FRONT_VIEW = look_at((2.0, 0, 0), (0, 0, 0))  # sees y to the right and z upwards
RED, BLUE = (200, 0, 0), (0, 0, 200)


def square(x: float, half: float) -> np.ndarray:
    """Return corners (4, 3), counter-clockwise as seen from +x."""
    return np.array([(x, -half, -half), (x, half, -half), (x, half, half), (x, -half, half)])


def draw(squares, front, back, pose=FRONT_VIEW, focal=SIZE):
    faces = np.concatenate([4 * i + np.array([(0, 1, 2), (0, 2, 3)]) for i in range(len(squares))])
    vertices = np.concatenate(squares)
    corners = [np.repeat(np.array(each, np.uint8), 2, axis=0)[:, None].repeat(3, axis=1)
               for each in (front, back)]  # fmt: skip
    return rasterize(vertices, faces, *corners, pose, focal, SIZE)


def test_square_covers_its_pixels_in_its_colour():
    image = draw([square(0.0, 0.5)], [RED], [BLUE])
    # 1 wide at distance 2: half the focal length, 32 pixels in the middle.
    expected = np.zeros((SIZE, SIZE), bool)
    expected[16:48, 16:48] = True
    assert ((image[..., 3] == 255) == expected).all()
    assert (image[expected][:, :3] == RED).all()
    assert (image[~expected] == (255, 255, 255, 0)).all()


def test_surface_seen_from_behind_has_its_back_colour():
    image = draw([square(0.0, 0.5)], [RED], [BLUE], look_at((-2.0, 0, 0), (0, 0, 0)))
    assert (image[SIZE // 2, SIZE // 2] == (*BLUE, 255)).all()


def test_nearest_surface_hides_others_in_any_order():
    near, far = square(0.5, 0.2), square(-0.5, 1.0)
    images = [draw([near, far], [RED, BLUE], [RED, BLUE]),
              draw([far, near], [BLUE, RED], [BLUE, RED])]  # fmt: skip
    assert (images[0] == images[1]).all()
    assert (images[0][32, 32, :3] == RED).all()
    assert (images[0][32, 12, :3] == BLUE).all()


def test_colours_are_interpolated_in_space_not_in_the_image():
    """Half way along a surface in depth is farther than half way in the image."""
    corners = np.array([(1.0, -0.3, -0.5), (-2.0, -0.3, -0.5), (1.0, -0.3, 0.5)])
    colors = np.array([[(0, 0, 0), (200, 200, 200), (0, 0, 0)]], np.uint8)
    image = rasterize(corners, np.array([[0, 1, 2]]), colors, colors, FRONT_VIEW, SIZE, SIZE)
    row = image[38]  # where the surface is half as high as at its near edge
    column = round(SIZE * -0.3 / 2.5 + SIZE / 2 - 0.5)  # where x is -0.5, half way
    assert row[column, 3] == 255
    assert abs(int(row[column, 0]) - 100) < 12


def test_triangle_behind_the_camera_is_not_drawn():
    assert not draw([square(3.0, 0.5)], [RED], [BLUE])[..., 3].any()


def test_no_triangle_in_the_image_gives_an_empty_image():
    image = draw([square(0.0, 0.5) + np.array([0, 50, 0])], [RED], [BLUE])
    assert not image[..., 3].any()
