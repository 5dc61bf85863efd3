//! Turns the `DEP_NGINX_*` metadata of nginx-sys into `cfg(ngx_feature = "...")`, `cfg(ngx_os = "...")`,
//! and `cfg(ngx_linked_headers)`: since 1.23.0 header lines of one name are linked.
//!
//! Without the `module` feature nothing is set and nothing is needed: the pure core builds alone.

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    for (key, cfg) in [("DEP_NGINX_FEATURES", "ngx_feature"), ("DEP_NGINX_OS", "ngx_os")] {
        println!("cargo::rerun-if-env-changed={key}");
        let known = std::env::var(format!("{key}_CHECK")).unwrap_or("any()".into());
        println!("cargo::rustc-check-cfg=cfg({cfg}, values({known}))");
        for value in std::env::var(key).iter().flat_map(|list| list.split(',')) {
            println!("cargo::rustc-cfg={cfg}=\"{}\"", value.trim());
        }
    }
    println!("cargo::rerun-if-env-changed=DEP_NGINX_VERSION_NUMBER");
    println!("cargo::rustc-check-cfg=cfg(ngx_linked_headers)");
    let version = std::env::var("DEP_NGINX_VERSION_NUMBER").unwrap_or_default();
    if version.trim().parse().is_ok_and(|version: u32| version >= 1_023_000) {
        println!("cargo::rustc-cfg=ngx_linked_headers");
    }
    // Symbols of nginx are resolved when it loads the module.
    if std::env::var("CARGO_CFG_TARGET_OS").as_deref() == Ok("macos") {
        println!("cargo::rustc-link-arg-cdylib=-Wl,-undefined,dynamic_lookup");
    }
}
