"""Train the multi-view network (preset `objects`): one to eight views to colour, alpha and depth.

    python -m training.train_multiview --data data/objects data/cars --out runs/objects
    python -m training.train_multiview --data data/objects --own data/parts/train \\
        --init weights/objects --iterations 1500 --learning-rate 4e-4 --export --out runs/parts

--data: data sets in the SRN layout, all mixed; a set without alpha is taken as objects on white,
one without depth teaches no depth. --own: sets that are half of every batch, neither mirrored nor
recoloured. Or --pack: meshes that training.gpu_run packed, which other processes render while the
training runs. OUT becomes a weights folder with the averaged weights, and log.jsonl.

`torchrun --nproc-per-node N -m training.train_multiview ...` trains in N processes, each with its
share of a batch and of the objects of --pack: on several GPUs, or on a CPU's cores.
"""

import argparse
import json
import math
import time
from contextlib import ExitStack
from copy import deepcopy
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import torch
from safetensors import safe_open

from tiny_nvs_ros.model import NovelViewModel
from training import distributed, history
from training.cli import Stopped, add_device, check_device, exit_on_error, stop_signals
from training.multiview.compiled import start_compiler
from training.multiview.data import ObjectViews
from training.multiview.fit import Budget, Fit, Schedule, train
from training.multiview.shards import end, render_in_background
from training.multiview.srn_views import DataSets
from training.multiview.stage import MultiviewSettings, MultiviewStage
from training.multiview.validate import validate

CHECKPOINT = "multiview.checkpoint.safetensors"
LEAST_VIEWS = len(MultiviewSettings().source_shares) + MultiviewSettings().targets
VALIDATION_OBJECTS = {"cpu": 60, "cuda": 240}
REPORT_S = {"cpu": 600.0, "cuda": 30.0}


@dataclass
class Data:
    """train, validation: views, of which more may become available.

    record: for config.json; shape: numbers of objects, of all processes, and of views of each.
    """

    train: ObjectViews
    validation: ObjectViews
    record: dict
    shape: tuple[int, int]


def run(options: argparse.Namespace) -> None:
    """Train as the command line says; raises Stopped after a signal, when all is saved."""
    check(options)
    with ExitStack() as resources:
        began = time.monotonic()
        torch.manual_seed(options.seed)
        torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = True
        kind = options.device.partition(":")[0]
        model = initial(options.init)
        network = deepcopy(model.network).requires_grad_().train().to(options.device)
        data = read_data(options, resources)
        settings = MultiviewSettings(batch_size=options.batch_size, seed=options.seed)
        if options.only_masks:
            settings = settings.of_masks()
        schedule = Schedule(
            options.learning_rate, options.matrix_learning_rate, decay_share=options.decay_share
        )
        fit = Fit(MultiviewStage(network, data.train, settings), schedule)
        running = Run(options, model, fit, data)
        if options.resume and (options.out / CHECKPOINT).exists():
            running.load()
        options.out.mkdir(parents=True, exist_ok=True)
        running.note(
            event="begins",
            iteration=fit.iteration,
            parameters=sum(p.numel() for p in network.parameters()),
            objects=data.train.available,
            validation=data.validation.available,
        )
        if options.seconds is not None:  # the time until now counts
            passed = (time.monotonic() - began) / options.seconds
            running.budget = Budget(seconds=options.seconds, done=running.budget.done + passed)
        on_gpu = kind == "cuda"
        large = on_gpu and not options.only_masks  # the loss of masks is not worth compiling
        compiled = large if options.compile is None else options.compile
        if compiled:
            if large and distributed.count() == 1:
                running.compiler = start_compiler(options)
                resources.callback(end, running.compiler)
            else:
                fit.compile()
        every = REPORT_S[kind] if options.report_every is None else options.report_every
        with stop_signals() as signals:
            train(fit, running.budget, running.report, every, lambda: signals)
        if running.budget.done < 1:
            raise Stopped(f"stopped at iteration {fit.iteration}, saved; --resume continues")
        if on_gpu:
            used = torch.cuda.max_memory_allocated(fit.stage.device)
            running.note(event="memory", gib=round(used / 2**30, 1))
    if options.export and distributed.rank() == 0:
        from training import export

        difference = export.export(options.out)
        print(f"model.onnx: within {difference} of 255 of torch")


