"""Benchmarks of a complete, running Headwater server. Not part of the product: no other package imports this."""
