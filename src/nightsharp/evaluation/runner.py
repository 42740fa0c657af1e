"""Methods over sets: one record for each, resumed after a stop, with failures counted rather than fatal."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from nightsharp.errors import UsageError
from nightsharp.evaluation.benchmarks import Benchmark, Pair, Sample, get_benchmark
from nightsharp.evaluation.benchmarks.pair import read_image
from nightsharp.evaluation.contestant import Estimation, method_spec, restore, with_true_psf
from nightsharp.evaluation.fingerprint import contents, settings_version
from nightsharp.evaluation.metrics import psf_similarity, spectral_ratio, ssd_ratio
from nightsharp.evaluation.own_weights import WeightFile, check_weights
from nightsharp.evaluation.pictures import file_name, write_error, write_image, write_psf
from nightsharp.evaluation.records import Ledger, Record
from nightsharp.evaluation.scores import check_metrics, score

INPUT = "input"
"""The row of the blurred images themselves."""

Progress = Callable[[str, int, int], None]
"""Called with (what is being measured, images done, images in all)."""

_DIGITS = 4


@dataclass(frozen=True)
class Plan:
    """What is measured.

    Attributes:
        methods: names of the registry, or ``"auto"``; each once.
        sets: names of the catalogue; each once.
        data: the folder with the sets.
        out: the folder for records and tables; what is there already is resumed.
        blind: hide the true PSFs.
        metrics: names of :data:`~nightsharp.evaluation.scores.METRICS`.
        every: take every N-th image of a set; with 8 PSFs an odd N meets all of them.
        seed: of sets that are made from sharp images.
        weights: files in place of the shipped weights, as
            :func:`~nightsharp.evaluation.own_weights.read_weight_files` gives them.
    """

    methods: tuple[str, ...]
    sets: tuple[str, ...]
    data: Path
    out: Path
    blind: bool = False
    metrics: tuple[str, ...] = ("psnr", "ssim")
    every: int = 1
    seed: int = 0
    weights: tuple[WeightFile, ...] = ()

    def __post_init__(self) -> None:
        """Refuse what cannot be measured before anything is.

        Raises:
            UsageError: an unknown or repeated name, a step below 1, or weights of a method that is not measured.
            WeightsError: a network has no weights.
        """
        for kind, names in (("method", self.methods), ("set", self.sets)):
            if not names or len(set(names)) != len(names):
                raise UsageError(
                    f"the {kind}s are {', '.join(names) or 'none'}; give each name once, and at least one."
                )
        for name in self.methods:
            method_spec(name)
        for name in self.sets:
            get_benchmark(name)
        check_metrics(list(self.metrics))
        if self.every < 1:
            raise UsageError(f"every is {self.every}; 1 takes every image, 4 every fourth.")
        check_weights(self.methods, self.weights)

    def version(self, method: str, benchmark: Benchmark, data: str) -> str:
        """Of the settings that decide the method's values on an image of the set, whose files are ``data``."""
        own = self.weights_of(method)
        return settings_version(
            method,
            benchmark.protocol,
            metrics=list(self.metrics),
            blind=self.blind,
            seed=self.seed,
            data=data,
            weights=None if own is None else own.sha256,
        )

    def weights_of(self, method: str) -> WeightFile | None:
        """The file given for the method."""
        return next((own for own in self.weights if own.method == method), None)

    def pictures(self, set_name: str, image: str) -> Path:
        """The folder with the pictures of an image."""
        return self.out / "pictures" / f"{set_name}{'-blind' if self.blind else ''}" / file_name(image)

    def picture_name(self, method: str) -> str:
        """What the method's pictures begin with; those of other weights stay beside them."""
        own = self.weights_of(method)
        return method if own is None else f"{method}-{own.sha256[:12]}"


@dataclass(frozen=True)
class SetResult:
    """The records of one set, in the order of its images, then of the methods."""

    benchmark: Benchmark
    images: tuple[str, ...]
    records: tuple[Record, ...]
    seconds: dict[str, float]


def run(plan: Plan, progress: Progress | None = None) -> list[SetResult]:
    """Measure what is not measured yet, and return all of it.

    A failing image becomes a record with its error, and is tried again by the next run.

    Args:
        plan: what to measure.
        progress: told before each image.

    Returns:
        One result for each set, in the plan's order.

    Raises:
        MissingBenchmark: a set is not in the data folder; nothing has been measured then.
    """
    chosen = [(get_benchmark(name), get_benchmark(name).samples(plan.data, seed=plan.seed)) for name in plan.sets]
    chosen = [(benchmark, samples[:: plan.every]) for benchmark, samples in chosen]
    ledger = Ledger(plan.out)
    hashes: dict[Path, str] = {}
    total, done = sum(len(samples) for _, samples in chosen), 0
    results = []
    for benchmark, samples in chosen:
        records: list[Record] = []
        seconds: dict[str, list[float]] = {method: [] for method in plan.methods}
        for sample in samples:
            if progress is not None:
                progress(f"{benchmark.name} {sample.name}", done, total)
            # of this image alone, so that another picture in the set leaves the results of the others standing
            data = contents(sample.files, hashes)
            versions = {name: plan.version(name, benchmark, data) for name in (INPUT, *plan.methods)}
            _measure(plan, benchmark, sample, versions, ledger)
            done += 1
            for method, version in versions.items():
                key = (benchmark.name, method, sample.name, version)
                records.append(ledger.done[key])
                if key in ledger.seconds:
                    seconds[method].append(ledger.seconds[key])
        if progress is not None:
            progress(benchmark.name, done, total)
        means = {method: sum(values) / len(values) for method, values in seconds.items() if values}
        results.append(SetResult(benchmark, tuple(sample.name for sample in samples), tuple(records), means))
    return results


