"""One player of the watch page on a network whose bandwidth changes: what a viewer saw, and whether that passes."""
