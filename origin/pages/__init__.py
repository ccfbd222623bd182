"""The pages: the operator's dashboard at ``/``, the watch page at ``/watch/{stream}`` and the API's reference at
``/api/v1/docs``.

The pages are plain HTML, CSS and JavaScript modules, served from ``static/`` without a build step.
``web/vendor.mjs`` copies the players (hls.js, dash.js, Shaka Player) and Swagger UI to ``static/vendor/``. The
pages load nothing from other hosts.
"""

from origin.pages.routes import pages_router

__all__ = ["pages_router"]
