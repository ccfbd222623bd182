"""Nodes, the claims by which they own streams, and queries to the owner of a stream on any node."""