def _measure(plan: Plan, benchmark: Benchmark, sample: Sample, versions: dict[str, str], ledger: Ledger) -> None:
    """Add the records of one image that the ledger does not hold, or holds as failures."""

    def open_record(method: str) -> bool:
        known = ledger.done.get((benchmark.name, method, sample.name, versions[method]))
        return known is None or known.error is not None

    missing = [method for method in versions if open_record(method)]
    if not missing:
        return
    folder = plan.pictures(benchmark.name, sample.name)

    def keep(method: str, known: str, scores: dict[str, float], seconds: float | None) -> None:
        rounded = {name: round(value, _DIGITS) for name, value in scores.items()}
        record = Record(benchmark.name, method, sample.name, versions[method], sample.group, known, rounded)
        ledger.add(record, seconds)

    def keep_failure(method: str, problem: Exception) -> None:
        error = {"kind": type(problem).__name__, "message": str(problem)}
        failed = Record(benchmark.name, method, sample.name, versions[method], sample.group, error=error)
        ledger.add(failed, None)

    # whatever a stranger's method raises is that image's result, and the run goes on
    try:
        pair = sample.load()
    except Exception as problem:
        for method in missing:
            keep_failure(method, problem)
        return
    estimation = Estimation(pair.blurred)
    for method in missing:
        try:
            if method == INPUT:
                _picture_of_input(pair, folder)
                keep(INPUT, "", _scores(plan, benchmark, pair, pair.blurred, folder / "input-error.jpg"), None)
                continue
            own, name = plan.weights_of(method), plan.picture_name(method)
            answer = restore(method, pair, blind=plan.blind, estimation=estimation, weights=own)
            write_image(answer.sharp, folder / f"{name}.jpg")
            scores = _scores(plan, benchmark, pair, answer.sharp, folder / f"{name}-error.jpg")
            if answer.psf is not None:
                write_psf(answer.psf, folder / f"{name}-psf.png")
                scores |= _psf_scores(method, benchmark, pair, answer.sharp, answer.psf.kernel, own)
            keep(method, answer.known, scores, answer.seconds)
        except Exception as problem:
            keep_failure(method, problem)


def _picture_of_input(pair: Pair, folder: Path) -> None:
    write_image(pair.blurred, folder / "input.jpg")
    if pair.sharp is not None:
        write_image(pair.sharp, folder / "truth.jpg")
    if pair.psf is not None:
        write_psf(pair.psf, folder / "psf.png")


def _scores(plan: Plan, benchmark: Benchmark, pair: Pair, result: Tensor, error_map: Path) -> dict[str, float]:
    names, truth = list(plan.metrics), pair.sharp
    if pair.more_truths and truth is not None:
        # the camera was at each of these for a while; the nearest one counts
        nearest = benchmark.protocol.compare(result, truth).error
        for file in pair.more_truths:
            other = read_image(file)
            error = benchmark.protocol.compare(result, other).error
            if error < nearest:
                nearest, truth = error, other
    found, aligned = score(result, truth, benchmark.protocol, names)
    if aligned is not None:
        write_error(aligned, error_map)
    return found


def _psf_scores(
    method: str, benchmark: Benchmark, pair: Pair, sharp: Tensor, kernel: Tensor, weights: WeightFile | None
) -> dict[str, float]:
    """How near the estimated PSF is, and what its error costs."""
    if pair.psf is None:
        return {}
    found = {"psf_similarity": psf_similarity(kernel, pair.psf.kernel)}
    if pair.sharp is not None:
        known = benchmark.protocol.compare(with_true_psf(method, pair, weights), pair.sharp)
        blind = benchmark.protocol.compare(sharp, pair.sharp)
        if known.error == 0:
            return found
        # each beside its own alignment of one truth; the border is cut from all alike
        one, other, truth = (
            torch.from_numpy(image).permute(2, 0, 1) for image in (blind.result, known.result, known.truth)
        )
        found["ssd_ratio"] = ssd_ratio(one, other, truth)
        if truth.shape[0] == 1:
            found["spectral_ratio"] = spectral_ratio(one, other, truth)
    return found
