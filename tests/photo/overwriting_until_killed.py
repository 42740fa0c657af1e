"""Write two photos over one another without end, in a child that is killed at a random moment; fifty times.

Run by ``test_writing.py`` as ``python overwriting_until_killed.py FOLDER``. What stands under the name after each
kill must be one of the two, whole.
"""

import os
import random
import signal
import sys
import time
from pathlib import Path

KILLS = 50


def main(folder: Path) -> None:
    """Fork, write, kill, look; print how often the file was the one and the other."""
    import torch

    from nightsharp.photo import Metadata, Photo

    torch.set_num_threads(1)
    rng = random.Random(0)
    meta = Metadata(depth=16)
    photos = [
        Photo(torch.rand(3, 300, 400, generator=torch.Generator().manual_seed(seed)), None, meta) for seed in (0, 1)
    ]
    whole = []
    for number, photo in enumerate(photos):
        photo.save(folder / f"{number}.png")
        whole.append((folder / f"{number}.png").read_bytes())
    target = folder / "target.png"
    target.write_bytes(whole[0])
    seen = [0, 0]
    for _ in range(KILLS):
        child = os.fork()
        if child == 0:
            number = 0
            while True:
                photos[number % 2].save(target, overwrite=True)
                number += 1
        time.sleep(rng.uniform(0.001, 0.15))
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        seen[whole.index(target.read_bytes())] += 1
    stray = {path.name for path in folder.iterdir()} - {"0.png", "1.png", "target.png"}
    assert all(name.startswith(".nightsharp-") for name in stray), stray
    print(*seen, len(stray))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
