"""Nodes, the claims by which they own streams, and requests to the owner of a stream on any node."""
