"""PSFs in files: every kind that is read or written, and files that mean harm or were damaged."""

import io
import os
import struct
import time
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import scipy.io
import tifffile
import torch
from PIL import Image

from nightsharp.errors import PsfError
from nightsharp.optics import Psf, defocus, line

PSF = defocus(6, blades=5, rotation=20)
VALUES = PSF.kernel.double().numpy()
WHITE = np.round(VALUES / VALUES.max() * 255).astype(np.uint8)
SHAPE = "13 x 13"


def _picture(values: np.ndarray) -> Callable[[Path], object]:
    return lambda file: Image.fromarray(values).save(file)


def _text(separator: str) -> Callable[[Path], object]:
    return lambda file: np.savetxt(file, VALUES, delimiter=separator)


def _mat(variables: dict[str, object], do_compression: bool = False) -> Callable[[Path], object]:
    return lambda file: scipy.io.savemat(file, variables, do_compression=do_compression)


def _transparent(file: Path) -> None:
    """The PSF in the alpha channel, on white."""
    Image.merge("LA", [Image.new("L", WHITE.shape[::-1], 255), Image.fromarray(WHITE)]).save(file)


def _palette(file: Path) -> None:
    picture = Image.fromarray(WHITE).convert("P")
    picture.info["transparency"] = bytes([0] + [255] * 255)
    picture.save(file)


def _spaced() -> str:
    """Some numbers with a blank after their comma, some without, and blanks at the ends of lines."""
    return "\n".join(" " + ", ".join(map(str, row[:6])) + "," + ",".join(map(str, row[6:])) + " \t" for row in VALUES)


WORKSPACE = {"x": np.ones((40, 50)), "PSF": VALUES, "h": 3.0, "note": "from the calibration", "s": {"k": np.eye(3)}}

GOOD: dict[str, tuple[str, Callable[[Path], object], float]] = {
    "float npy": ("psf.npy", lambda file: np.save(file, VALUES), 1e-7),
    "npy written column by column": ("psf.npy", lambda file: np.save(file, np.asfortranarray(VALUES)), 1e-7),
    "big-endian npy": ("psf.npy", lambda file: np.save(file, VALUES.astype(">f8")), 1e-7),
    "integer npy": ("psf.npy", lambda file: np.save(file, WHITE), 1e-4),
    "capital ending": ("PSF.NPY", lambda file: _write_npy(file, VALUES), 1e-7),
    "8-bit png": ("psf.png", _picture(WHITE), 1e-4),
    "16-bit png": ("psf.png", _picture(np.round(VALUES / VALUES.max() * 65535).astype(np.uint16)), 1e-6),
    "colour png": ("psf.png", _picture(np.stack([WHITE] * 3, axis=-1)), 1e-4),
    "png with the PSF as its opacity": ("psf.png", _transparent, 1e-4),
    "palette png with a transparent colour": ("psf.png", _palette, 1e-4),
    "jpeg": ("psf.jpg", lambda file: Image.fromarray(WHITE).save(file, quality=100), 2e-3),
    "webp": ("psf.webp", lambda file: Image.fromarray(WHITE).save(file, lossless=True), 1e-4),
    "bmp": ("psf.bmp", _picture(WHITE), 1e-4),
    "float tiff": ("psf.tif", lambda file: tifffile.imwrite(file, VALUES.astype(np.float32)), 1e-7),
    "deflated tiff": ("psf.tiff", lambda file: tifffile.imwrite(file, VALUES, compression="deflate"), 1e-7),
    "colour tiff": (
        "psf.tif",
        lambda file: tifffile.imwrite(file, np.stack([WHITE] * 3, axis=-1), photometric="rgb"),
        1e-4,
    ),
    "colour tiff, plane after plane": (
        "psf.tif",
        lambda file: tifffile.imwrite(file, np.stack([WHITE] * 3), photometric="rgb", planarconfig="separate"),
        1e-4,
    ),
    "tiff with opacity": (
        "psf.tif",
        lambda file: tifffile.imwrite(
            file, np.dstack([WHITE] * 3 + [np.full_like(WHITE, 255)]), photometric="rgb", extrasamples=["unassalpha"]
        ),
        1e-4,
    ),
    "dlm with tabs": ("psf.dlm", _text("\t"), 1e-7),
    "csv": ("psf.csv", _text(","), 1e-7),
    "csv with blanks around its commas": ("psf.csv", _text(" , "), 1e-7),
    "csv with blanks and without": ("psf.csv", lambda file: file.write_text(_spaced()), 1e-7),
    "csv with semicolons": ("psf.csv", _text(";"), 1e-7),
    "text": ("psf.txt", _text(" "), 1e-7),
    "csv from a spreadsheet, with a byte order mark": (
        "psf.csv",
        lambda file: file.write_text("\ufeff" + "\n".join(",".join(map(str, row)) for row in VALUES), "utf-8"),
        1e-7,
    ),
    "mat with one variable": ("psf.mat", _mat({"anything": VALUES}), 1e-7),
    "mat with a whole workspace": ("psf.mat", _mat(WORKSPACE), 1e-7),
    "packed mat with a whole workspace": ("psf.mat", _mat(WORKSPACE, do_compression=True), 1e-7),
    "mat with single floats": ("psf.mat", _mat({"kernel": VALUES.astype(np.float32)}), 1e-7),
    "mat with bytes": ("psf.mat", _mat({"k": WHITE}, do_compression=True), 1e-4),
    "mat with a short name first": ("psf.mat", _mat({"a": WHITE, "filt": VALUES}), 1e-7),
}


