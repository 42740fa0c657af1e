"""A blind set taken apart: by category of scene and by PSF."""

from collections.abc import Iterable
from statistics import fmean
from typing import Any

from nightsharp.evaluation.runner import INPUT

ALIKE = 0.6
"""A PSF this similar to the true one counts as found (Hu and Yang, ECCV 2012, as used for Lai's set)."""


def parts(records: Iterable[dict[str, Any]], method: str) -> list[dict[str, Any]]:
    """Means of a method's images for each group and each PSF of a set, and over all.

    Args:
        records: of one set, as ``nightsharp.evaluation.report.as_document`` gives them; an image is named after its
            scene and its PSF, ``manmade_01_kernel_02`` or ``im01_ker02``.
        method: the one that was given nothing.

    Returns:
        One entry each: ``part``, ``images``, ``input`` and ``psnr`` in dB, mean ``similarity`` of the PSFs, and in how
        many images they are ``alike``.
    """
    done = [record for record in records if record["error"] is None]
    before = {record["image"]: record["scores"]["psnr"] for record in done if record["method"] == INPUT}
    measured = [record for record in done if record["method"] == method and "psf_similarity" in record["scores"]]
    named: dict[str, list[dict[str, Any]]] = {}
    for record in measured:
        named.setdefault(record["group"] or "all", []).append(record)
    for record in sorted(measured, key=_psf):
        # Levin's groups are its PSFs
        if _psf(record) != record["group"]:
            named.setdefault(_psf(record), []).append(record)
    named["all"] = measured
    return [_part(part, members, before) for part, members in named.items() if members]


def _psf(record: dict[str, Any]) -> str:
    scene, _, number = record["image"].rpartition("ker")
    return f"ker{number}" if scene else record["image"]


def _part(part: str, members: list[dict[str, Any]], before: dict[str, float]) -> dict[str, Any]:
    similarities = [record["scores"]["psf_similarity"] for record in members]
    return {
        "part": part,
        "images": len(members),
        "input": round(fmean(before[record["image"]] for record in members), 2),
        "psnr": round(fmean(record["scores"]["psnr"] for record in members), 2),
        "similarity": round(fmean(similarities), 3),
        "alike": sum(similarity >= ALIKE for similarity in similarities),
    }
