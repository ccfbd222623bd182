"""Metrics and logs of a running node, for the operator."""
