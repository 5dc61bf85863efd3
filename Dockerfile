# The official nginx image with the module and conf/: a WebSocket echo on 8080.
#
#   docker build -t ngx_ws .
#   docker run --rm -p 8080:8080 --read-only --tmpfs /tmp ngx_ws
#
# NGINX_IMAGE may be any Alpine based image of nginx whose packages have the
# Rust that Cargo.toml asks for: since nginx 1.28.1 (Alpine 3.23).

ARG NGINX_IMAGE=nginx:stable-alpine

FROM ${NGINX_IMAGE} AS build

# SHA-256 of nginx-VERSION.tar.gz, to check what is fetched if the image's
# version is not the one in the nginx-src crate.
ARG NGINX_SHA256=

RUN apk add --no-cache \
    cargo clang-libclang gcc linux-headers make musl-dev openssl-dev pcre2-dev pkgconf zlib-dev
WORKDIR /src
COPY . .
RUN nginx-build/against-nginx --nginx /usr/sbin/nginx --output /out/libngx_ws.so

FROM ${NGINX_IMAGE}

# libgcc unwinds for Rust.  conf/nginx.conf writes only below tmp/ and logs/.
RUN apk add --no-cache libgcc \
    && ln -s /tmp /etc/nginx/tmp \
    && ln -s /var/log/nginx /etc/nginx/logs
COPY --from=build /out/libngx_ws.so /usr/lib/nginx/modules/
COPY conf/ /etc/nginx/
# The check leaves files of root in /tmp.
RUN nginx -t && rm -rf /tmp/*

USER nginx
EXPOSE 8080
HEALTHCHECK --interval=10s --timeout=3s --start-period=5s \
    CMD wget -q -O /dev/null http://127.0.0.1:8080/health || exit 1
