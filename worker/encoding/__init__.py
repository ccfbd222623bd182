"""What a node encodes when it cannot encode every ladder: rungs are left out at the start, or shed while on air."""