def _write_npy(file: Path, values: np.ndarray) -> None:
    """numpy.save would add a second ending."""
    with file.open("wb") as stream:
        np.save(stream, values)


class TestLoading:
    @pytest.mark.parametrize(("name", "write", "tolerance"), GOOD.values(), ids=list(GOOD))
    def test_every_kind_of_file_gives_the_psf(self, tmp_path, name, write, tolerance):
        write(tmp_path / name)
        psf = Psf.load(tmp_path / name)
        torch.testing.assert_close(psf.kernel, PSF.kernel, atol=tolerance, rtol=0)

    def test_a_path_may_be_a_string(self, tmp_path):
        PSF.save(str(tmp_path / "psf.npy"))
        assert Psf.load(str(tmp_path / "psf.npy")).size == PSF.size

    def test_a_picture_is_normalised_with_a_note(self, tmp_path):
        Image.fromarray(WHITE).save(tmp_path / "psf.png")
        assert Psf.load(tmp_path / "psf.png").notes == (f"normalised (the sum was {WHITE.sum():.4g})",)

    def test_the_file_is_closed_again(self, tmp_path):
        for name, write, _ in GOOD.values():
            write(tmp_path / name)
            Psf.load(tmp_path / name)
            (tmp_path / name).unlink()


class TestSaving:
    @pytest.mark.parametrize(("name", "tolerance"), [("p.npy", 0), ("p.tif", 0), ("p.TIFF", 0), ("p.png", 2e-6)])
    def test_what_was_saved_is_loaded(self, tmp_path, name, tolerance):
        assert PSF.save(tmp_path / name) == tmp_path / name
        again = Psf.load(tmp_path / name)
        torch.testing.assert_close(again.kernel, PSF.kernel, atol=tolerance + 1e-8, rtol=0)
        assert [file.name for file in tmp_path.iterdir()] == [name]

    def test_an_existing_file_is_replaced(self, tmp_path):
        line(5).save(tmp_path / "psf.npy")
        PSF.save(tmp_path / "psf.npy")
        assert Psf.load(tmp_path / "psf.npy").size == PSF.size

    @pytest.mark.parametrize("name", ["psf", "psf.jpg", "psf.mat", "psf.npy.gz"])
    def test_an_unknown_ending_is_refused(self, tmp_path, name):
        with pytest.raises(PsfError, match=r"a PSF is written as .npy, .png or .tif"):
            PSF.save(tmp_path / name)
        assert not list(tmp_path.iterdir())

    def test_a_missing_folder_is_refused(self, tmp_path):
        with pytest.raises(PsfError, match=r"cannot be written: No such file or directory. Choose another place"):
            PSF.save(tmp_path / "nowhere" / "psf.npy")

    def test_a_folder_in_the_way_is_refused_and_nothing_is_left(self, tmp_path):
        (tmp_path / "psf.npy").mkdir()
        with pytest.raises(PsfError, match="cannot be written"):
            PSF.save(tmp_path / "psf.npy")
        assert [file.name for file in tmp_path.iterdir()] == ["psf.npy"]

    @pytest.mark.parametrize("step", ["fsync", "replace"])
    @pytest.mark.parametrize("problem", [OSError(28, "No space left on device"), KeyboardInterrupt()])
    def test_a_failure_on_the_way_keeps_the_old_file_and_leaves_no_part(self, tmp_path, monkeypatch, step, problem):
        line(5).save(tmp_path / "psf.npy")

        def fail(*_: object) -> None:
            raise problem

        monkeypatch.setattr(os, step, fail)
        with pytest.raises(PsfError if isinstance(problem, OSError) else KeyboardInterrupt):
            PSF.save(tmp_path / "psf.npy")
        monkeypatch.undo()
        assert [file.name for file in tmp_path.iterdir()] == ["psf.npy"]
        assert Psf.load(tmp_path / "psf.npy").size == line(5).size


