"""How many requests the origin answered, according to ``headwater_requests_total`` in its /metrics."""

import re
import urllib.request
from collections import Counter

SAMPLE = re.compile(r'^headwater_requests_total\{kind="(\w+)",status="\w+"\} (\S+)$', re.MULTILINE)


def origin_counts(origin: str) -> Counter[str]:
    """Requests so far, by kind."""
    with urllib.request.urlopen(f"{origin}/metrics", timeout=10) as response:
        return parse_counts(response.read().decode())


def parse_counts(exposition: str) -> Counter[str]:
    counts: Counter[str] = Counter()
    for resource, value in SAMPLE.findall(exposition):
        counts[resource] += round(float(value))
    return counts
