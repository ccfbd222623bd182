"""The book of the benchmarks: docs/benchmarks.md with its plots, from what the sections measured.

    python -m bench.book

A section that was not measured again stays in the book as it was.
"""
