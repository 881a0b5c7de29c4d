"""Reports of an evaluation: the table, JSON, and the metrics in a weights folder's config.json."""

import json
import math
from pathlib import Path

from tiny_nvs_ros.model.base import replace_file
from training.eval.metrics import METRICS

# Models by name. The model gets relative poses (a flow also elevations), or both poses wholly.
MODEL_TITLES = {
    "model": "model",
    "model_heading": "model with heading",
    "compared": "compared model",
}


def table(result: dict[str, dict[str, float]], samples: int) -> str:
    """Return the result as a Markdown table."""
    rows = []
    models = {title: result[name] for name, title in MODEL_TITLES.items() if name in result}
    for title, numbers in models.items():
        rows.append((f"{title}, one sample", numbers, ""))
        if samples > 1:
            rows += [
                (f"{title}, {which} of {samples} samples", numbers, f"_{which}{samples}")
                for which in ("mean", "best")
            ]
    titles = {
        "regressor": "regressor, same network",
        "regressor_heading": "regressor with heading",
        "nearest_neighbour": "nearest training instance",
        "mean_view": "mean training view",
        "copy_input": "copy of the input",
        "autoencoder": "autoencoder (ceiling)",
        "autoencoder_compared": "compared autoencoder",
    }
    rows += [(title, result[name], "") for name, title in titles.items() if name in result]
    width = max(len(title) for title, _, _ in rows)
    lines = [
        f"| {'method':<{width}} | PSNR, dB |  SSIM | delta E |   IoU |",
        f"| {'-' * width} | -------: | ----: | ------: | ----: |",
    ]
    for title, numbers, suffix in rows:
        psnr, ssim, delta_e, iou = (numbers[metric + suffix] for metric in METRICS)
        lines.append(
            f"| {title:<{width}} | {psnr:8.2f} | {ssim:5.3f} | {delta_e:7.1f} | {iou:5.3f} |"
        )
    if samples > 1:
        lines += [""]
        for title, numbers in models.items():
            lines.append(
                f"{title}: spread/skill {numbers['spread_skill']:.2f} (1 is calibrated), "
                f"of colour alone {numbers['spread_skill_colour']:.2f}"
            )
    return "\n".join(lines)


def to_json(report: dict) -> str:
    """Return JSON with numbers to six digits, and null for NaN, which JSON does not have."""

    def tidy(value: object) -> object:
        if isinstance(value, dict):
            return {key: tidy(item) for key, item in value.items()}
        if isinstance(value, float):
            return float(f"{value:.6g}") if math.isfinite(value) else None
        return value

    return json.dumps(tidy(report), indent=2) + "\n"


def write_card(config_file: Path, report: dict) -> None:
    config = json.loads(config_file.read_text())
    config["metrics"] = json.loads(to_json(report))
    text = json.dumps(config, indent=2) + "\n"
    replace_file(config_file, lambda file: file.write_text(text))
