//! Sees to it that the store is built again when a schema migration was added: `sqlx::migrate!` embeds them.

fn main() {
    println!("cargo:rerun-if-changed=src/sqlite/schema");
}
