# Varnish before Headwater's origin: everybody who waits for the same thing shares one request, and gets it in the moment
# it is there; a segment that is still being made is handed on as it grows.
# How long things are kept is for the origin to say (Cache-Control); this file says what happens in between.

vcl 4.1;

backend headwater {
    .host = "headwater";
    .port = "8080";
    .connect_timeout = 2s;
    # The origin holds a request for at most three segments.
    .first_byte_timeout = 35s;
    .between_bytes_timeout = 35s;
}

sub vcl_recv {
    if (req.url ~ "^/metrics(\?|$)") {
        return (synth(404));
    }
    if (req.method != "GET" && req.method != "HEAD") {
        return (pass);
    }
    if (req.url !~ "^/(live|static)/") {
        return (pass);
    }
    # A viewer's own key to a private stream is answered for him alone.
    if (req.url ~ "[?&]token=") {
        return (pass);
    }
    unset req.http.Cookie;
    call what_is_asked;
    if (req.restarts == 0) {
        # Nobody is shown an old playlist as long as the origin answers.
        set req.grace = 0s;
    } else {
        set req.grace = 30s;
    }
    return (hash);
}

# A playlist's directives count, in one order; players add queries of their own (CMCD), which must not
# make a second copy.
sub what_is_asked {
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

# One cache for all names that the server is known by.
sub vcl_hash {
    hash_data(req.url);
    return (lookup);
}

# What is kept for everybody has to carry the CORS headers, which are for requests that name an Origin.
sub vcl_backend_fetch {
    if (bereq.url ~ "^/(live|static)/" && !bereq.http.Origin) {
        set bereq.http.Origin = "https://any.invalid";
    }
}

sub vcl_backend_response {
    if (bereq.url !~ "^/(live|static)/") {
        return (deliver);
    }
    unset beresp.http.Set-Cookie;
    set beresp.grace = 0s;
    if (beresp.status >= 400) {
        call share_refusal;
    } elsif (bereq.url ~ "_HLS_msn=") {
        # Asked for again only by those who wait for it now.
        if (beresp.ttl > 1m) {
            set beresp.ttl = 1m;
        }
    } elsif (beresp.ttl < 1m) {
        # A playlist or manifest: kept to bridge a failing origin, but not long after anybody asked for it.
        set beresp.grace = 30s;
    }
    return (deliver);
}

# All who waited are told the same, and those who come a moment later ask anew. Where something older may be shown, the
# refusal is not kept at all: see vcl_synth.
sub share_refusal {
    set beresp.uncacheable = false;
    if (beresp.status < 500 && beresp.ttl > 0s) {
        return (deliver);
    }
    if (bereq.url !~ "(_HLS_msn=|\.m4s$)") {
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
    # What fails at the origin is bridged by what was kept.
    if (resp.status == 503 && req.restarts == 0 && req.url ~ "^/live/") {
        return (restart);
    }
    set resp.http.Cache-Control = "no-store";
    set resp.http.Access-Control-Allow-Origin = "*";
    set resp.http.Content-Type = "text/plain; charset=utf-8";
    if (resp.status == 503) {
        set resp.body = {"the server behind this cache does not answer; try again
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
    if (obj.hits > 0) {
        set resp.http.X-Cache = "HIT";
    } else {
        set resp.http.X-Cache = "MISS";
    }
}
