"""Writes docs/benchmarks.md ("the book") and its plots from the sections' results.

    python -m bench.book

A section without a new result is left unchanged.
"""
