//! A new migration must rebuild this crate: without this line the old set ships silently.

fn main() {
    println!("cargo:rerun-if-changed=../../migrations");
}
