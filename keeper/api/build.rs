//! The page is built in as it is: without it, what to do is said in place of an error of the compiler's.

use std::path::Path;

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    if std::env::var_os("CARGO_FEATURE_CONSOLE").is_none() {
        return;
    }
    let page = "../../target/console/index.html";
    println!("cargo::rerun-if-changed={page}");
    if !Path::new(page).exists() {
        println!(
            "cargo::error=the feature `console` builds the page in, and it is not in target/console: run scripts/console"
        );
    }
}
