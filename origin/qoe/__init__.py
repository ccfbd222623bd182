"""Quality of experience: what players report about playback, with CMCD (CTA-5004-B).

:mod:`origin.qoe.cmcd` parses reports, :mod:`origin.qoe.session` turns those of one viewer into figures, and
:mod:`origin.qoe.streams` sums them up for each stream and rendition. :mod:`origin.api.cmcd` receives them.
"""
