"""The picture of an evaluation."""

import numpy as np

from tiny_nvs_ros.srn_data import SrnInstance
from training.eval.contact_sheet import draw_contact_sheet
from training.eval.methods import MethodViews, Protocol


class EvaluationPicture:
    """A contact sheet of the input, the truth, and each method's image.

    Rows: views of instances spread over the set, each from another part of the trajectory, then
    the model's best and worst view.
    """

    ROWS = 6  # of instances spread over the set

    def __init__(self, instances: list[SrnInstance], protocol: Protocol):
        rows = min(len(instances), self.ROWS)
        self.wanted = {}  # view by instance
        for row, k in enumerate(np.linspace(0, len(instances) - 1, rows).round().astype(int)):
            targets = protocol.targets(instances[k])
            self.wanted[instances[k].name] = targets[int((row + 0.5) / rows * len(targets))]
        self.rows: dict[str, tuple[float, dict[str, np.ndarray]]] = {}

    def offer(self, name: str, targets: np.ndarray, shown: MethodViews, psnr: np.ndarray) -> None:
        """Take from a batch the rows of the picture; psnr: the model's."""

        def take(key: str, k: int) -> None:
            columns = {
                "input": shown.source,
                "truth": shown.truths[k],
            }
            for method, views in shown.views.items():
                columns[method.replace("_", " ")] = views.rgb[k, 0]
            model = shown.views["model"]
            if model.rgb.shape[1] > 1:
                columns["model's mean"] = model.mean[k]
                columns["its spread"] = np.repeat(
                    1 - np.clip(3 * model.std[k, ..., None], 0, 1), 3, axis=-1
                )
            for method, images in shown.others.items():
                if method not in ("copy_input", "autoencoder_compared"):  # the first is a column
                    columns[method.replace("_", " ")] = images[k]
            self.rows[key] = (psnr[k], columns)

        for k in np.flatnonzero(targets == self.wanted.get(name)):
            take(name, k)
        for key, k, better in (
            ("best view", psnr.argmax(), np.greater),
            ("worst view", psnr.argmin(), np.less),
        ):
            if key not in self.rows or better(psnr[k], self.rows[key][0]):
                take(key, k)

    def draw(self) -> np.ndarray:
        """Return the contact sheet, H x W x 3 uint8."""
        rows = []
        for key in (*self.wanted, "best view", "worst view"):
            psnr, columns = self.rows[key]
            rows.append(([key, f"{psnr:.1f} dB"], list(columns.values())))
        return draw_contact_sheet(list(columns), rows)
