"""Servers, publishers, viewers, browsers and stores that tests and benchmarks share."""
