"""The pages: the operator's dashboard at ``/`` and the watch page at ``/watch/{stream}``.

Plain HTML, CSS and JavaScript modules served as they lie in ``static/``; the players (hls.js, dash.js, Shaka
Player) are put into ``static/vendor/`` by ``web/vendor.mjs``. Nothing is loaded from anywhere else.
"""

from origin.pages.routes import pages_router

__all__ = ["pages_router"]
