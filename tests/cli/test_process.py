"""The command as the shell sees it."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

COMMAND = [sys.executable, "-m", "nightsharp"]
ENVIRONMENT = {**os.environ, "OMP_NUM_THREADS": "1"}


def run(*words: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*COMMAND, *map(str, words)], capture_output=True, text=True, timeout=60, check=False, env=ENVIRONMENT
    )


def noise(file: Path, height: int, width: int) -> Path:
    values = np.random.default_rng(0).integers(0, 255, (height, width, 3), dtype=np.uint8)
    Image.fromarray(values).save(file, compress_level=1)
    return file


def test_the_shell_gets_code_words_and_file(tmp_path):
    photo = noise(tmp_path / "a b.png", 40, 50)
    done = run("deblur", photo, "--psf", "line:5,0", "--method", "wiener", "--no-guard")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith(f"{photo} -> {tmp_path / 'a b-sharp.png'}")
    # no bar and no colour where no terminal is
    assert "\x1b" not in done.stdout


def test_the_shell_gets_json_of_a_failure(tmp_path):
    done = run("deblur", tmp_path / "no.png", "--json")
    assert done.returncode == 3
    assert json.loads(done.stdout)["failed"] == 1
    assert done.stderr.startswith("nightsharp: ")


def test_a_reader_that_leaves_early_is_no_fault():
    piped = " ".join(f"'{word}'" for word in COMMAND)
    done = subprocess.run(
        f"{piped} methods | true", shell=True, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.stderr == ""


@pytest.mark.skipif(os.name != "posix", reason="signals of POSIX")
@pytest.mark.parametrize("presses", [1, 3])
@pytest.mark.parametrize("known", [["--psf", "disk:9"], []], ids=["known", "blind"])
def test_ctrl_c_in_the_middle_of_the_work_leaves_nothing(tmp_path, known, presses):
    photo = noise(tmp_path / "a.png", 2400, 3000)
    with subprocess.Popen(
        [*COMMAND, "deblur", str(photo), *known, "--compare", str(tmp_path / "c.png")],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=ENVIRONMENT,
        # a shell that starts the tests in the background has them ignore Ctrl-C, and their children too
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    ) as running:
        try:
            assert running.stderr is not None
            plan = running.stderr.readline()
            time.sleep(1)
            assert running.poll() is None, "the work was over before it could be stopped"
            for _ in range(presses):
                running.send_signal(signal.SIGINT)
                time.sleep(0.02)
            said, complained = running.communicate(timeout=60)
        finally:
            running.kill()
    assert running.returncode == 130
    assert said == ""
    assert plan.startswith("a.png: plan: ")
    assert complained == "stopped; no half-written file was left\n"
    assert [file.name for file in tmp_path.iterdir()] == ["a.png"]
