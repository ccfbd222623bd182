"""The headers of the pages' responses: security policy and caching.

The Content-Security-Policy (CSP Level 3) allows nothing inline and nothing from another origin. ``blob:`` is needed
for Media Source playback (``media-src``), for hls.js's demuxing worker (``worker-src``) and for the dashboard's
thumbnails, which are fetched with the bearer token (``img-src``).
"""

IMMUTABLE = "public, max-age=31536000, immutable"
REVALIDATE = "no-cache"

_SAME_ORIGIN_ONLY = {
    "default-src": "'none'",
    "script-src": "'self'",
    "style-src": "'self'",
    "img-src": "'self' blob: data:",
    "connect-src": "'self'",
    "base-uri": "'none'",
    "form-action": "'none'",
}
_EVERY_PAGE = {
    "Cache-Control": REVALIDATE,
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
    "X-Content-Type-Options": "nosniff",
}


def watch_headers(frame_ancestors: str) -> dict[str, str]:
    """Headers of the watch page. ``frame_ancestors`` (a source list of CSP Level 3, 7.6.2) may embed it.

    If it is ``*``, the directive is left out, because in a source list ``*`` does not match local files.
    """
    policy = _SAME_ORIGIN_ONLY | {"media-src": "'self' blob:", "worker-src": "'self' blob:"}
    if frame_ancestors != "*":
        policy["frame-ancestors"] = frame_ancestors
    return _EVERY_PAGE | {
        "Content-Security-Policy": _render(policy),
        "Referrer-Policy": "strict-origin-when-cross-origin",
    }


def dashboard_headers() -> dict[str, str]:
    """Headers of the dashboard. It cannot be framed, and Trusted Types forbid turning strings into markup."""
    policy = _SAME_ORIGIN_ONLY | {
        "frame-ancestors": "'none'",
        "require-trusted-types-for": "'script'",
        "trusted-types": "'none'",
    }
    return _EVERY_PAGE | {
        "Content-Security-Policy": _render(policy),
        "Cross-Origin-Opener-Policy": "same-origin",
        "Referrer-Policy": "no-referrer",
        "X-Frame-Options": "DENY",
    }


def reference_headers() -> dict[str, str]:
    """Headers of the API's reference. It cannot be framed. Swagger UI writes markup, so Trusted Types are off."""
    policy = _SAME_ORIGIN_ONLY | {"frame-ancestors": "'none'"}
    return _EVERY_PAGE | {"Content-Security-Policy": _render(policy), "Referrer-Policy": "no-referrer"}


def static_headers() -> dict[str, str]:
    return {
        "Cache-Control": IMMUTABLE,
        "Cross-Origin-Resource-Policy": "same-origin",
        "X-Content-Type-Options": "nosniff",
    }


def _render(policy: dict[str, str]) -> str:
    return "; ".join(f"{directive} {sources}" for directive, sources in policy.items())
