"""Simulated viewers of low-latency HLS."""
