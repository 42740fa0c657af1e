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

    specs = list_methods()
    if json:
        rows = [
            {
                "name": spec.name,
                "summary": spec.summary,
                "source": spec.source,
                "needs_psf": spec.needs_psf,
                "light": spec.light,
            }
            for spec in specs
        ]
        print(json_format.dumps({"methods": rows}, ensure_ascii=False))
        return
    width = max(len(spec.name) for spec in specs)
    for spec in specs:
        print(f"{spec.name:<{width}}  {spec.summary}  [{spec.source}]")
