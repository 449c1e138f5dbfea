"""Benchmarks: roost beside its rivals in the same run. `scripts/bench [NAME…]` prints a table.

A module here that has `run(quick: bool) -> list[Result]` is a benchmark; its docstring's first line says of what.
Machines are noisy: figures are medians, ratios and processor time, never one absolute time.
"""
