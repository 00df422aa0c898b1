//! The UI is embedded: a new build of it must rebuild this crate.

fn main() {
    println!("cargo:rerun-if-changed=../../ui/dist");
}
