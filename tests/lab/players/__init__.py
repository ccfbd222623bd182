"""One player of the watch page on a network whose bandwidth changes: what the viewer saw, and a verdict on it."""
