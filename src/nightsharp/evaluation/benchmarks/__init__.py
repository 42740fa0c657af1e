"""The benchmark sets: readers that know each layout, and the published figures that stand beside ours."""

from nightsharp.evaluation.benchmarks.catalogue import BENCHMARKS, Benchmark, get_benchmark
from nightsharp.evaluation.benchmarks.missing import MissingBenchmark
from nightsharp.evaluation.benchmarks.pair import Pair, Sample
from nightsharp.evaluation.benchmarks.published import PublishedRow, published_rows

__all__ = [
    "BENCHMARKS",
    "Benchmark",
    "MissingBenchmark",
    "Pair",
    "PublishedRow",
    "Sample",
    "get_benchmark",
    "published_rows",
]
