"""What the operator sees of a running node: metrics and logs."""
