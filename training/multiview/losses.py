"""The loss of the multi-view network: energy scores of its samples.

The energy score of samples x1, x2 and a truth y is (|x1 - y| + |x2 - y|) / 2 - |x1 - x2| / 2. Its
expectation is smallest if the samples have the truth's distribution given the sources, so that
their mean is the best guess and their spread its error (Gneiting and Raftery 2007; trained
generators: Shen and Meinshausen 2024, "Engression").
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from tiny_nvs_ros.model.multiview.network import MultiviewNetwork, Views

PATCH = 8  # pixels; the score of patches tells where the spread belongs
ALPHA_WEIGHT, DEPTH_WEIGHT = 0.3, 0.3  # beside colour on white


class EnergyScoreLoss(nn.Module):
    """Energy scores of colour on white, of alpha, and of depth inside the true silhouette."""

    def __init__(self, network: MultiviewNetwork):
        super().__init__()
        self.network = network

    def forward(
        self, color: Tensor, alpha: Tensor, depth: Tensor, *request: Tensor
    ) -> dict[str, Tensor]:
        """color: (B, K, 3, h, w) on white, 0 to 1; alpha: (B, K, 1, h, w); depth: (B, K, 1, h, w)
        object radii behind the centre, NaN if unknown: such pixels teach no depth; request:
        arguments of MultiviewNetwork, two samples."""
        views: Views = self.network(*request)
        known = depth.isfinite()
        inside, depth = (alpha * known)[:, :, None], depth.nan_to_num() * alpha * known
        scores = {
            "color": energy_score(views.on_white(), color),
            "alpha": energy_score(views.alpha, alpha),
            "depth": energy_score(views.depth * inside, depth),
        }
        weights = {"color": 1.0, "alpha": ALPHA_WEIGHT, "depth": DEPTH_WEIGHT}
        loss = sum(weights[name] * score for name, score in scores.items())
        with torch.no_grad():
            error = (views.on_white().mean(dim=2) - color).square().mean()
        return {"loss": loss, "mean_of_2_mse": error, **scores}


def energy_score(samples: Tensor, truth: Tensor) -> Tensor:
    """Return the mean of the scores of whole images and of patches.

    samples: (B, K, 2, C, h, w); truth: (B, K, C, h, w).
    """
    first, second = samples.flatten(0, 1).unbind(dim=1)
    truth = truth.flatten(0, 1)
    near = distance(first, truth) + distance(second, truth)
    return (near / 2 - distance(first, second) / 2).mean()


def distance(images: Tensor, others: Tensor) -> Tensor:
    """Return the root mean square difference (B,) of images (B, C, h, w), whole plus in patches."""
    squares = (images - others).square().mean(dim=1, keepdim=True)
    patches = F.avg_pool2d(squares, PATCH)
    whole = patches.mean(dim=(1, 2, 3))
    return (whole + 1e-6).sqrt() + (patches + 1e-6).sqrt().mean(dim=(1, 2, 3))
