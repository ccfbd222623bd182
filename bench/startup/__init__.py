"""How long it takes until something is there: the server, the first playlist, the first picture.

python -m bench.startup --runs 7
"""
