"""A broadcast on air, inside one node: its messages, the bus, its status and the live window."""
