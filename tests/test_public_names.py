"""Names that other people's code may rely on do not disappear.

After a deliberate change: ``python tests/test_public_names.py`` writes the inventory anew.
"""

import inspect
from importlib import import_module
from pathlib import Path

import nightsharp
from nightsharp import errors
from nightsharp.methods import list_methods

INVENTORY = Path(__file__).with_name("public_names.txt")
PACKAGES = (
    "nightsharp",
    "nightsharp.photo",
    "nightsharp.optics",
    "nightsharp.methods",
    "nightsharp.restore",
    "nightsharp.evaluation",
    "nightsharp.evaluation.metrics",
    "nightsharp.evaluation.benchmarks",
    "nightsharp.evaluation.downstream",
    "nightsharp.weights",
    "nightsharp.synthesis",
    "nightsharp.training",
)


def public_names() -> list[str]:
    modules = {*PACKAGES, *(spec.entry.partition(":")[0] for spec in list_methods()), "nightsharp.methods.map_psf"}
    found = {f"{module}.{name}" for module in modules for name in import_module(module).__all__}
    found |= {
        f"nightsharp.errors.{name}"
        for name, value in vars(errors).items()
        if inspect.isclass(value) and issubclass(value, errors.NightsharpError)
    }
    return sorted(found)


def test_the_public_names_are_those_of_the_inventory():
    listed = INVENTORY.read_text(encoding="utf-8").split()
    found = public_names()
    assert [name for name in listed if name not in found] == [], "a public name disappeared"
    assert [name for name in found if name not in listed] == [], "a public name is new; see the top"


def test_every_public_name_can_be_had():
    for name in public_names():
        module, _, attribute = name.rpartition(".")
        assert getattr(import_module(module), attribute) is not None


def test_the_promised_names_are_at_the_top():
    promised = {"read_photo", "deblur", "estimate_psf", "Photo", "Psf", "Restoration", "list_methods"}
    assert promised <= set(dir(nightsharp))


if __name__ == "__main__":
    INVENTORY.write_text("\n".join(public_names()) + "\n", encoding="utf-8")
