"""Glass to glass: from a picture's being made to its being shown, in a real browser.

    python -m bench.glass --player hls --seconds 60 --via cache

A publisher writes the time of day into every frame as a row of black and white blocks; the watch page in headless
Chromium reads it back from the frames that are shown. Both are on one machine, so there is one clock.
"""
