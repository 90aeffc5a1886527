//! No public type of the GitHub client holds bare text, and no public function hands any out (S3): every leaf is a validated newtype. Found by
//! reading the sources, so that a field which is added later is found too.

use super::material;
use std::fmt::Write as _;
use syn::{
    Field, Fields, FnArg, ImplItem, Item, ReturnType, TraitItem, Type, Visibility,
    visit::{self, Visit},
};

/// What may hold bare text, and why.
const EXCEPTIONS: [(&str, &str); 8] = [
    ("transport.rs: Request.path", "made of validated parts, on its way out"),
    ("transport.rs: Request.headers", "values are ours, on their way out"),
    ("api.rs: Api.rest", "an address of the configuration"),
    ("api.rs: Api.graphql", "an address of the configuration"),
    ("api.rs: Api.host", "an address of the configuration"),
    ("secret.rs: Secret::expose()", "a secret of the configuration, on its way to the one header"),
    ("transport.rs: Response::header()", "one of them"),
    ("transport.rs: Response.headers", "the wire itself; nothing passes it but typed structs (S2)"),
];

/// Looks for types that are bare text.
#[derive(Default)]
struct Bare(Option<&'static str>);

impl<'ast> Visit<'ast> for Bare {
    fn visit_type_path(&mut self, path: &'ast syn::TypePath) {
        let last = path.path.segments.last().map(|segment| segment.ident.to_string());
        self.0 = match last.as_deref() {
            Some("String") => Some("String"),
            Some("str") => Some("str"),
            Some("OsString") => Some("OsString"),
            Some("Value") => Some("Value"),
            Some("PathBuf") => Some("PathBuf"),
            _ => self.0,
        };
        visit::visit_type_path(self, path);
    }

    fn visit_type_reference(&mut self, reference: &'ast syn::TypeReference) {
        // What is compiled in is nobody's text.
        if reference.lifetime.as_ref().is_some_and(|lifetime| lifetime.ident == "static") {
            return;
        }
        visit::visit_type_reference(self, reference);
    }

    // What a function takes is not held.
    fn visit_parenthesized_generic_arguments(&mut self, arguments: &'ast syn::ParenthesizedGenericArguments) {
        self.visit_return_type(&arguments.output);
    }
}

fn bare(ty: &Type) -> Option<&'static str> {
    let mut bare = Bare::default();
    bare.visit_type(ty);
    bare.0
}

/// What one file hands out, in lines `where: what`.
struct Reader {
    file: String,
    found: Vec<String>,
}

impl Reader {
    fn read(file: &str, text: &str) -> Vec<String> {
        let parsed = syn::parse_file(text).unwrap_or_else(|error| panic!("{file}: {error}"));
        let mut reader = Self { file: file.to_owned(), found: Vec::new() };
        parsed.items.iter().for_each(|item| reader.item(item));
        reader.found
    }

    fn tell(&mut self, name: &str, ty: &Type) {
        if let Some(what) = bare(ty) {
            self.found.push(format!("{}: {name} is {what}", self.file));
        }
    }

    fn item(&mut self, item: &Item) {
        match item {
            Item::Struct(it) if public(&it.vis) => self.fields(&it.ident.to_string(), &it.fields),
            Item::Enum(it) if public(&it.vis) => {
                for variant in &it.variants {
                    self.fields(&format!("{}::{}", it.ident, variant.ident), &variant.fields);
                }
            }
            Item::Type(it) if public(&it.vis) => self.tell(&it.ident.to_string(), &it.ty),
            Item::Static(it) if public(&it.vis) => self.tell(&it.ident.to_string(), &it.ty),
            Item::Fn(it) if public(&it.vis) => self.returns("", &it.sig),
            Item::Trait(it) if public(&it.vis) => {
                for part in &it.items {
                    if let TraitItem::Fn(function) = part {
                        self.returns(&it.ident.to_string(), &function.sig);
                    }
                }
            }
            Item::Impl(it) if it.trait_.is_none() => {
                let name = type_name(&it.self_ty);
                for part in &it.items {
                    if let ImplItem::Fn(function) = part
                        && public(&function.vis)
                    {
                        self.returns(&name, &function.sig);
                    }
                }
            }
            Item::Mod(it) if public(&it.vis) => {
                it.content.iter().flat_map(|(_, items)| items).for_each(|item| self.item(item));
            }
            // Everything else hands out nothing of its own.
            _ => {}
        }
    }

    fn fields(&mut self, name: &str, fields: &Fields) {
        for (index, Field { ident, ty, .. }) in fields.iter().enumerate() {
            let field = ident.as_ref().map_or(index.to_string(), ToString::to_string);
            self.tell(&format!("{name}.{field}"), ty);
        }
    }

    fn returns(&mut self, owner: &str, function: &syn::Signature) {
        let ReturnType::Type(_, ty) = &function.output else { return };
        // Text that is only lent and comes from an argument is the caller's own.
        let lent = |arg: &FnArg| matches!(arg, FnArg::Typed(arg) if bare(&arg.ty).is_some());
        if matches!(&**ty, Type::Reference(_)) && function.inputs.iter().any(lent) {
            return;
        }
        let mut name = owner.to_owned();
        if !owner.is_empty() {
            let _ = write!(name, "::");
        }
        let _ = write!(name, "{}()", function.ident);
        self.tell(&name, ty);
    }
}

fn public(visibility: &Visibility) -> bool {
    matches!(visibility, Visibility::Public(_))
}

fn type_name(ty: &Type) -> String {
    match ty {
        Type::Path(path) => path.path.segments.last().map(|s| s.ident.to_string()).unwrap_or_default(),
        _ => String::new(),
    }
}

#[test]
fn the_client_hands_out_no_bare_text() {
    let files = material::files("src/github", ".rs");
    assert!(files.len() > 10);
    let found: Vec<String> = files.iter().flat_map(|(file, text)| Reader::read(file, text)).collect();
    let leaks: Vec<&String> = found
        .iter()
        .filter(|line| {
            !EXCEPTIONS.iter().any(|(what, _)| line.strip_prefix(what).is_some_and(|r| r.starts_with(" is ")))
        })
        .collect();
    assert!(
        leaks.is_empty(),
        "bare text in the public types of forge::github (S3); make it a validated newtype of core::text or a Tainted:\n{leaks:#?}"
    );
    for (what, why) in EXCEPTIONS {
        assert!(
            found.iter().any(|line| line.starts_with(what)),
            "{what} ({why}) needs no exception any more"
        );
    }
}

#[test]
fn bare_text_is_found_wherever_it_is() {
    let leaks = "
        pub struct A { pub title: String, number: u64, said: Option<Vec<(u8, Box<str>)>> }
        pub enum B { C(u8), D { name: std::string::String } }
        pub fn title(from: u8) -> Result<String, u8> { }
        impl A { pub fn body(&self) -> &str { } fn private(&self) -> String { } }
        pub trait T { fn text(&self) -> impl Future<Output = serde_json::Value> + Send; }
        pub type Alias = Vec<String>;
        struct Private { title: String }
        pub(super) struct Inner { title: String }
        pub fn fine(text: &str) -> Option<u8> { }
        pub fn word() -> &'static str { }";
    assert_eq!(
        Reader::read("a.rs", leaks),
        [
            "a.rs: A.title is String",
            "a.rs: A.said is str",
            "a.rs: B::D.name is String",
            "a.rs: title() is String",
            "a.rs: A::body() is str",
            "a.rs: T::text() is Value",
            "a.rs: Alias is String",
        ]
    );
}
