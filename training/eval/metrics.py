"""Metrics of imagined views. Each function takes a batch and returns one number per image.

images, truths: (N, H, W, 3) in [0, 1], uint8 / 255 (a mean over samples may lie between grey
levels), objects on white.
"""

import numpy as np
from skimage.color import deltaE_ciede2000, rgb2lab
from skimage.metrics import structural_similarity

WHITE_FROM = 240 / 255  # a pixel is background if all three colours are at least this bright
LEAST_ERROR = 1 / 12 / 255**2  # variance of the rounding to 8 bits


def psnr(images: np.ndarray, truths: np.ndarray) -> np.ndarray:
    """Return the peak signal-to-noise ratio over all pixels and colours, dB, (N,).

    10 log10(1 / MSE). The MSE is at least that of rounding to 8 bits, so that an exact image has
    58.9 dB, not infinity.
    """
    return -10 * np.log10(np.maximum(squared_error(images, truths), LEAST_ERROR))


def squared_error(images: np.ndarray, truths: np.ndarray) -> np.ndarray:
    """Return the mean squared error over all pixels and colours, (N,)."""
    difference = images.astype(np.float64) - truths
    return (difference**2).mean(axis=(1, 2, 3))


def ssim(images: np.ndarray, truths: np.ndarray) -> np.ndarray:
    """Return the structural similarity (Wang et al. 2004), 1 for equal images, (N,).

    As scikit-image computes it: uniform windows of 7x7, sample covariance, mean over the colours
    and over the windows that lie wholly in the image. These are the settings of the SRN protocol
    (Sitzmann et al. 2019; Yu et al. 2021, pixelNeRF).
    """
    window, (count, height, width, colours) = 7, images.shape

    # One call for the whole batch: its planes are stacked vertically. Windows that reach into a
    # neighbouring plane are in the rim, which is cut off.
    def stacked(batch: np.ndarray) -> np.ndarray:
        return np.moveaxis(batch, -1, 1).reshape(-1, width).astype(np.float64)

    _, every = structural_similarity(
        stacked(images), stacked(truths), win_size=window, data_range=1.0, full=True
    )
    rim = window // 2
    inner = every.reshape(count, colours, height, width)[:, :, rim:-rim, rim:-rim]
    return inner.mean(axis=(1, 2, 3))


def silhouette(images: np.ndarray) -> np.ndarray:
    """Return the object's pixels, (N, H, W) bool: at least one colour is darker than WHITE_FROM."""
    return images.min(axis=-1) < WHITE_FROM


def delta_e(images: np.ndarray, truths: np.ndarray) -> np.ndarray:
    """Return the mean colour difference CIEDE2000 over the truth's silhouette, (N,).

    NaN for an empty silhouette. sRGB under D65; about 1 is just noticeable, 100 is black against
    white (Sharma et al. 2005).
    """
    inside = silhouette(truths)
    difference = np.zeros(inside.shape)
    difference[inside] = deltaE_ciede2000(rgb2lab(images[inside]), rgb2lab(truths[inside]))
    pixels = inside.sum(axis=(1, 2))
    return np.where(pixels > 0, difference.sum(axis=(1, 2)) / np.maximum(pixels, 1), np.nan)


def iou(images: np.ndarray, truths: np.ndarray) -> np.ndarray:
    """Return the intersection over union of the silhouettes, (N,); 1 if both are empty."""
    ours, theirs = silhouette(images), silhouette(truths)
    union = (ours | theirs).sum(axis=(1, 2))
    return np.where(union > 0, (ours & theirs).sum(axis=(1, 2)) / np.maximum(union, 1), 1.0)


METRICS = {"psnr": psnr, "ssim": ssim, "delta_e": delta_e, "iou": iou}
SMALLER_IS_BETTER = {"delta_e"}


def spread_skill(variance: float, mean_squared_error: float) -> float:
    """Return the ratio of an ensemble's spread to its mean's error.

    1 is calibrated; below 1 the spread is too small. variance: mean squared distance of the samples
    from their mean; mean_squared_error: of that mean from the truth. Both are averaged over
    everything before the root is taken; a mean of roots would be below 1 for a calibrated ensemble.
    Fortin et al. 2014, without their factor for the mean of few samples: antithetic samples have
    nearly the mean of many.
    """
    return float(np.sqrt(variance / max(mean_squared_error, LEAST_ERROR)))
