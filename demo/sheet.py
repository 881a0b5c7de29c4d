"""A page for the pictures of the demos."""

import cv2
import numpy as np

from tiny_nvs_ros.image import resize


class Sheet:
    """A white page for images and text; positions and sizes in pixels."""

    def __init__(self, width: int, height: int):
        self.pixels = np.full((height, width, 3), 255, np.uint8)

    def image(self, image: np.ndarray, left: int, top: int, size: int) -> None:
        """Draw an image (H x W x 3 uint8 RGB) with visible square pixels."""
        small = resize(image, min(32, image.shape[0]))
        big = cv2.resize(small, (size, size), interpolation=cv2.INTER_NEAREST)
        self.pixels[top : top + size, left : left + size] = big
        cv2.rectangle(self.pixels, (left, top), (left + size - 1, top + size - 1), (205,) * 3)

    def text(
        self, text: str, left: int, top: int, size: float = 0.5, ink: int = 60, centre: int = 0
    ) -> None:
        """Draw text. ink: grey value. centre: width in which the text is centred, 0 for none."""
        font = cv2.FONT_HERSHEY_DUPLEX
        (width, _), _ = cv2.getTextSize(text, font, size, 1)
        place = (left + max(0, centre - width) // 2, top)
        cv2.putText(self.pixels, text, place, font, size, (ink,) * 3, 1, cv2.LINE_AA)
