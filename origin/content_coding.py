"""Content codings that a client accepts (RFC 9110, 12.5.3)."""

REFUSED = ("q=0", "q=0.0", "q=0.00", "q=0.000")


def accepts_gzip(accept_encoding: str) -> bool:
    """Whether gzip, or ``*`` if gzip is not listed, has a weight above zero."""
    accepted = {}
    for item in accept_encoding.lower().split(","):
        coding, _, parameters = item.partition(";")
        accepted[coding.strip()] = parameters.replace(" ", "") not in REFUSED
    return accepted.get("gzip", accepted.get("*", False))
