# nginx with the Lua module that runs coalesce.lua, both from Debian's packages.
FROM debian:bookworm-slim
RUN apt-get update \
    && apt-get install -y --no-install-recommends ca-certificates curl nginx libnginx-mod-http-lua \
    && rm -rf /var/lib/apt/lists/* \
    && install -d -o www-data -g www-data /var/cache/nginx
COPY nginx.conf coalesce.lua /etc/nginx/
EXPOSE 8080
STOPSIGNAL SIGQUIT
HEALTHCHECK --interval=10s --timeout=5s --retries=3 CMD ["curl", "-fsS", "-o", "/dev/null", "http://127.0.0.1:8080/healthz"]
CMD ["nginx", "-g", "daemon off;"]
