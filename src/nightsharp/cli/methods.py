"""The verb ``methods``."""

import json as json_format
from typing import Annotated

from cyclopts import Parameter


def methods(*, json: Annotated[bool, Parameter(negative=())] = False) -> None:
    """List the methods: name, what it needs, what it does, where it comes from.

    Args:
        json: print one JSON document.
    """
    from nightsharp.methods import list_methods
    from nightsharp.restore.function import usable_methods

    specs, usable = list_methods(), usable_methods()
    if json:
        rows = [
            {
                "name": spec.name,
                "summary": spec.summary,
                "source": spec.source,
                "needs_psf": spec.needs_psf,
                "light": spec.light,
                "weights": "none needed" if not spec.learned else "shipped" if spec in usable else "give --weights",
            }
            for spec in specs
        ]
        print(json_format.dumps({"methods": rows}, ensure_ascii=False))
        return
    width = max(len(spec.name) for spec in specs)
    for spec in specs:
        wants = "" if spec in usable else " (give --weights)"
        print(f"{spec.name:<{width}}  {spec.summary}{wants}  [{spec.source}]")
