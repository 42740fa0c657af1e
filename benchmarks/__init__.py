"""Measured figures: ``python -m benchmarks --data DIR``."""
