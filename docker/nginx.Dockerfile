# nginx with the Lua module that runs coalesce.lua, both from Debian's packages. It runs without privileges.
FROM debian:bookworm-20260824-slim
RUN apt-get update \
    && apt-get install -y --no-install-recommends ca-certificates curl nginx libnginx-mod-http-lua \
    && rm -rf /var/lib/apt/lists/* \
    && install -d /etc/nginx/server.d \
    && install -d -o www-data -g www-data /var/cache/nginx
COPY nginx.conf coalesce.lua /etc/nginx/
USER www-data
EXPOSE 8080 8081 8443
STOPSIGNAL SIGQUIT
HEALTHCHECK --interval=10s --timeout=5s --retries=3 CMD ["curl", "-fsS", "-o", "/dev/null", "http://127.0.0.1:8080/healthz"]
CMD ["nginx", "-g", "daemon off;"]
