"""The losses of the multi-view network: energy scores of its samples, and of repaired masks.

The energy score of samples x1, x2 and a truth y is (|x1 - y| + |x2 - y|) / 2 - |x1 - x2| / 2. Its
expectation is smallest if the samples have the truth's distribution given the sources, so that
their mean is the best guess and their spread its error (Gneiting and Raftery 2007; trained
generators: Shen and Meinshausen 2024, "Engression").
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from tiny_nvs_ros.model.multiview.mask_repair import MaskRepair
from tiny_nvs_ros.model.multiview.network import MultiviewNetwork, Views

PATCH = 8  # pixels; the score of patches tells where the spread belongs
ALPHA_WEIGHT, DEPTH_WEIGHT = 0.3, 0.3  # beside colour on white
MASK_WEIGHT = 0.3  # of the cross-entropy of repaired masks, beside all that


class EnergyScoreLoss(nn.Module):
    """Energy scores of colour on white, of alpha, and of depth inside the true silhouette.

    Beside them, the cross-entropy of repaired masks, if the network repairs masks.
    """

    def __init__(self, network: MultiviewNetwork):
        super().__init__()
        self.network = network

    def forward(
        self, color: Tensor, alpha: Tensor, depth: Tensor, source_alpha: Tensor, *request: Tensor
    ) -> dict[str, Tensor]:
        """color: (B, K, 3, h, w) on white, 0 to 1; alpha: (B, K, 1, h, w); depth: (B, K, 1, h, w)
        object radii behind the centre, NaN if unknown: such pixels teach no depth; source_alpha:
        (B, n, 1, h, w), the sources' right masks; request: arguments of MultiviewNetwork, two
        samples."""
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
        if self.network.repair is not None:
            masks = mask_scores(self.network.repair, request[0], source_alpha)
            loss, scores = loss + MASK_WEIGHT * masks["mask"], scores | masks
        with torch.no_grad():
            error = (views.on_white().mean(dim=2) - color).square().mean()
        return {"loss": loss, "mean_of_2_mse": error, **scores}


class MaskLoss(nn.Module):
    """Cross-entropy of repaired masks, which is also a part of EnergyScoreLoss."""

    def __init__(self, network: MultiviewNetwork):
        super().__init__()
        self.repair = network.repair

    def forward(
        self,
        color: Tensor,
        alpha: Tensor,
        depth: Tensor,
        source_alpha: Tensor,
        images: Tensor,
        *cameras: Tensor,
    ) -> dict[str, Tensor]:
        """Return scores of the arguments of EnergyScoreLoss; most of them are not used."""
        scores = mask_scores(self.repair, images, source_alpha)
        return {"loss": scores["mask"], **scores}


def mask_scores(repair: MaskRepair, images: Tensor, alpha: Tensor) -> dict[str, Tensor]:
    """Return the cross-entropy of repaired masks, and mean errors of them and of those given.

    images: (B, n, 7, h, w), as MultiviewNetwork takes them; alpha: (B, n, 1, h, w), right masks.
    """
    images, alpha = images.flatten(0, 1), alpha.flatten(0, 1)
    logits, where = repair.logits(images)
    area = where.sum().clamp(min=1)
    entropy = F.binary_cross_entropy_with_logits(logits, alpha, where, reduction="sum") / area
    with torch.no_grad():
        given = (images[:, 3:4] + 1) / 2
        errors = [((x - alpha).abs() * where).sum() / area for x in (logits.sigmoid(), given)]
    return {"mask": entropy, "mask_error": errors[0], "given_mask_error": errors[1]}


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
