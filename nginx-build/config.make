# Read by nginx's configure when it has written the Makefile: how to make the
# library named in `config`.  cargo knows what is stale, so make always asks it.

cat << END                                                >> $NGX_MAKEFILE

.PHONY: $ngx_ws_lib

$ngx_ws_lib:
	NGINX_SOURCE_DIR="$PWD" NGINX_BUILD_DIR="`cd $NGX_OBJS && pwd`" \\
	cargo rustc --release --manifest-path "$ngx_addon_dir/../Cargo.toml" \\
		--target-dir "$NGX_OBJS/ngx_ws" \\
		--no-default-features --features module --crate-type staticlib

$NGX_OBJS/ngx_http_ws_module.so: $ngx_ws_lib
END