def initial(weights: Path | None) -> NovelViewModel:
    """Return the model that a run begins with: weights, or an untrained one.

    Weights of before the sources' masks were repaired get an untrained repair.
    """
    if weights is None:
        return NovelViewModel.from_preset("objects")
    old = NovelViewModel.from_pretrained(weights)
    if old.config.architecture != "multiview":
        raise ValueError(
            f"--init {weights} has the architecture {old.config.architecture}, not multiview; "
            "training.train trains it further"
        )
    denoiser = old.config.module.DEFAULTS["denoiser"] | old.config.denoiser
    model = NovelViewModel.from_config(replace(old.config, denoiser=denoiser))
    model.load_state_dict(old.state_dict(), strict=False)
    return model


class Run:
    """One run: its files, its budget, and what config.json says of it."""

    def __init__(self, options: argparse.Namespace, model: NovelViewModel, fit: Fit, data: Data):
        self.options, self.model, self.fit, self.data = options, model, fit, data
        self.before = model.config.training
        self.budget = Budget(options.iterations, options.seconds)
        self.compiler = None
        self._began = self._at = time.monotonic()
        self._iteration = fit.iteration

    def note(self, **values: object) -> None:
        """Print a line of JSON and append it to log.jsonl; the first process does it for all.

        Numbers that are not finite are left out, since JSON has none.
        """
        if distributed.rank():
            return
        values = {"t": round(time.monotonic() - self._began, 1), **values}
        finite = {n: v for n, v in values.items() if not isinstance(v, float) or math.isfinite(v)}
        line = json.dumps(finite)
        print(line, flush=True)
        with (self.options.out / "log.jsonl").open("a") as log:
            log.write(line + "\n")

    def report(self, fit: Fit, scalars: dict[str, torch.Tensor], thorough: bool) -> None:
        """Validate if `thorough`, write the weights, the checkpoint and the log."""
        waiting = self.compiler and fit.loss is fit.stage.loss
        if waiting and self.compiler.poll() is not None and self.budget.seconds_left() > 120:
            self.note(event="compiled", code=self.compiler.returncode)
            if self.compiler.returncode == 0:
                fit.compile()
        speed = (fit.iteration - self._iteration) / max(time.monotonic() - self._at, 1e-9)
        values = {name: round(float(value), 5) for name, value in scalars.items()}
        if thorough and self.data.validation.available and not self.options.only_masks:
            measured = validate(fit.ema, self.data.validation)
            values |= {name: round(value, 4) for name, value in measured.items()}
        self._save(values)
        self.note(  # after saving: where the log has an iteration there was a checkpoint
            iteration=fit.iteration,
            its=round(speed, 2),
            data_share=round(fit.data_share, 3),
            objects=self.data.train.available,
            **values,
        )
        self._at, self._iteration = time.monotonic(), fit.iteration

    def _save(self, metrics: dict) -> None:
        """Write the weights folder, then the checkpoint, so that a checkpoint has its weights."""
        start = history.trained_iterations(self.before, "multiview")
        on_gpu = self.fit.stage.device.type == "cuda"
        views = self.data.train
        segment = {
            "stage": "multiview",
            "from": start,
            "to": start + self.fit.iteration,
            **self._recipe(),
            "data": {
                **self.data.record,
                "objects": views.available,
                "views": views.rgba.shape[1],
            },
            "init": str(self.options.init) if self.options.init else None,
            "torch": torch.__version__,
            "processes": distributed.count(),
            "device": torch.cuda.get_device_name(views.rgba.device) if on_gpu else "cpu",
            "validation": metrics,
        }
        config = self.model.config
        config.metrics, config.training = {}, history.record(self.before, segment)
        self.model.network.load_state_dict(self.fit.ema.state_dict())
        self.model.save_pretrained(self.options.out)
        metadata = {"run": json.dumps(self._identity()), "done": repr(self.budget.done)}
        self.fit.save(self.options.out / CHECKPOINT, metadata)

    def _recipe(self) -> dict:
        """Return what is set of the training, as JSON gives it back."""
        recipe = {
            "settings": asdict(self.fit.stage.settings),
            "schedule": asdict(self.fit.schedule),
        }
        return json.loads(json.dumps(recipe))

    def _identity(self) -> dict:
        """Return what a run that is resumed must have in common with the one that began."""
        recipe, options, (objects, views) = self._recipe(), self.options, self.data.shape
        return {
            **recipe["settings"],
            **recipe["schedule"],
            "iterations": options.iterations,
            "seconds": options.seconds,
            "init": str(options.init),
            "processes": distributed.count(),
            "objects": objects,
            "views": views,
            **self.data.record,
        }

    def load(self) -> None:
        """Continue from the checkpoint; ValueError if it was made with other options."""
        file = self.options.out / CHECKPOINT
        with safe_open(file, framework="pt") as checkpoint:
            metadata = checkpoint.metadata()
        theirs, ours = json.loads(metadata["run"]), self._identity()
        theirs = {name: ours[name] for name in ("processes", "objects", "views")} | theirs
        for name in ours:  # those three are unknown of older checkpoints
            if theirs.get(name) != ours[name]:
                raise ValueError(
                    f"{file} was made with {name} {theirs.get(name)}, not {ours[name]}; "
                    "resume with the same options, or begin in another --out"
                )
        self.fit.load(file)
        self.budget = Budget(self.options.iterations, self.options.seconds, float(metadata["done"]))
        self._iteration = self.fit.iteration


