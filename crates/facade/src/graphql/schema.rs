//! Builds the executable schema from `schema.graphql`: types as they stand there, and one resolver for all fields, which hands
//! the question to the thing that it is asked of.

use super::{
    connection, mutation, query,
    thing::{Args, Out, Thing},
};
use crate::{caller::Caller, problem::Problem};
use async_graphql::{
    Error, ErrorExtensions, Value,
    dynamic::{
        Enum, Field, FieldFuture, FieldValue, InputObject, InputValue, Interface, InterfaceField, Object,
        ResolverContext, Scalar, Schema, TypeRef, Union,
    },
    parser::{
        parse_schema,
        types::{
            BaseType, FieldDefinition, InputValueDefinition, ServiceDocument, Type, TypeKind,
            TypeSystemDefinition,
        },
    },
};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

/// The types as GitHub names them.
const SDL: &str = include_str!("schema.graphql");
/// Deepest nesting of a query. What `gh` asks for is 12 deep.
const DEPTH: usize = 32;

/// The schema file is not one: found by the first test that runs, never later.
#[derive(Debug, thiserror::Error)]
#[error("schema.graphql cannot be used: {0}")]
pub struct SchemaError(String);

/// The schema as text: what can be asked, in GitHub's names.
pub fn sdl() -> &'static str {
    SDL
}

/// What a type is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// A value of its own: number, text, closed word.
    Leaf,
    /// An object with fields.
    Object,
    /// One of several objects; answers have to say which.
    Abstract,
}

/// The kind of each type by name.
pub(super) type Kinds = BTreeMap<String, Kind>;

/// All that is known of a field before somebody asks for it.
pub(super) struct Rule {
    of: String,
    name: String,
    ty: Type,
    /// The forge has nothing of the kind.
    absent: bool,
    kinds: Arc<Kinds>,
}

impl Rule {
    /// Name of the type without lists and exclamation marks.
    pub(super) fn base(&self) -> &str {
        base(&self.ty)
    }

    /// What it answers with.
    pub(super) fn kind(&self) -> Kind {
        self.kinds.get(self.base()).copied().unwrap_or(Kind::Leaf)
    }

    fn is_list(&self) -> bool {
        matches!(self.ty.base, BaseType::List(_))
    }

    fn is_connection(&self) -> bool {
        self.base().ends_with("Connection")
    }
}

fn base(ty: &Type) -> &str {
    match &ty.base {
        BaseType::Named(name) => name.as_str(),
        BaseType::List(inner) => base(inner),
    }
}

/// What runs queries.
pub(crate) struct Executable {
    /// The schema.
    pub(super) schema: Schema,
    /// The names of its unions.
    pub(super) unions: BTreeSet<String>,
}

/// Builds the schema. Takes some milliseconds; the text is compiled in.
pub(crate) fn schema() -> Result<Executable, SchemaError> {
    let document = parse_schema(SDL).map_err(|e| SchemaError(e.to_string()))?;
    let kinds = Arc::new(kinds(&document));
    let mut unions = BTreeSet::new();
    let mut builder = Schema::build("Query", Some("Mutation"), None).limit_depth(DEPTH);
    for definition in document.definitions {
        let TypeSystemDefinition::Type(definition) = definition else { continue };
        let name = definition.node.name.node.to_string();
        builder = match definition.node.kind {
            TypeKind::Scalar => builder.register(Scalar::new(name)),
            TypeKind::Enum(kind) => {
                let items = kind.values.iter().map(|value| value.node.value.node.to_string());
                builder.register(Enum::new(name).items(items))
            }
            TypeKind::Union(kind) => {
                unions.insert(name.clone());
                let members = kind.members.iter();
                let union = Union::new(name);
                builder.register(members.fold(union, |u, member| u.possible_type(member.node.to_string())))
            }
            TypeKind::InputObject(kind) => {
                let fields = kind.fields.iter().map(|field| input(&field.node));
                builder.register(fields.fold(InputObject::new(name), InputObject::field))
            }
            TypeKind::Interface(kind) => {
                let fields = kind.fields.iter().map(|field| {
                    let field = &field.node;
                    let made = InterfaceField::new(field.name.node.to_string(), reference(&field.ty.node));
                    field.arguments.iter().fold(made, |made, arg| made.argument(input(&arg.node)))
                });
                builder.register(fields.fold(Interface::new(name), Interface::field))
            }
            TypeKind::Object(kind) => {
                let mut object = Object::new(name.clone());
                for interface in &kind.implements {
                    object = object.implement(interface.node.to_string());
                }
                for definition in kind.fields {
                    object = object.field(field(&name, definition.node, &kinds));
                }
                builder.register(object)
            }
        };
    }
    let schema = builder.finish().map_err(|e| SchemaError(e.to_string()))?;
    Ok(Executable { schema, unions })
}

fn kinds(document: &ServiceDocument) -> Kinds {
    let types = document.definitions.iter().filter_map(|definition| match definition {
        TypeSystemDefinition::Type(definition) => Some(&definition.node),
        TypeSystemDefinition::Schema(_) | TypeSystemDefinition::Directive(_) => None,
    });
    let kind = |kind: &TypeKind| match kind {
        TypeKind::Object(_) => Kind::Object,
        TypeKind::Interface(_) | TypeKind::Union(_) => Kind::Abstract,
        TypeKind::Scalar | TypeKind::Enum(_) | TypeKind::InputObject(_) => Kind::Leaf,
    };
    types.map(|definition| (definition.name.node.to_string(), kind(&definition.kind))).collect()
}

