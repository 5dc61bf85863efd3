# The official nginx image with the module and conf/: a WebSocket echo on 8080.
#
#   docker build -t ngx_ws .
#   docker run --rm -p 8080:8080 --read-only --tmpfs /tmp ngx_ws
#
# NGINX_VERSION is the tag of the image without "-alpine".  To build the same
# again next year, name a version (--build-arg NGINX_VERSION=1.28.3, which the
# tests run with) or an image by its digest (--build-arg NGINX_IMAGE=...).
#
# NGINX_IMAGE may be any Alpine based image of nginx whose packages have the
# Rust that Cargo.toml asks for: since nginx 1.28.1 (Alpine 3.23).

ARG NGINX_VERSION=stable
ARG NGINX_IMAGE=nginx:${NGINX_VERSION}-alpine

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

# Of this repository, not of nginx: the commit is known to who builds.
ARG VERSION=0.1.0
ARG REVISION=unknown
LABEL org.opencontainers.image.title="ngx_ws" \
    org.opencontainers.image.description="nginx that ends WebSocket: an echo, and a bridge to REST" \
    org.opencontainers.image.version="${VERSION}" \
    org.opencontainers.image.revision="${REVISION}" \
    org.opencontainers.image.licenses="MIT AND BSD-2-Clause"

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
