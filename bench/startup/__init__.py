"""Start-up: the time until the server listens, the first playlist is playable, and the first picture is shown.

python -m bench.startup --runs 7
"""
