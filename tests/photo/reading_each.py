"""Read every file of a folder in a process with bounds and say how each ended, one line of JSON a file.

Run by ``test_hostile.py`` as ``python reading_each.py FOLDER MOST_MEMORY``; it dies with the first file that can
make it die, and the last line then names the one before.
"""

import json
import resource
import sys
import tempfile
import time
from pathlib import Path

LIMITS = {"pixels": 30_000_000, "side": 40_000, "file_bytes": 64 << 20, "frames": 50, "seconds": 4.0}


def memory(field: str) -> int:
    """Bytes that the process holds (``VmRSS``) or held at most (``VmHWM``)."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith(field):
            return int(line.split()[1]) * 1024
    raise OSError(f"no {field}")


def main(folder: Path, most: int) -> None:
    """Read each file once."""
    import PIL.AvifImagePlugin
    import PIL.JpegImagePlugin
    import PIL.WebPImagePlugin
    import tifffile

    from nightsharp.errors import NightsharpError
    from nightsharp.photo import Limits, probe, read_photo

    saved = Path(tempfile.mkdtemp())
    assert PIL.AvifImagePlugin, (PIL.JpegImagePlugin, PIL.WebPImagePlugin, tifffile)
    limits = Limits(**LIMITS, memory=most)
    # far above the limit, so that what is measured is measured and a true bomb still hurts nobody
    resource.setrlimit(resource.RLIMIT_AS, (memory("VmSize") + 4 * most, resource.RLIM_INFINITY))
    for file in sorted(folder.iterdir()):
        before = memory("VmRSS")
        Path("/proc/self/clear_refs").write_text("5")
        start = time.perf_counter()
        try:
            photo = read_photo(file, limits=limits)
            ended, code, said = "read", 0, f"{photo.width} x {photo.height}"
            if photo.width * photo.height < 100_000:
                for ending in (".jpg", ".tif", ".avif"):
                    photo.save(saved / f"saved{ending}", overwrite=True)
                    read_photo(saved / f"saved{ending}", limits=limits)
            del photo
        except NightsharpError as problem:
            ended, code, said = type(problem).__name__, problem.exit_code, str(problem)
        except BaseException as problem:
            ended, code, said = f"untyped {type(problem).__name__}", -1, str(problem)
        line = {
            "name": file.name,
            "ended": ended,
            "code": code,
            "said": said,
            "seconds": time.perf_counter() - start,
            "peak": memory("VmHWM") - before,
            "estimate": None if code else probe(file, limits=limits).memory,
        }
        print(json.dumps(line), flush=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
