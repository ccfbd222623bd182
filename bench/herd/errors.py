"""What keeps the herd from running."""


class HerdError(Exception):
    """Something that takes part cannot run; the text says what to do."""
