"""Photographs and the kernels that others published for them find each other by their names."""

from pathlib import Path

from benchmarks.published import pairs


def test_a_kernel_is_of_the_photograph_whose_name_it_begins_with(tmp_path: Path):
    photographs = [
        "blurred/toy.png",
        "blurred/flower.jpg",
        "blurred/flower_blurred.png",
        "blurred/house.jpg",
        "lamp.PNG",
    ]
    kernels = ["kernel_est/toy_11_levin_psf.png", "kernel_est/flower_blurred.png", "lamp_kernel.png"]
    for name in (*photographs, *kernels, "kernel_est/nobody.png", "kernel_est/readme.txt"):
        file = tmp_path / name
        file.parent.mkdir(exist_ok=True)
        file.touch()
    found = [(file.relative_to(tmp_path), kernel.relative_to(tmp_path)) for file, kernel in pairs(tmp_path)]
    assert [(str(file), str(kernel)) for file, kernel in found] == [
        ("blurred/flower_blurred.png", "kernel_est/flower_blurred.png"),
        ("blurred/toy.png", "kernel_est/toy_11_levin_psf.png"),
        ("lamp.PNG", "lamp_kernel.png"),
    ]
