"""One folder per method; ``registry`` lists them."""

from nightsharp.methods.registry import MethodSpec, get_method, list_methods

__all__ = ["MethodSpec", "get_method", "list_methods"]
