//! The TypeScript of every command and its types.

use ts_rs::TS;

/// The TypeScript of everything above, for `ui/src/bindings.ts`.
pub fn typescript() -> String {
    struct Collect<'a> {
        config: &'a ts_rs::Config,
        seen: std::collections::BTreeMap<String, String>,
    }
    impl ts_rs::TypeVisitor for Collect<'_> {
        fn visit<T: TS + 'static + ?Sized>(&mut self) {
            // Only types with a file of their own are declared; the rest are primitives and wrappers.
            if T::output_path().is_some() {
                let name = T::ident(self.config);
                if self.seen.contains_key(&name) {
                    // The same generic type may have another argument this time.
                    return T::visit_generics(self);
                }
                let docs = T::docs().unwrap_or_default();
                self.seen.insert(name, format!("{docs}export {}", T::decl(self.config)));
            }
            T::visit_dependencies(self);
            T::visit_generics(self);
        }
    }
    let config = ts_rs::Config::new().with_large_int("number");
    let mut collect = Collect { config: &config, seen: std::collections::BTreeMap::new() };
    super::visit_commands(&mut collect);
    ts_rs::TypeVisitor::visit::<crate::ground::schema::Event>(&mut collect);
    ts_rs::TypeVisitor::visit::<crate::ground::error::ErrorBody>(&mut collect);
    let mut text = String::from(
        "// Generated from crates/app/src/api and ground/schema by `make bindings`. Do not edit.\n\n/** Every command: what it takes and what it answers. */\nexport interface Commands {\n",
    );
    text.push_str(&super::command_lines(&config).join("\n"));
    text.push_str("\n}\n");
    for declaration in collect.seen.values() {
        text.push('\n');
        text.push_str(declaration);
        text.push('\n');
    }
    text
}
