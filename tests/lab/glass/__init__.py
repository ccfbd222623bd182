"""Glass to glass: the delay from making a picture to showing it in a real browser.

A publisher draws the time of day into every frame as a row of black and white blocks. The watch page in headless
Chromium reads it back from the frames that it shows. Both run on one machine, so there is one clock.
"""
