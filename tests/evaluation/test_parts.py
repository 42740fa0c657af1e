"""A blind set by category and by PSF."""

from typing import Any

import pytest
from benchmarks.parts import parts


def record(
    image: str, group: str, psnr: float, similarity: float | None, method: str = "hyper_laplacian"
) -> dict[str, Any]:
    scores = {"psnr": psnr} | ({} if similarity is None else {"psf_similarity": similarity})
    return {"image": image, "group": group, "method": method, "scores": scores, "error": None}


LAI = [
    record("manmade_01_kernel_01", "manmade", 20.0, None, "input"),
    record("manmade_02_kernel_02", "manmade", 22.0, None, "input"),
    record("text_01_kernel_01", "text", 15.0, None, "input"),
    record("manmade_01_kernel_01", "manmade", 26.0, 0.9),
    record("manmade_02_kernel_02", "manmade", 21.0, 0.3),
    record("text_01_kernel_01", "text", 25.0, 0.6),
]


def by_name(records: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    return {entry.pop("part"): entry for entry in parts(records, "hyper_laplacian")}


def test_each_category_and_each_psf_has_its_means_and_all_have_theirs():
    found = by_name(LAI)
    assert found["manmade"] == {"images": 2, "input": 21.0, "psnr": 23.5, "similarity": 0.6, "alike": 1}
    assert found["kernel_01"] == {"images": 2, "input": 17.5, "psnr": 25.5, "similarity": 0.75, "alike": 2}
    assert found["all"] == {"images": 3, "input": 19.0, "psnr": 24.0, "similarity": 0.6, "alike": 2}
    assert list(found) == ["manmade", "text", "kernel_01", "kernel_02", "all"]


def test_a_set_grouped_by_its_psfs_counts_no_image_twice():
    found = by_name([record("im01_ker01", "ker01", 20, None, "input"), record("im01_ker01", "ker01", 30.0, 0.8)])
    assert {name: entry["images"] for name, entry in found.items()} == {"ker01": 1, "all": 1}


@pytest.mark.parametrize("change", [{"error": "PsfError"}, {"method": "wiener"}])
def test_failures_and_other_methods_have_no_part(change):
    assert by_name([*LAI[:5], LAI[5] | change])["all"]["images"] == 2
