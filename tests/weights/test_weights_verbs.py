"""``nightsharp weights`` as people and machines use it."""

import json
import subprocess
import sys

import pytest
import torch
from small_networks import small

from nightsharp.cli import main
from nightsharp.weights import Card, Measurement, load, manifest, save
from nightsharp.weights.systems import SYSTEMS

FIGURE = Measurement(on="Levin 2009", metric="PSNR", value=31.25, unit="dB", protocol="border 15 px")
CARD = Card(system="dwdn", recipe="dwdn-lite", steps=20_000, hours=3.5, machine="2 cores", measured=(FIGURE,))


@pytest.fixture
def file(tmp_path):
    return save(tmp_path / "mine.safetensors", small("dwdn"), CARD)


@pytest.fixture
def package(tmp_path, monkeypatch):
    """A package that ships one network."""
    folder = tmp_path / "shipped"
    folder.mkdir()
    monkeypatch.setattr(manifest, "shipped_folder", lambda: folder)
    save(folder / "dwdn-lite.safetensors", small("dwdn"), CARD)
    manifest.write_manifest(folder)
    return folder


def test_list_names_what_is_shipped(package, capsys):
    assert main(["weights", "list"]) == 0
    (line,) = capsys.readouterr().out.splitlines()
    assert line.split()[:2] == ["dwdn-lite", "dwdn"]
    assert "Levin 2009: PSNR 31.25 dB (border 15 px)" in line
    assert main(["weights", "list", "--json"]) == 0
    (listed,) = json.loads(capsys.readouterr().out)["weights"]
    assert listed["bytes"] == (package / "dwdn-lite.safetensors").stat().st_size


def test_show_prints_the_card_of_shipped_weights_and_of_a_file(package, file, capsys):
    for name in ("dwdn-lite", str(file)):
        assert main(["weights", "show", name]) == 0
        said = capsys.readouterr().out
        assert "20000 steps, 3.5 hours, 2 cores" in said
        assert "colours=3, features=4, width=8, blocks=1" in said
        assert main(["weights", "show", name, "--json"]) == 0
        assert Card.model_validate_json(capsys.readouterr().out).measured == (FIGURE,)


def test_verify_passes_and_fails(package, file, capsys):
    assert main(["weights", "verify"]) == 0
    assert capsys.readouterr().out.startswith("dwdn-lite: as shipped, sha256 ")
    assert main(["weights", "verify", str(file), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["verified"][0]["name"] == str(file)
    assert main(["weights", "verify", "dwdn-lite", str(file)]) == 0
    assert capsys.readouterr().out.startswith("dwdn-lite: loads, sha256 ")
    (package / "dwdn-lite.safetensors").write_bytes(b"short")
    for words in ([], ["dwdn-lite"]):
        assert main(["weights", "verify", *words]) == 5
        assert "not the one of the manifest" in capsys.readouterr().err


def test_a_strangers_card_does_not_steer_the_terminal(tmp_path, capsys):
    strange = "night \x1b[2J\x9b31m\r\u202e\nlicence   none, 夜 é"
    card = Card(system="dwdn", data=strange, history=(strange,))
    assert main(["weights", "show", str(save(tmp_path / "a.safetensors", small("dwdn"), card))]) == 0
    said = capsys.readouterr().out
    assert all(sign.isprintable() for sign in said.replace("\n", ""))
    assert said.count("night \\x1b[2J\\x9b31m\\r\\u202e\\nlicence   none, 夜 é\n") == 2


def test_weights_are_converted_there_and_back(tmp_path, file, capsys):
    assert main(["weights", "convert", str(file), str(tmp_path / "official.pt")]) == 0
    assert "official.pt" in capsys.readouterr().out
    again = tmp_path / "again.safetensors"
    words = ["weights", "convert", str(tmp_path / "official.pt"), str(again), "--system", "dwdn", "--json"]
    assert main(words) == 0
    assert json.loads(capsys.readouterr().out)["output"] == str(again)
    assert all(torch.equal(a, b) for a, b in zip(load(file).parameters(), load(again).parameters(), strict=True))
    # the second time it is there already
    assert main(words) == 2


@pytest.mark.parametrize(
    ("words", "code", "says"),
    [
        (["show", "no-such"], 5, "no weights 'no-such' are shipped"),
        (["show", "{}/no.safetensors"], 5, "no such weight file"),
        (["verify", "{}/no.safetensors"], 5, "no such weight file"),
        (["verify", "dwnd"], 5, "no weights 'dwnd' are shipped"),
        (["convert", "{}/mine.safetensors", "{}/out.onnx"], 2, "written as .pt or .pth"),
        (["convert", "{}/a.pt", "{}/b.safetensors"], 2, "--system dwdn"),
        (["convert", "{}/a.pt", "{}/b.pt", "--system", "dwdn"], 2, "one of the two"),
        (["convert", "{}/a.pt", "{}/b.safetensors", "--system", "dwdnn"], 5, "Did you mean 'dwdn'"),
        (["convert", "{}/a.pt", "{}/no/b.safetensors", "--system", "dwdn"], 2, "does not exist"),
        (["export", "{}/no.safetensors", "{}/a.onnx"], 5, "no such weight file"),
        (["export", "{}/mine.safetensors", "{}/mine.safetensors"], 2, "ends in .onnx"),
        (["shw", "dwdn"], 2, "shw"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_what_cannot_be_done_is_said_in_one_line_with_its_code(tmp_path, file, capsys, words, code, says):
    assert main(["weights", *(word.replace("{}", str(tmp_path)) for word in words)]) == code
    said = capsys.readouterr()
    assert says in said.err
    assert "Traceback" not in said.err
    assert sorted(path.name for path in tmp_path.iterdir()) == ["mine.safetensors"]


def test_export_says_how_it_compares(tmp_path, capsys):
    pytest.importorskip("onnxruntime", reason="pip install '.[export]'")
    file = save(tmp_path / "a.safetensors", small("nightwiener"), Card(system="nightwiener"))
    assert main(["weights", "export", str(file), str(tmp_path / "a.onnx")]) == 0
    said = capsys.readouterr()
    assert "inputs: stack b x 15 x 8*height_8 x 8*width_8" in said.out
    assert said.err == ""
    assert main(["weights", "export", str(file), str(tmp_path / "a.onnx"), "--overwrite", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["difference"] < 1e-3


@pytest.mark.parametrize("verb", ["list", "show", "verify", "convert", "export"])
def test_every_verb_has_help_with_an_example(verb, capsys):
    assert main(["weights", verb, "--help"]) == 0
    assert f"  nightsharp weights {verb}" in capsys.readouterr().out


@pytest.mark.parametrize("words", [["weights", "--help"], ["weights", "export", "--help"]], ids=" ".join)
def test_help_loads_no_torch(words):
    code = f"import sys; from nightsharp.cli import main; main({words}); sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, timeout=60, check=False).returncode == 0


@pytest.mark.parametrize("system", SYSTEMS.values(), ids=lambda system: system.name)
def test_every_system_is_where_the_list_says(system):
    assert small(system.name).__class__ is system.network_class()
    assert [port.name for port in system.inputs(small(system.name).config)]
