# Shared by the scripts of this folder, which source it; not a command.
#
# Environment it reads:
#   NGX_WS_CONFIGURE_ARGS  more arguments for nginx's configure, split on spaces
#   NGX_CFLAGS             compiler flags for nginx (default: -O2)
#   NGX_LDFLAGS            linker flags for nginx (default: none)

root=$(cd "$(dirname "$0")/.." && pwd -P)

# shellcheck disable=SC2034 # the scripts use it
build_packages="gcc libc6-dev make pkg-config libclang-dev libpcre2-dev libssl-dev zlib1g-dev"

say() {
    printf '%s: %s\n' "${0##*/}" "$*" >&2
}

die() {
    say "$@"
    exit 1
}

case $root in
    *[[:space:]]*) die "nginx's configure and make need a folder without spaces: $root" ;;
esac

# Prints the comment at the top of the running script, which is its manual.
usage() {
    sed -n '2,/^[^#]/{ s/^# \{0,1\}//p; }' "$0"
}

as_root() {
    if [ "$(id -u)" = 0 ]; then
        "$@"
    elif command -v sudo >/dev/null; then
        sudo "$@"
    else
        return 1
    fi
}

# need_packages NAME...: installs the Debian packages that are missing.
# Where all are there it asks nothing of the network.
need_packages() {
    if ! command -v apt-get >/dev/null || ! command -v dpkg-query >/dev/null; then
        say "no apt here; what these Debian packages hold must be installed: $*"
        return 0
    fi

    missing=
    for package in "$@"; do
        case " $(dpkg-query -W -f '${db:Status-Status} ' "$package" 2>/dev/null)" in
            *" installed "*) ;; # and not "not-installed"
            *) missing="$missing $package" ;;
        esac
    done
    [ -n "$missing" ] || return 0

    say "installing$missing"
    # shellcheck disable=SC2086 # a list
    if ! as_root apt-get update -qq ||
        ! as_root env DEBIAN_FRONTEND=noninteractive \
            apt-get install -qq -y --no-install-recommends $missing > /dev/null; then
        die "could not install the packages; as root: apt-get install$missing"
    fi
}

need_rust() {
    command -v cargo >/dev/null || PATH=$PATH:${CARGO_HOME:-$HOME/.cargo}/bin
    command -v cargo >/dev/null ||
        die "cargo is missing: Rust is needed, see rust-version in Cargo.toml and https://rustup.rs"
}

# Exports what nginx-src passes to nginx's configure.  The modules are those of
# the packages of nginx.org; what is not here, nginx-src always gives.
# Whoever builds with the feature "vendored" needs the same value, or cargo
# builds nginx anew.
export_nginx_flags() {
    NGX_CONFIGURE_ARGS="--with-file-aio
        --with-http_addition_module
        --with-http_auth_request_module
        --with-http_dav_module
        --with-http_flv_module
        --with-http_gunzip_module
        --with-http_gzip_static_module
        --with-http_mp4_module
        --with-http_random_index_module
        --with-http_secure_link_module
        --with-http_slice_module
        --with-http_stub_status_module
        --with-http_sub_module
        --with-mail
        --with-mail_ssl_module
        --with-stream_ssl_preread_module"
    # QUIC needs TLS 1.3, so OpenSSL 1.1.1.
    if pkg-config --atleast-version=1.1.1 openssl 2>/dev/null; then
        NGX_CONFIGURE_ARGS="$NGX_CONFIGURE_ARGS --with-http_v3_module"
    fi
    NGX_CONFIGURE_ARGS="$NGX_CONFIGURE_ARGS ${NGX_WS_CONFIGURE_ARGS-}"
    NGX_CFLAGS=${NGX_CFLAGS--O2}
    export NGX_CONFIGURE_ARGS NGX_CFLAGS
}

# put FILE TARGET: replaces TARGET in one step.  A running nginx has the old
# file mapped; written in place it would crash.
put() {
    if ! cmp -s "$1" "$2"; then
        cp "$1" "$2.new.$$"
        mv -f "$2.new.$$" "$2"
    fi
}

# nginx_version BINARY: prints 1.28.3.
nginx_version() {
    "$1" -v 2>&1 | sed -n 's|^nginx version: [^/]*/\([0-9.]*\).*|\1|p'
}

# vendored_source: prints the nginx source in the nginx-src crate.
vendored_source() {
    cargo fetch --quiet --manifest-path "$root/Cargo.toml" --target "$(rust_host)"
    crate=$(sed -n '/^name = "nginx-src"$/{ n; s/^version = "\(.*\)"$/\1/p; }' "$root/Cargo.lock")
    for source in "${CARGO_HOME:-$HOME/.cargo}"/registry/src/*/nginx-src-"$crate"/nginx; do
        [ -f "$source/src/core/nginx.h" ] || die "no source of nginx in $source"
        printf '%s\n' "$source"
        return
    done
}

# source_version DIR: the version of the nginx source in DIR.
source_version() {
    sed -n 's/^#define NGINX_VERSION  *"\(.*\)"$/\1/p' "$1/src/core/nginx.h"
}

rust_host() {
    rustc -vV | sed -n 's/^host: //p'
}