def _encoded(write: Callable[[Path], object], folder: Path, name: str) -> bytes:
    write(folder / name)
    content = (folder / name).read_bytes()
    (folder / name).unlink()
    return content


def _npy(header: str, content: bytes = b"\0" * 64) -> bytes:
    padded = header.ljust(117) + "\n"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(padded)) + padded.encode() + content


def _lying_npy(shape: str) -> bytes:
    return _npy(f"{{'descr': '<f8', 'fortran_order': False, 'shape': {shape}, }}")


def _pickled() -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, np.array([[os.getcwd, 1.0]], dtype=object), allow_pickle=True)
    return buffer.getvalue()


def _zipped() -> bytes:
    buffer = io.BytesIO()
    np.savez(buffer, psf=VALUES)
    return buffer.getvalue()


def _chunk(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def _png(width: int, height: int) -> bytes:
    """A small file of zeros that unpacks to any size."""
    pixels = zlib.compress(b"\0" * min(height * (width + 1), 2**24), 9)
    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + _chunk(b"IHDR", header) + _chunk(b"IDAT", pixels) + _chunk(b"IEND", b"")


def _mat_bomb() -> bytes:
    header = b"MATLAB 5.0".ljust(124) + b"\x00\x01IM"
    packer = zlib.compressobj(9)
    packed = b"".join(packer.compress(bytes(2**20)) for _ in range(80)) + packer.flush()
    return header + struct.pack("<II", 15, len(packed)) + packed


def _mat_element(kind: int, content: bytes) -> bytes:
    return struct.pack("<II", kind, len(content)) + content + bytes(-len(content) % 8)


def _mat_variable(rows: int, columns: int, stored_as: int = 9, content: bytes = bytes(72)) -> bytes:
    parts = (
        _mat_element(6, struct.pack("<II", 6, 0)),
        _mat_element(5, struct.pack("<ii", rows, columns)),
        _mat_element(1, b"psf"),
        _mat_element(stored_as, content),
    )
    return b"MATLAB 5.0".ljust(124) + b"\x00\x01IM" + _mat_element(14, b"".join(parts))


def _tiff(write: Callable[[io.BytesIO], object], edit: Callable[[bytes], bytes] = lambda content: content) -> bytes:
    buffer = io.BytesIO()
    write(buffer)
    return edit(buffer.getvalue())


def _claim_width(content: bytes) -> bytes:
    """Change the value of the tag ImageWidth (256)."""
    tag = struct.pack("<HH", 256, 3) + struct.pack("<I", 1)
    place = content.index(tag) if tag in content else content.index(struct.pack("<HHI", 256, 4, 1))
    return content[: place + 2] + struct.pack("<HII", 4, 1, 2**31 - 1) + content[place + 12 :]


NOISE = np.random.default_rng(0).bytes(4096)

HOSTILE: dict[str, tuple[str, bytes]] = {
    **{f"empty {ending}": (f"x.{ending}", b"") for ending in ("npy", "mat", "png", "jpg", "tif", "webp", "bmp", "csv")},
    **{f"noise in {ending}": (f"x.{ending}", NOISE) for ending in ("npy", "mat", "png", "jpg", "tif", "bmp", "dlm")},
    "pickled npy": ("x.npy", _pickled()),
    "zip as npy": ("x.npy", _zipped()),
    "npy that claims terabytes": ("x.npy", _lying_npy("(1000000, 1000000)")),
    "npy that claims gigabytes": ("x.npy", _lying_npy("(2000, 2000)")),
    "npy whose size overflows": ("x.npy", _lying_npy("(4294967296, 4294967296)")),
    "npy with a negative side": ("x.npy", _lying_npy("(-1, 8)")),
    "npy with no pixels": ("x.npy", _lying_npy("(0, 8)")),
    "npy with code in its header": ("x.npy", _npy("__import__('os').getcwd()")),
    "npy of dates": ("x.npy", _npy("{'descr': '<M8[s]', 'fortran_order': False, 'shape': (2, 4), }")),
    "png bomb": ("x.png", _png(65000, 65000)),
    "png bomb below the limit that Pillow warns of": ("x.png", _png(9000, 9000)),
    "png with half its pixels": ("x.png", _png(60, 60)[:-30]),
    "jpeg called png": ("x.png", _tiff(lambda b: Image.fromarray(WHITE).save(b, "JPEG"))),
    "gif called png": ("x.png", _tiff(lambda b: Image.fromarray(WHITE).save(b, "GIF"))),
    "tiff that claims a width of billions": (
        "x.tif",
        _tiff(lambda b: tifffile.imwrite(b, VALUES.astype(np.float32)), _claim_width),
    ),
    "tiff whose tiles are far larger than it": (
        "x.tif",
        _tiff(lambda b: tifffile.imwrite(b, VALUES, tile=(8192, 8192), compression="deflate")),
    ),
    "tiff with three pages in depth": (
        "x.tif",
        _tiff(lambda b: tifffile.imwrite(b, np.ones((16, 16, 16), np.float32), volumetric=True, tile=(16, 16, 16))),
    ),
    "mat bomb": ("x.mat", _mat_bomb()),
    "mat of version 7.3": ("x.mat", b"MATLAB 7.3".ljust(124) + b"\x00\x02IM" + NOISE),
    "mat that claims more values than it has": ("x.mat", _mat_variable(4, 4)),
    "mat with negative sides": ("x.mat", _mat_variable(-3, -3)),
    "mat with a type that does not exist": ("x.mat", _mat_variable(3, 3, stored_as=200)),
    "mat with values of odd length": ("x.mat", _mat_variable(3, 3, content=bytes(71))),
    "mat of zeros": ("x.mat", _mat_variable(3, 3)),
    "text with letters": ("x.txt", b"one two\nthree four"),
    "text with rows of different length": ("x.csv", b"1,2\n3\n"),
    "text with a comma that could be two things": ("x.csv", b"0,5;0,5\n"),
    "text with decimal commas and blanks": ("x.txt", b"0,1 0,2 0,1\n"),
    "text with decimal commas and tabs": ("x.csv", b"0,5\t1,0\n1,0\t0,5\n"),
    "text with one endless row": ("x.txt", b"1 " * 2**20),
    "text with one endless column": ("x.txt", b"1\n" * 2**20),
    "text in UTF-16": ("x.txt", "1 2\n3 4".encode("utf-16")),
    "unknown ending": ("x.psf", VALUES.tobytes()),
    "no ending": ("psf", VALUES.tobytes()),
}


class TestHostileFiles:
    @pytest.mark.parametrize(("name", "content"), HOSTILE.values(), ids=list(HOSTILE))
    def test_each_is_refused_quickly_by_a_psf_error_that_names_the_file(self, tmp_path, name, content):
        (tmp_path / name).write_bytes(content)
        start = time.monotonic()
        with pytest.raises(PsfError, match=name):
            Psf.load(tmp_path / name)
        assert time.monotonic() - start < 2

    @pytest.mark.parametrize(
        ("bomb", "reason"),
        [
            ("png bomb", "exceeds limit"),
            ("png bomb below the limit that Pillow warns of", "9000 x 9000, which is a picture rather than a PSF"),
            ("tiff that claims a width of billions", "13 x 2147483647, which is a picture"),
            ("tiff whose tiles are far larger than it", r"tiles of \(8192, 8192\), far more than a PSF"),
            ("mat bomb", "unpacks to far more than a PSF"),
            ("npy that claims gigabytes", "length is greater than file size"),
        ],
    )
    def test_a_bomb_is_refused_by_its_claim_before_it_is_unpacked(self, tmp_path, bomb, reason):
        name, content = HOSTILE[bomb]
        (tmp_path / name).write_bytes(content)
        with pytest.raises(PsfError, match=reason):
            Psf.load(tmp_path / name)

    @pytest.mark.parametrize("part", [0.1, 0.5, 0.9])
    @pytest.mark.parametrize(("name", "write", "tolerance"), GOOD.values(), ids=list(GOOD))
    def test_a_truncated_file_is_refused_or_still_a_psf(self, tmp_path, name, write, tolerance, part):
        content = _encoded(write, tmp_path, name)
        (tmp_path / name).write_bytes(content[: int(part * len(content))])
        try:
            psf = Psf.load(tmp_path / name)
        except PsfError:
            return
        # half a text file is a text file, and a decoder may call a picture whole that has lost its last bytes
        assert float(psf.kernel.sum()) == pytest.approx(1, abs=1e-5)

    @pytest.mark.parametrize("seed", range(8))
    @pytest.mark.parametrize(("name", "write", "tolerance"), GOOD.values(), ids=list(GOOD))
    def test_a_damaged_file_is_refused_or_still_a_psf(self, tmp_path, name, write, tolerance, seed):
        chance = np.random.default_rng(seed)
        content = bytearray(_encoded(write, tmp_path, name))
        # most damage goes to the head, where the claims are
        for place in chance.integers(0, min(len(content), chance.choice([200, len(content)])), size=5):
            content[place] = chance.integers(256)
        (tmp_path / name).write_bytes(content)
        try:
            psf = Psf.load(tmp_path / name)
        except PsfError:
            return
        assert float(psf.kernel.min()) >= 0
        assert float(psf.kernel.sum()) == pytest.approx(1, abs=1e-5)

    def test_a_pickle_is_never_opened(self, tmp_path):
        class Trap:
            def __reduce__(self) -> tuple[object, ...]:
                return (Path.touch, (tmp_path / "sprung",))

        trap = np.empty((1, 1), dtype=object)
        trap[0, 0] = Trap()
        np.save(tmp_path / "x.npy", trap, allow_pickle=True)
        with pytest.raises(PsfError):
            Psf.load(tmp_path / "x.npy")
        assert not (tmp_path / "sprung").exists()

    def test_a_file_of_many_megabytes_is_refused_unread(self, tmp_path):
        with (tmp_path / "x.csv").open("wb") as stream:
            stream.truncate(2**33)
        with pytest.raises(PsfError, match="8192 MiB; a PSF has a few"):
            Psf.load(tmp_path / "x.csv")

    def test_what_is_not_a_file_is_refused(self, tmp_path):
        (tmp_path / "x.png").mkdir()
        with pytest.raises(PsfError, match=r"x.png is not a file"):
            Psf.load(tmp_path / "x.png")
        with pytest.raises(PsfError, match=r"y.png is not there. Check the path"):
            Psf.load(tmp_path / "y.png")
        with pytest.raises(PsfError, match="cannot be read"):
            Psf.load(tmp_path / ("y" * 300 + ".png"))

    @pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no named pipes on this system")
    def test_a_named_pipe_does_not_hang(self, tmp_path):
        os.mkfifo(tmp_path / "x.csv")
        with pytest.raises(PsfError, match=r"x.csv is not a file"):
            Psf.load(tmp_path / "x.csv")

    @pytest.mark.parametrize(
        ("variables", "message"),
        [
            ({"a": np.ones((3, 3)), "b": np.ones((3, 3))}, "holds a, b; which is the PSF is not clear"),
            ({"a": 1.0, "b": "text", "c": np.ones((3, 3, 3)), "d": np.ones((3, 3), complex)}, "no real two-dimension"),
        ],
    )
    def test_a_mat_file_in_which_the_psf_is_not_clear_is_refused(self, tmp_path, variables, message):
        scipy.io.savemat(tmp_path / "x.mat", variables)
        with pytest.raises(PsfError, match=message):
            Psf.load(tmp_path / "x.mat")
