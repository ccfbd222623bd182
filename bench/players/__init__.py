"""Three players against one broadcast on a network that thins for a while: what a viewer of each would see.

    python -m bench.players --player all --seconds 180

A real ffmpeg broadcast of 720p30 with a ladder and the time of day in its picture; nginx of docker/ before the
origin; the watch page in headless Chromium, at low latency. For the middle third the network carries only a lower
rung (DevTools' Network.emulateNetworkConditions). Every criterion gets its verdict; the exit code is 1 where one
fails.
"""
