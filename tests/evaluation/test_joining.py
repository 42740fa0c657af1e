"""A method that was measured again takes the place of its old row, and of nothing else."""

from typing import Any

from benchmarks.joining import joined


def table(protocol: str = "border 15", **psnr: float) -> dict[str, Any]:
    return {
        "set": "levin2009",
        "protocol": protocol,
        "images": 32,
        "every": 1,
        "seed": 0,
        "measured": [{"method": method, "psnr": value} for method, value in psnr.items()],
        "groups": {"ker01": dict(psnr)},
        "seconds": dict.fromkeys(psnr, 1.0),
    }


def test_other_methods_keep_their_rows():
    (both,) = joined([table(input=20, wiener=30, dwdn=31)], [table(input=20, dwdn=33, infwide=34)])
    new = {"input": 20, "wiener": 30, "dwdn": 33, "infwide": 34}
    assert {row["method"]: row["psnr"] for row in both["measured"]} == new
    assert both["groups"]["ker01"] == new
    assert set(both["seconds"]) == set(new)


def test_the_parts_stay_those_of_the_method_that_they_are_of():
    parted = table(input=20, hyper_laplacian=30) | {"parts": [{"part": "ker01", "psnr": 30}]}
    (both,) = joined([parted], [table(input=20, auto=31) | {"parts": []}])
    assert both["parts"] == parted["parts"]
    newer = [{"part": "ker01", "psnr": 32}]
    (both,) = joined([parted], [table(input=20, hyper_laplacian=32) | {"parts": newer}])
    assert both["parts"] == newer


def test_rows_under_another_protocol_do_not_stay_beside_new_ones():
    (only,) = joined([table(wiener=30)], [table("border 25", dwdn=33)])
    assert [row["method"] for row in only["measured"]] == ["dwdn"]


def test_sets_that_were_not_measured_again_stay():
    other = table(wiener=30) | {"set": "pan_text"}
    assert joined([other], [table(dwdn=33)]) == [other, table(dwdn=33)]