fn reference(ty: &Type) -> TypeRef {
    let base = match &ty.base {
        BaseType::Named(name) => TypeRef::named(name.as_str()),
        BaseType::List(inner) => TypeRef::List(Box::new(reference(inner))),
    };
    if ty.nullable { base } else { TypeRef::NonNull(Box::new(base)) }
}

fn input(definition: &InputValueDefinition) -> InputValue {
    let value = InputValue::new(definition.name.node.to_string(), reference(&definition.ty.node));
    match &definition.default_value {
        Some(default) => value.default_value(default.node.clone()),
        None => value,
    }
}

fn field(of: &str, definition: FieldDefinition, kinds: &Arc<Kinds>) -> Field {
    let name = definition.name.node.to_string();
    let rule = Arc::new(Rule {
        of: of.to_owned(),
        name: name.clone(),
        absent: definition.directives.iter().any(|d| d.node.name.node == "absent"),
        ty: definition.ty.node.clone(),
        kinds: Arc::clone(kinds),
    });
    let made = Field::new(name, reference(&definition.ty.node), move |context| {
        let rule = Arc::clone(&rule);
        FieldFuture::new(async move { resolve(&rule, context).await })
    });
    definition.arguments.iter().fold(made, |made, arg| made.argument(input(&arg.node)))
}

/// Answers one field. What goes wrong in a field that may be empty leaves it empty and is told beside the rest.
async fn resolve<'a>(rule: &Rule, context: ResolverContext<'a>) -> Result<Option<FieldValue<'a>>, Error> {
    let caller = context.data::<Arc<Caller>>()?;
    let args = Args::read(context.args.as_index_map());
    let answer = if rule.absent {
        Ok(Out::Unknown)
    } else {
        match rule.of.as_str() {
            "Query" => query::field(caller, &context, &rule.name, &args).await,
            "Mutation" => mutation::field(caller, &rule.name, &args).await,
            _ => context.parent_value.try_downcast_ref::<Thing>()?.field(caller, &rule.name, &args).await,
        }
    };
    match answer.and_then(|out| value(rule, out, &args)) {
        Ok(value) => Ok(value),
        Err(problem) => {
            let kind = problem.kind();
            let error =
                Error::new(problem.message()).extend_with(|_, extensions| extensions.set("type", kind));
            if !rule.ty.nullable {
                return Err(error);
            }
            context.add_error(context.set_error_path(error.into_server_error(context.item.pos)));
            Ok(None)
        }
    }
}

/// An answer as a value of the field's type.
fn value<'a>(rule: &Rule, out: Out, args: &Args) -> Result<Option<FieldValue<'a>>, Problem> {
    if rule.is_connection() {
        return match out {
            Out::Null => Ok(None),
            Out::Unknown if rule.absent => Ok(Some(wrap(rule, connection::page(Vec::new(), args)?))),
            Out::Unknown => Err(unanswered(rule)),
            Out::Many(things) => Ok(Some(wrap(rule, connection::page(things, args)?))),
            Out::Counted(things, more) => Ok(Some(wrap(rule, connection::page_with(things, args, more)?))),
            Out::One(thing) => Ok(Some(wrap(rule, thing))),
            Out::Json(json) => {
                let items = match json {
                    serde_json::Value::Array(items) => items,
                    other => vec![other],
                };
                let things = items.into_iter().map(Thing::record).collect();
                Ok(Some(wrap(rule, connection::page(things, args)?)))
            }
        };
    }
    Ok(match out {
        Out::Null => None,
        Out::Unknown if !rule.absent => return Err(unanswered(rule)),
        Out::Unknown if rule.ty.nullable => None,
        Out::Unknown if rule.is_list() => Some(FieldValue::list(Vec::<FieldValue<'_>>::new())),
        Out::Unknown => Some(match rule.base() {
            "Boolean" => FieldValue::value(false),
            "Int" => FieldValue::value(0),
            _ => return Err(unanswered(rule)),
        }),
        Out::One(thing) => Some(wrap(rule, thing)),
        Out::Many(things) | Out::Counted(things, _) => {
            Some(FieldValue::list(things.into_iter().map(|thing| wrap(rule, thing))))
        }
        Out::Json(json) => json_value(rule, json)?,
    })
}

fn json_value<'a>(rule: &Rule, json: serde_json::Value) -> Result<Option<FieldValue<'a>>, Problem> {
    use serde_json::Value as J;
    Ok(match (json, rule.kind()) {
        (J::Null, _) => None,
        (J::Array(items), Kind::Object | Kind::Abstract) => {
            Some(FieldValue::list(items.into_iter().map(|item| wrap(rule, Thing::record(item)))))
        }
        (json, Kind::Object | Kind::Abstract) => Some(wrap(rule, Thing::record(json))),
        (json, Kind::Leaf) => Some(FieldValue::value(Value::from_json(json).map_err(|_| unanswered(rule))?)),
    })
}

/// A thing as the field's type wants it: one of several says which it is.
fn wrap<'a>(rule: &Rule, thing: Thing) -> FieldValue<'a> {
    if thing.is_nothing() {
        return FieldValue::NULL;
    }
    match rule.kind() {
        Kind::Abstract => {
            let name = thing.type_name();
            FieldValue::owned_any(thing).with_type(name)
        }
        Kind::Object | Kind::Leaf => FieldValue::owned_any(thing),
    }
}

/// A field of the schema file that nothing answers: a mistake of this crate, which a test finds.
fn unanswered(rule: &Rule) -> Problem {
    tracing::error!(of = rule.of, field = rule.name, "no answer for a field of the schema");
    Problem::new(axum::http::StatusCode::INTERNAL_SERVER_ERROR, "This field has no answer")
}