def read_data(options: argparse.Namespace, resources: ExitStack) -> Data:
    """Read the data sets, or have objects rendered; resources: gets what ends the processes."""
    most = VALIDATION_OBJECTS[options.device.partition(":")[0]]
    if options.pack:
        sets = render_in_background(options, min(options.objects, most), resources)
        return Data(*sets, {"pack": options.pack.name}, (options.objects, options.views))
    sets = DataSets.read(
        options.data, options.own, options.val, options.held_out, least=LEAST_VIEWS
    )
    record = {
        "sets": [str(path) for path in options.data],
        "own": [str(path) for path in options.own],
        "own_share": options.own_share,
        "validation": [str(path) for path in options.val] or options.held_out,
    }
    train = sets.training_views(options.own_share, options.device)
    return Data(
        train, sets.validation_views(most, options.device), record, tuple(train.rotations.shape[:2])
    )


def check(options: argparse.Namespace) -> None:
    """Raise ValueError for options that cannot be used."""
    for name in ("objects", "renderers", "batch_size", "first", "iterations"):
        if (value := getattr(options, name)) is not None and value < 1:
            raise ValueError(f"--{name.replace('_', '-')} must be at least 1")
    for name in ("seconds", "learning_rate", "matrix_learning_rate"):
        if (value := getattr(options, name)) is not None and not 0 < value < math.inf:
            raise ValueError(f"--{name.replace('_', '-')} must be above 0")
    for name in ("own_share", "held_out", "decay_share"):
        if not 0 <= getattr(options, name) < (1 if name == "held_out" else 1.0001):
            raise ValueError(f"--{name.replace('_', '-')} must be from 0 to 1")
    distributed.check_batch(options.batch_size)
    if options.only_masks and options.init is None:
        raise ValueError("--only-masks leaves the other weights as they are: name them by --init")
    if options.pack:
        if options.data or options.own or options.val:
            raise ValueError("--pack brings its own data; it goes without --data, --own and --val")
        if options.views < LEAST_VIEWS:
            raise ValueError(f"--views is {options.views}; sources and targets need {LEAST_VIEWS}")
        if not options.pack.is_file():
            raise ValueError(f"{options.pack}: no such file; `training.gpu_run pack` makes it")
    elif not options.data and not options.own:
        raise ValueError("no data: name data sets by --data or --own, or meshes by --pack")
    begun = (options.out / CHECKPOINT).exists()
    if begun and not options.resume:
        raise ValueError(f"{options.out} holds a run; --resume continues it, or choose another")
    cut = options.resume and was_cut_while_first_saving(options.out)
    if (options.out / "model.safetensors").exists() and not begun and not cut:
        raise ValueError(f"{options.out} holds weights, which would be overwritten; choose another")


