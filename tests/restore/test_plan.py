"""What a restoration will take is known before it runs, and bounded."""

import json
import os
import re
import subprocess
import sys
import time

import numpy as np
import pytest
import torch
from PIL import Image

import nightsharp as ns
from nightsharp.errors import LimitError, PsfError, UsageError, WeightsError
from nightsharp.methods import get_method
from nightsharp.methods.darkdeblur import DarkDeblurNet
from nightsharp.methods.infwide import INFWIDE
from nightsharp.restore import cost, plan_deblur
from nightsharp.restore.function import usable_methods
from nightsharp.restore.memory import _group_free, free_memory, held_memory, parse_memory, peak_memory
from nightsharp.restore.plan import Work, make_plan
from nightsharp.weights import Card, save

GB = 10**9
ENOUGH = 64 * GB


def work(height: int = 8400, width: int = 12000, method: str = "hyper_laplacian", psf: int = 15) -> Work:
    return Work((height, width), 3, get_method(method), (psf, psf), GB // 2, 2, 9, threads=2)


@pytest.fixture
def fresh(tmp_path, monkeypatch):
    """A user without a cache."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setenv("LOCALAPPDATA", str(tmp_path))
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setattr(cost, "_KNOWN", {})
    return tmp_path


@pytest.mark.parametrize(
    ("written", "count"),
    [
        ("3GB", 3 * GB),
        ("3 gb", 3 * GB),
        ("1.5G", 3 * GB // 2),
        ("800MB", 8 * 10**8),
        ("2GiB", 2**31),
        ("70000000", 7 * 10**7),
    ],
)
def test_an_amount_of_memory_is_read_as_people_write_it(written, count):
    assert parse_memory(written) == count


@pytest.mark.parametrize("written", ["", "much", "3XB", "-1GB", "0", 0, "1iB", "GB"])
def test_what_is_no_amount_of_memory_is_refused(written):
    with pytest.raises(UsageError):
        parse_memory(written)


def test_what_is_held_lies_below_the_peak_and_what_is_free_is_something():
    peak = peak_memory()
    assert 10**7 < held_memory() < (peak or ENOUGH) * 1.05
    assert free_memory() > 10**7


@pytest.mark.parametrize(
    ("line", "folder", "limit", "used", "cached"),
    [
        ("0::/job/inner", "job", "memory.max", "memory.current", "inactive_file"),
        ("4:memory:/job", "memory/job", "memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file"),
    ],
)
def test_files_that_a_container_has_read_leave_it_its_memory(tmp_path, line, folder, limit, used, cached):
    group = tmp_path / folder
    group.mkdir(parents=True)
    (tmp_path / "own").write_text(f"7:cpu:/job\n{line}\n")
    (group / limit).write_text("1000\n")
    (group / used).write_text("900\n")
    assert _group_free(tmp_path, tmp_path / "own") == [100]
    (group / "memory.stat").write_text(f"anon 150\n{cached} 700\n{cached}_more 5\n")
    assert _group_free(tmp_path, tmp_path / "own") == [800]


@pytest.mark.parametrize("method", [spec.name for spec in usable_methods()])
@pytest.mark.parametrize("budget", [2.2 * GB, 2.6 * GB, 3 * GB, 4 * GB, 16 * GB])
def test_a_plan_stays_within_its_budget(method, budget):
    plan = make_plan(work(method=method), budget=int(budget), cost=None)
    assert plan.memory <= budget
    assert plan.tiles > 1


def test_less_memory_means_smaller_tiles_or_fewer_at_once():
    plans = [make_plan(work(), budget=int(budget * GB), cost=None) for budget in (2.2, 2.6, 3, 4, 16)]
    sizes = [plan.core**2 * plan.parallel for plan in plans]
    assert sizes == sorted(sizes)
    assert sizes[0] < sizes[-1]
    assert [plan.memory for plan in plans] == sorted(plan.memory for plan in plans)


def test_a_budget_that_cannot_be_met_names_the_least_that_would_do():
    with pytest.raises(LimitError) as refused:
        make_plan(work(), budget=GB, cost=None)
    found = re.search(r"--max-memory (\S+?)\)", str(refused.value))
    assert found is not None
    assert make_plan(work(), budget=parse_memory(found[1]), cost=None).tiles > 1


def test_how_a_photograph_is_cut_does_not_depend_on_how_fast_the_machine_is():
    slow, fast = (make_plan(work(), budget=3 * GB, cost=cost.Cost(n, n, n, n)) for n in (1e-4, 1e-8))
    unknown = make_plan(work(), budget=3 * GB, cost=None)
    assert (slow.core, slow.parallel) == (fast.core, fast.parallel) == (unknown.core, unknown.parallel)
    assert unknown.seconds is None
    assert slow.seconds is not None
    assert fast.seconds is not None
    assert slow.seconds > fast.seconds


def test_a_small_photograph_stays_in_one_piece_and_a_large_one_does_not():
    assert make_plan(work(900, 1000), budget=ENOUGH, cost=None).tiles == 1
    assert make_plan(work(3000, 4000), budget=ENOUGH, cost=None).tiles == 12


def test_a_larger_psf_asks_for_a_larger_halo():
    halos = [make_plan(work(psf=psf), budget=ENOUGH, cost=None).halo[0] for psf in (3, 15, 31)]
    assert halos == sorted(halos)
    assert halos[0] < halos[-1]


def test_a_method_is_timed_once_and_remembered(fresh):
    wiener = get_method("wiener")
    assert cost.known_cost(wiener, 1) is None
    measured = cost.measured_cost(wiener, 1)
    assert 1e-9 < measured.tile < 1e-4
    cost._KNOWN.clear()
    assert cost.known_cost(wiener, 1) == measured
    assert cost.known_cost(wiener, 2) is None
    assert cost.known_cost(get_method("total_variation"), 1) is None


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"a": 1}', b'{"a": {"tile": "fast"}}', b"\xff\xfe"])
def test_a_damaged_cache_is_no_error(fresh, content):
    file = cost.cache_file()
    file.parent.mkdir(parents=True)
    file.write_bytes(content)
    wiener = get_method("wiener")
    assert cost.known_cost(wiener, 1) is None
    cost.remember(wiener, 1, cost.Cost(1e-7, 1e-7, 1e-8, 1e-8))
    cost._KNOWN.clear()
    assert cost.known_cost(wiener, 1) == cost.Cost(1e-7, 1e-7, 1e-8, 1e-8)


def test_a_cache_that_cannot_be_written_is_no_error(fresh):
    (fresh / "nightsharp").write_text("a file where a folder should be")
    wiener = get_method("wiener")
    cost.remember(wiener, 1, cost.Cost(1e-7, 1e-7, 1e-8, 1e-8))
    assert cost.known_cost(wiener, 1) == cost.Cost(1e-7, 1e-7, 1e-8, 1e-8)


def test_without_a_home_folder_nothing_is_kept_and_nothing_fails(fresh, monkeypatch):
    def homeless() -> None:
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.setattr(cost, "cache_file", homeless)
    wiener = get_method("wiener")
    cost.remember(wiener, 1, cost.Cost(1e-7, 1e-7, 1e-8, 1e-8))
    assert cost.known_cost(wiener, 1) == cost.Cost(1e-7, 1e-7, 1e-8, 1e-8)


def test_what_is_timed_once_is_no_part_of_the_plan(fresh, monkeypatch):
    def slow(*_: object) -> cost.Cost:
        time.sleep(0.5)
        return cost.Cost(1e-9, 1e-9, 1e-9, 1e-9)

    monkeypatch.setattr(cost, "_measure", slow)
    plan = plan_deblur(torch.rand(1, 48, 64), method="wiener", psf="line:5,0")
    assert plan.seconds is not None
    assert plan.seconds < 0.5


def test_the_plan_is_told_before_the_work_and_set_against_it_after():
    image = torch.rand(3, 80, 90, generator=torch.Generator().manual_seed(0))
    seen: list[object] = []
    out = ns.deblur(
        image,
        method="wiener",
        psf="line:5,0",
        tell_plan=seen.append,
        progress=lambda stage, *_: seen.append(stage),
    )
    plan = next(told for told in seen if not isinstance(told, str))
    assert seen.index(plan) < seen.index("restoring")
    told = out.report["plan"]
    assert (told["tiles"], told["core"]) == (1, 90)
    assert told["expected"]["peak_memory_bytes"] > 10**7
    assert told["actual"]["seconds"] > 0
    assert plan_deblur(image, method="wiener", psf="line:5,0").tiles == 1


class TestTheWayToThePsf:
    """It is part of the plan."""

    image = torch.zeros(3, 1200, 1600)

    def test_each_way_is_named_and_its_memory_counted(self):
        known = plan_deblur(self.image, method="wiener", psf="line:5,0")
        plans = {
            "the search for the PSF": plan_deblur(self.image, method="wiener"),
            "the search for a lamp's trail": plan_deblur(self.image, method="wiener", streak="auto"),
            "the search for PSFs all over the photo": plan_deblur(self.image, method="wiener", varying=True),
        }
        assert "search" not in known.words()
        for words, plan in plans.items():
            assert f", and {words}" in plan.words()
            assert plan.memory > held_memory() + 40 * 1200 * 1600

    def test_the_search_says_from_when_to_when_it_may_be_done(self):
        small, large = (
            plan_deblur(torch.zeros(1, *size), method="wiener").search_seconds for size in ((192, 192), (1200, 1600))
        )
        assert small is not None
        assert large is not None
        assert 0 < small[0] < small[1] < large[1]
        assert re.search(r"the search for the PSF, \S+ s to .* s$", plan_deblur(self.image, method="wiener").words())
        assert plan_deblur(self.image, method="wiener", streak="auto").search_seconds is None

    def test_a_limit_that_the_search_cannot_keep_is_refused(self, monkeypatch):
        monkeypatch.setattr("nightsharp.restore.planning._search_memory", lambda *_, **__: 10 * GB)
        with pytest.raises(
            LimitError, match=r"the search for the PSF in this photo takes about .* \(--max-memory"
        ) as no:
            plan_deblur(self.image, method="wiener", max_memory="5GB")
        found = re.search(r"--max-memory (\S+?)\)", str(no.value))
        assert found is not None
        assert plan_deblur(self.image, method="wiener", max_memory=found[1]).tiles > 0

    def test_blur_that_varies_asks_for_tiles_of_half_a_window(self):
        one, varying = (plan_deblur(self.image, method="wiener", varying=varies) for varies in (False, True))
        assert varying.core == 1200 // 8
        assert varying.tiles > 20 * one.tiles
        assert varying.seconds is not None
        assert one.seconds is not None
        assert varying.seconds > one.seconds
        # there is room for one window only
        assert plan_deblur(torch.zeros(3, 180, 180), method="wiener", varying=True).tiles == 1

    def test_a_method_that_needs_no_psf_looks_for_none(self, tmp_path):
        with torch.random.fork_rng(devices=[]):
            file = save(tmp_path / "mine.safetensors", DarkDeblurNet.lite(), Card(system="darkdeblur"))
        plan = plan_deblur(self.image, method="darkdeblur", weights=file)
        assert "search" not in plan.words()

    def test_without_the_guard_it_takes_less_time(self):
        on, off = (plan_deblur(self.image, method="wiener", psf="line:5,0", guard=guard) for guard in (True, False))
        assert on.seconds is not None
        assert off.seconds is not None
        assert off.seconds < on.seconds

    @pytest.mark.parametrize(
        "options",
        [
            {"psf": "line:5,0", "streak": "auto"},
            {"streak": "auto", "varying": True},
            {"method": "darkdeblur", "varying": True},
            {"method": "darkdeblur"},
            {"method": "wiener", "weights": "mine.safetensors"},
            {"psf_size": 15, "psf": "line:5,0"},
            {"psf_size": -5},
        ],
        ids=str,
    )
    def test_what_deblur_refuses_is_refused(self, options):
        refused = []
        for verb in (plan_deblur, ns.deblur):
            with pytest.raises((PsfError, UsageError, WeightsError)) as problem:
                verb(self.image, **options)
            refused.append(str(problem.value))
        assert refused[0] == refused[1]


def test_a_limit_that_is_too_small_is_refused_before_the_work():
    stages: list[str] = []
    with pytest.raises(LimitError, match="the least that would do"):
        ns.deblur(
            torch.rand(3, 80, 90), psf="line:5,0", max_memory="1MB", progress=lambda stage, *_: stages.append(stage)
        )
    assert "restoring" not in stages


COMMAND = [sys.executable, "-c", "import sys; from nightsharp.cli import main; sys.exit(main())"]


def run(*words: object, cache: object) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "XDG_CACHE_HOME": str(cache)}
    return subprocess.run(
        [*COMMAND, *map(str, words)], capture_output=True, text=True, timeout=300, check=False, env=environment
    )


def test_a_real_run_stays_within_its_limit(tmp_path):
    """Six megapixels, which floats of the whole would not fit into."""
    height, width = 2000, 3000
    rng = np.random.default_rng(0)
    blocks = rng.integers(20, 230, (height // 50, width // 50, 3), dtype=np.uint8)
    photo = tmp_path / "a.jpg"
    Image.fromarray(blocks).resize((width, height), Image.Resampling.BICUBIC).save(photo, quality=90)
    planned = run("deblur", photo, "--psf", "line:7,20", "--method", "wiener", "--plan", "--json", cache=tmp_path)
    assert planned.returncode == 0, planned.stderr
    assert json.loads(planned.stdout)["files"][0]["plan"]["expected"]["seconds"] > 0
    assert sorted(file.name for file in tmp_path.iterdir()) == ["a.jpg", "nightsharp"]
    limit = 800_000_000
    options = (
        "--psf",
        "line:7,20",
        "--method",
        "wiener",
        "--max-memory",
        limit,
        "--json",
        "--report",
        tmp_path / "r.json",
    )
    done = run("deblur", photo, *options, cache=tmp_path)
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)["files"][0]["report"]
    assert report["peak_memory_bytes"] <= limit
    assert report["plan"]["expected"]["peak_memory_bytes"] <= limit
    assert report["plan"]["actual"]["peak_memory_bytes"] <= 1.15 * report["plan"]["expected"]["peak_memory_bytes"]


def test_weights_of_ones_own_may_be_of_the_papers_size(tmp_path):
    own = save(tmp_path / "mine.safetensors", INFWIDE(), Card(system="infwide"))
    image = torch.rand(3, 300, 400)
    shipped, given = (plan_deblur(image, method="infwide", weights=w, psf="line:5,0").memory for w in (None, own))
    assert given > shipped + 4 * 300 * 400 * 3 * 50
