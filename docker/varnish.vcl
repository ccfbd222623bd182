# Varnish in front of Headwater's origin. Viewers who wait for the same object share one request, and are answered as soon
# as the response arrives. A growing segment is streamed to all of them while it grows.
# The origin sets lifetimes (Cache-Control); this file decides what is served when the origin refuses or fails.

vcl 4.1;

import std;

backend headwater {
    .host = "headwater";
    .port = "8080";
    .connect_timeout = 2s;
    # The origin holds a request for at most three segments.
    .first_byte_timeout = 35s;
    .between_bytes_timeout = 35s;
}

# Proxies and balancers in front of this cache. From all others, X-Forwarded-For is ignored: it could name any address.
acl proxies {
    "localhost";
}

# Servers that may remove deleted recordings from this cache: [cache] purge_urls. Add the addresses of yours.
acl purgers {
    "localhost";
}

sub vcl_recv {
    if (req.restarts == 0) {
        call name_the_viewer;
    }
    # From this proxy, it would make the origin trace the request.
    unset req.http.traceparent;
    if (req.method == "PURGE") {
        if (client.ip !~ purgers) {
            return (synth(403));
        }
        return (purge);
    }
    # What viewers need. Everything else is refused, however it is written.
    if (req.url == "/healthz") {
        return (synth(200));
    }
    if (req.url !~ "^/(live|static|watch|time|api/v1/watch)/" && req.url !~ "^/(time|favicon\.ico|api/v1/cmcd)(\?|$)") {
        return (synth(404));
    }
    # Viewers only read; their players also report how playback is.
    if (req.method == "POST" && req.url ~ "^/api/v1/cmcd(\?|$)") {
        return (pass);
    }
    if (req.method != "GET" && req.method != "HEAD" && req.method != "OPTIONS") {
        return (synth(405));
    }
    if (req.method == "OPTIONS" || req.url !~ "^/(live|static)/") {
        return (pass);
    }
    # The answer to a viewer token is for that viewer only.
    if (req.url ~ "[?&]token=") {
        return (pass);
    }
    unset req.http.Cookie;
    call normalize_query;
    if (req.restarts == 0) {
        call share_between_pages;
        # As long as the origin answers, no stale playlist is served.
        set req.grace = 0s;
    } else {
        set req.grace = 30s;
    }
    return (hash);
}

# Varnish has added the client's address to the client's own header.
sub name_the_viewer {
    if (client.ip !~ proxies) {
        set req.http.X-Forwarded-For = client.ip;
        set req.http.X-Forwarded-Proto = "http";
    }
}

# One cached response is for the pages of all origins: the origin is asked without an Origin. See vcl_deliver.
sub share_between_pages {
    unset req.http.X-Page;
    if (req.http.Origin) {
        set req.http.X-Page = req.http.Origin;
        unset req.http.Origin;
    }
}

# Keeps only the HLS delivery directives of a playlist, in a fixed order. Players add other queries (CMCD), which must not
# create a second copy.
sub normalize_query {
    set req.http.X-Query = "";
    if (req.url ~ "\.m3u8\?") {
        if (req.url ~ "[?&]_HLS_msn=\d{1,12}(&|$)") {
            set req.http.X-Query = req.http.X-Query + "&" + regsub(req.url, "^.*[?&](_HLS_msn=\d+).*$", "\1");
        }
        if (req.url ~ "[?&]_HLS_part=\d{1,12}(&|$)") {
            set req.http.X-Query = req.http.X-Query + "&" + regsub(req.url, "^.*[?&](_HLS_part=\d+).*$", "\1");
        }
        if (req.url ~ "[?&]_HLS_skip=(YES|v2)(&|$)") {
            set req.http.X-Query = req.http.X-Query + "&_HLS_skip=YES";
        }
    }
    set req.url = regsub(req.url, "\?.*$", "") + regsub(req.http.X-Query, "^&", "?");
    unset req.http.X-Query;
}

# The cache key has no host, so all host names of the server share one cache.
sub vcl_hash {
    hash_data(req.url);
    return (lookup);
}

sub vcl_backend_fetch {
    unset bereq.http.X-Page;
}

sub vcl_backend_response {
    if (bereq.uncacheable || bereq.url !~ "^/(live|static)/") {
        return (deliver);
    }
    unset beresp.http.Set-Cookie;
    set beresp.grace = 0s;
    if (beresp.status >= 400) {
        call share_refusal;
    } elsif (bereq.url ~ "_HLS_msn=") {
        # Only viewers who wait for it now request it.
        if (beresp.ttl > 1m) {
            set beresp.ttl = 1m;
        }
    } elsif (beresp.ttl < 1m) {
        # A playlist or manifest: kept in case the origin fails, but only for a short time.
        set beresp.grace = 30s;
    }
    return (deliver);
}

# All waiting viewers get the same refusal, and a request a moment later goes to the origin again. If the origin fails and a
# stale response can be served instead, its answer is not kept at all: see vcl_synth.
sub share_refusal {
    set beresp.uncacheable = false;
    if (beresp.status < 500 && beresp.ttl > 0s) {
        return (deliver);
    }
    if (beresp.status >= 500 && bereq.url !~ "(_HLS_msn=|\.m4s$)") {
        return (abandon);
    }
    set beresp.ttl = 200ms;
    return (deliver);
}

sub vcl_backend_error {
    if (bereq.url !~ "(_HLS_msn=|\.m4s$)") {
        return (abandon);
    }
    set beresp.http.Cache-Control = "no-store";
    set beresp.http.Access-Control-Allow-Origin = "*";
    set beresp.http.Content-Type = "text/plain; charset=utf-8";
    set beresp.body = {"the server behind this cache does not answer; try again
"};
    set beresp.ttl = 200ms;
    return (deliver);
}

sub vcl_synth {
    # If the origin fails, try again with stale responses allowed.
    if (resp.status == 503 && req.restarts == 0 && req.url ~ "^/live/") {
        return (restart);
    }
    set resp.http.Cache-Control = "no-store";
    set resp.http.Access-Control-Allow-Origin = "*";
    set resp.http.Content-Type = "text/plain; charset=utf-8";
    if (resp.status == 200) {
        set resp.body = {"ok
"};
    } elsif (resp.status == 503) {
        set resp.body = {"the server behind this cache does not answer; try again
"};
    } elsif (resp.status == 403) {
        set resp.body = {"this address may not purge
"};
    } elsif (resp.status == 405) {
        set resp.http.Allow = "GET, HEAD, OPTIONS";
        set resp.body = {"media and pages can only be fetched (GET, HEAD)
"};
    } else {
        set resp.body = {"there is nothing here
"};
    }
    return (deliver);
}

sub vcl_deliver {
    unset resp.http.Via;
    unset resp.http.X-Varnish;
    # If [http] cors_origins lists pages, the cached response names them, and each viewer gets the one of theirs.
    if (resp.http.X-Allowed-Origins && req.http.X-Page &&
        std.strstr(" " + resp.http.X-Allowed-Origins + " ", " " + req.http.X-Page + " ")) {
        set resp.http.Access-Control-Allow-Origin = req.http.X-Page;
    }
    unset resp.http.X-Allowed-Origins;
    if (obj.hits > 0) {
        set resp.http.X-Cache = "HIT";
    } else {
        set resp.http.X-Cache = "MISS";
    }
}