def was_cut_while_first_saving(out: Path) -> bool:
    """Return whether a run in `out` ended before its first checkpoint: it begins anew."""
    log = out / "log.jsonl"  # an iteration is noted after its checkpoint
    return log.exists() and '"its": ' not in log.read_text()


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(
        prog="python -m training.train_multiview", description=__doc__.partition("\n")[0]
    )
    add = parser.add_argument
    some = dict(type=Path, nargs="+", default=[], metavar="SPLIT")
    add("--data", **some, help="data sets in the SRN layout")
    add("--own", **some, help="data sets that are --own-share of every batch")
    add("--own-share", type=float, default=0.5, help="(%(default)s)")
    add("--val", **some, help="data sets to validate on, instead of held-out objects")
    add("--held-out", type=float, default=0.04, metavar="X", help="share of objects (%(default)s)")
    add("--pack", type=Path, help="file of training.gpu_run pack, instead of data sets")
    add("--out", type=Path, required=True, help="the run's folder, becomes a weights folder")
    add("--init", type=Path, metavar="WEIGHTS", help="trained weights to continue from")
    add("--resume", action="store_true", help="continue from --out's checkpoint, if there is one")
    budget = parser.add_mutually_exclusive_group()
    budget.add_argument("--iterations", type=int, metavar="N", help="of this run")
    budget.add_argument("--seconds", type=float, metavar="S", help="of this run (500)")
    add("--batch-size", type=int, default=256, metavar="B", help="objects (%(default)s)")
    add("--learning-rate", type=float, default=2e-3, metavar="X", help="of AdamW (%(default)s)")
    add(
        "--matrix-learning-rate",
        type=float,
        default=7e-3,
        metavar="X",
        help="of Muon (%(default)s)",
    )
    add(
        "--decay-share",
        type=float,
        default=0.6,
        metavar="X",
        help="last share of the run, in which the learning rates fall to 0 (%(default)s)",
    )
    add(
        "--only-masks",
        action="store_true",
        help="train the repair of the sources' masks alone, and leave the rest as it is",
    )
    add("--seed", type=int, default=0)
    add("--export", action="store_true", help="write model.onnx at the end")
    add("--report-every", type=float, metavar="S", help="validate and save (GPU: 30, CPU: 600)")
    add_device(parser)
    add(
        "--compile",
        action=argparse.BooleanOptionalAction,
        help="the loss: on a GPU unless --no-compile, on a CPU if asked for (takes 2 minutes)",
    )
    packed = parser.add_argument_group("with --pack")
    packed.add_argument("--objects", type=int, default=16_000, help="(%(default)s)")
    packed.add_argument("--views", type=int, default=32, help="of each object (%(default)s)")
    packed.add_argument("--renderers", type=int, default=13, help="processes (%(default)s)")
    packed.add_argument("--first", type=int, default=512, help="objects to begin with")
    packed.add_argument("--shards", type=Path, help="folder for rendered objects")
    options = parser.parse_args(arguments)
    if options.iterations is None and options.seconds is None:
        options.seconds = 500.0
    with exit_on_error(parser):
        check_device(options.device)
        with distributed.processes(options.device):
            run(options)


if __name__ == "__main__":
    main()
