"""Reports of an evaluation: the table, JSON, and the metrics in a weights folder's config.json."""

import json
import math
import platform
from importlib.metadata import version
from pathlib import Path

import torch

from tiny_nvs_ros.model.base import replace_file

# Models by name. The model gets relative poses (a flow also elevations), or both poses wholly.
MODEL_TITLES = {
    "model": "model",
    "model_heading": "model with heading",
    "compared": "compared model",
}


# Columns of the tables: title and format by metric, those of SPREADS for models only. A column that
# no row has is left out.
COLUMNS = {
    "psnr": ("PSNR, dB", ".2f"),
    "ssim": ("SSIM", ".3f"),
    "delta_e": ("delta E", ".1f"),
    "iou": ("IoU", ".3f"),
    "alpha_iou": ("alpha IoU", ".3f"),
    "depth_error": ("depth, radii", ".3f"),
    "depth_relative_error": ("depth, %", ".1%"),
}
SPREADS = {
    "spread_skill": ("spread/skill", ".2f"),
    "spread_skill_colour": ("of colour", ".2f"),
    "spread_skill_alpha": ("of alpha", ".2f"),
    "spread_skill_depth": ("of depth", ".2f"),
}
BASELINE_TITLES = {
    "regressor": "regressor, same network",
    "regressor_heading": "regressor with heading",
    "nearest_neighbour": "nearest training instance",
    "mean_view": "mean training view",
    "copy_input": "copy of the input",
    "autoencoder": "autoencoder (ceiling)",
    "autoencoder_compared": "compared autoencoder",
}
Rows = list[tuple[dict[str, str], dict[str, str]]]  # words and numbers of each row, by column


def table(report: dict, samples: int) -> str:
    """Return the report as a Markdown table, with a row for each number of sources, if several."""
    if "by_sources" in report:
        return _by_sources(report["by_sources"], samples)
    rows: Rows = []
    models = {title: report[name] for name, title in MODEL_TITLES.items() if name in report}
    for title, numbers in models.items():
        rows.append(({"method": f"{title}, one sample"}, _cells(numbers, COLUMNS)))
        if samples > 1:
            rows += [
                (
                    {"method": f"{title}, {which} of {samples} samples"},
                    _cells(numbers, COLUMNS, f"_{which}{samples}"),
                )
                for which in ("mean", "best")
            ]
    rows += [
        ({"method": title}, _cells(report[name], COLUMNS))
        for name, title in BASELINE_TITLES.items()
        if name in report
    ]
    lines = [_markdown(rows)]
    if samples > 1:
        lines += [""]
        for title, numbers in models.items():
            spread, *others = _cells(numbers, SPREADS).items()
            words = "".join(f", {name} {value}" for name, value in others)
            lines.append(f"{title}: {' '.join(spread)} (1 is calibrated){words}")
    return "\n".join(lines)


def _by_sources(reports: dict[int, dict], samples: int) -> str:
    """Return the table of several numbers of sources: the samples' means, and baselines."""
    rows: Rows = []
    suffix = f"_mean{samples}" if samples > 1 else ""
    for sources, report in reports.items():
        for name, title in MODEL_TITLES.items():
            if name in report:
                words = {"sources": str(sources), "method": title}
                cells = _cells(report[name], COLUMNS, suffix) | _cells(report[name], SPREADS)
                rows.append((words, cells))
        for name, title in BASELINE_TITLES.items():
            if name in report:
                title = "copy of the nearest source" if name == "copy_input" else title
                words = {"sources": str(sources), "method": title}
                rows.append((words, _cells(report[name], COLUMNS)))
    return _markdown(rows)


def _cells(numbers: dict[str, float], columns: dict, suffix: str = "") -> dict[str, str]:
    """Return the texts of those columns that there are numbers for, by title."""
    return {
        title: "-" if math.isnan(value) else f"{value:{form}}".removesuffix("%")
        for metric, (title, form) in columns.items()
        if (value := numbers.get(metric + suffix)) is not None
    }


def _markdown(rows: Rows) -> str:
    """Return a Markdown table of aligned columns."""
    texts = list(rows[0][0])
    known = [title for title, _ in (COLUMNS | SPREADS).values()]
    numbers = [title for title in known if any(title in cells for _, cells in rows)]
    table = [[*words.values(), *(cells.get(n, "") for n in numbers)] for words, cells in rows]
    heads = [*texts, *numbers]
    widths = [max(map(len, column)) for column in zip(heads, *table, strict=True)]

    def line(cells: list[str]) -> str:
        padded = (
            f"{cell:<{width}}" if head == "method" else f"{cell:>{width}}"
            for head, cell, width in zip(heads, cells, widths, strict=True)
        )
        return f"| {' | '.join(padded)} |"

    rules = ["-" * width for width in widths]
    rules = [r if head == "method" else f"{r[:-1]}:" for r, head in zip(rules, heads, strict=True)]
    return "\n".join([line(heads), line(rules), *map(line, table)])


def to_json(report: dict) -> str:
    """Return JSON with numbers to six digits, and null for NaN, which JSON does not have."""

    def tidy(value: object) -> object:
        if isinstance(value, dict):
            return {str(key): tidy(item) for key, item in value.items()}
        if isinstance(value, list):
            return [tidy(item) for item in value]
        if isinstance(value, float):
            return float(f"{value:.6g}") if math.isfinite(value) else None
        return value

    return json.dumps(tidy(report), indent=2) + "\n"


def environment(device: torch.device) -> dict:
    """Return the device and the versions of packages, for a report."""
    if device.type == "cuda":
        name = torch.cuda.get_device_name(device)
    else:
        name = f"{device.type}, {torch.get_num_threads()} threads"
    versions = {name: version(name) for name in ("torch", "numpy", "scikit-image")}
    return {"device": name, "versions": {"python": platform.python_version(), **versions}}


def write_card(config_file: Path, report: dict) -> None:
    config = json.loads(config_file.read_text())
    config["metrics"] = json.loads(to_json(report))
    text = json.dumps(config, indent=2) + "\n"
    replace_file(config_file, lambda file: file.write_text(text))
