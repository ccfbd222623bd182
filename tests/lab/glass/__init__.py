"""Glass-to-glass latency: the delay from making a picture to showing it in a real browser.

A publisher draws the time of day into every frame as a row of black and white blocks. A script in the watch page in
headless Chromium reads it back from the frames shown. Both run on one machine and so use the same clock.
"""
