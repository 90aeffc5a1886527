//! Every document against GitHub's schema and the allowlist.

use super::{
    allow::{Allowed, Kind, Row},
    material,
};
use apollo_compiler::{
    ExecutableDocument, Schema,
    executable::{Selection, SelectionSet},
    schema::ExtendedType,
    validation::Valid,
};
use std::{collections::BTreeSet, fs};

/// GitHub's schema as it is published, made valid.
fn schema() -> Valid<Schema> {
    let text = fs::read_to_string(material::npm("@octokit/graphql-schema/schema.graphql")).unwrap();
    Schema::parse_and_validate(without_twins(&text), "schema.graphql")
        .unwrap_or_else(|error| panic!("GitHub's schema is not valid: {error}"))
}

/// Drops the second of two fields of the same name in `EnterpriseOwnerInfo`, a slip of the published file.
fn without_twins(text: &str) -> String {
    let begin = text.find("\ntype EnterpriseOwnerInfo").unwrap();
    let end = begin + text[begin..].find("\n}").unwrap();
    let mut seen = BTreeSet::new();
    let (mut kept, mut field, mut depth, mut quoted) = (String::new(), String::new(), 0_i32, false);
    for line in text[begin..end].split_inclusive('\n') {
        let bare = line.trim();
        field.push_str(line);
        if bare.matches("\"\"\"").count() == 1 {
            quoted = !quoted;
            continue;
        }
        if quoted || bare.starts_with("\"\"\"") {
            continue;
        }
        depth += i32::try_from(bare.matches('(').count()).unwrap();
        depth -= i32::try_from(bare.matches(')').count()).unwrap();
        if depth > 0 {
            continue;
        }
        // A field ends here: its name is the first word that is not of its description.
        let name = name_of(&field);
        if name.is_none_or(|name| seen.insert(name)) {
            kept.push_str(&field);
        }
        field.clear();
    }
    format!("{}{kept}{field}{}", &text[..begin], &text[end..])
}

/// The name of the field that these lines define.
fn name_of(lines: &str) -> Option<String> {
    let mut quoted = false;
    lines.lines().map(str::trim).find_map(|line| {
        let marks = line.matches("\"\"\"").count();
        let inside = quoted;
        quoted ^= marks == 1;
        let word: String = line.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
        (!inside && marks == 0 && !word.is_empty() && word != "type").then_some(word)
    })
}

/// A field that some document asks for.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Asked {
    document: String,
    ty: String,
    field: String,
}

/// All that is wrong with documents, in sentences; `used` gets the rows that were needed.
fn problems(
    schema: &Valid<Schema>,
    allowed: &Allowed,
    documents: &[(String, String)],
    used: &mut BTreeSet<(String, String)>,
) -> Vec<String> {
    let mut problems = Vec::new();
    for (file, text) in documents {
        let document = match ExecutableDocument::parse_and_validate(schema, text.as_str(), file) {
            Ok(document) => document,
            Err(error) => {
                problems.push(format!("{file} does not fit GitHub's schema: {error}"));
                continue;
            }
        };
        let mut asked = BTreeSet::new();
        let sets = document.operations.iter().map(|operation| &operation.selection_set);
        let sets = sets.chain(document.fragments.values().map(|fragment| &fragment.selection_set));
        let name = file.trim_end_matches(".graphql");
        sets.for_each(|set| collect(set, name, &mut asked));
        for Asked { document, ty, field } in asked {
            let key = (ty.clone(), field.clone());
            match allowed.0.get(&key) {
                None => problems.push(format!(
                    "{document}.graphql asks for {ty}.{field}, which has no row in structural.allow: if it is structure, add the row \
                     `{ty}.{field} {}`; if it is text that a stranger may have written, do not ask for it",
                    fitting(schema, &ty, &field)
                )),
                Some(row) if !row.only.is_empty() && !row.only.contains(&document) => problems.push(format!(
                    "{document}.graphql asks for {ty}.{field}, which only {} may (structural.allow:{})",
                    row.only.join(", "),
                    row.line
                )),
                Some(row) => {
                    problems.extend(mismatch(schema, &ty, &field, row));
                    used.insert(key);
                }
            }
        }
    }
    problems
}

fn collect(set: &SelectionSet, document: &str, asked: &mut BTreeSet<Asked>) {
    for selection in &set.selections {
        match selection {
            Selection::Field(field) => {
                if field.name != "__typename" {
                    asked.insert(Asked {
                        document: document.to_owned(),
                        ty: set.ty.to_string(),
                        field: field.name.to_string(),
                    });
                }
                collect(&field.selection_set, document, asked);
            }
            Selection::InlineFragment(fragment) => collect(&fragment.selection_set, document, asked),
            // Fragments are walked by themselves.
            Selection::FragmentSpread(_) => {}
        }
    }
}

/// The kinds that a field can be by GitHub's schema.
fn kinds(schema: &Valid<Schema>, ty: &str, field: &str) -> &'static [Kind] {
    let field = schema.type_field(ty, field).unwrap_or_else(|_| panic!("{ty}.{field} is in no schema"));
    let name = field.ty.inner_named_type();
    match (schema.types.get(name), name.as_str()) {
        (Some(ExtendedType::Enum(_)), _) => &[Kind::State],
        (Some(ExtendedType::Scalar(_)), "ID" | "GitObjectID") => &[Kind::Id],
        (Some(ExtendedType::Scalar(_)), "Int" | "BigInt") => &[Kind::Count, Kind::Id],
        (Some(ExtendedType::Scalar(_)), "Boolean") => &[Kind::Flag],
        (Some(ExtendedType::Scalar(_)), "DateTime") => &[Kind::Time],
        (Some(ExtendedType::Scalar(_)), "String") => &[Kind::Name, Kind::Cursor, Kind::Text],
        (Some(ExtendedType::Scalar(_)), _) => &[Kind::Text],
        _ => &[Kind::Link],
    }
}

fn fitting(schema: &Valid<Schema>, ty: &str, field: &str) -> String {
    kinds(schema, ty, field)
        .iter()
        .map(|kind| format!("{kind:?}").to_lowercase())
        .collect::<Vec<_>>()
        .join("|")
}

fn mismatch(schema: &Valid<Schema>, ty: &str, field: &str, row: &Row) -> Option<String> {
    let fits = kinds(schema, ty, field).contains(&row.kind);
    (!fits).then(|| {
        let kinds = fitting(schema, ty, field);
        format!("structural.allow:{}: by GitHub's schema {ty}.{field} is {kinds}", row.line)
    })
}

fn allowed() -> Allowed {
    Allowed::read(&material::own("structural.allow")).unwrap_or_else(|bad| panic!("{bad}"))
}

#[test]
fn every_field_that_is_asked_for_is_allowed_and_in_githubs_schema() {
    let documents = material::documents();
    assert!(!documents.is_empty());
    let (schema, allowed, mut used) = (schema(), allowed(), BTreeSet::new());
    let problems = problems(&schema, &allowed, &documents, &mut used);
    assert!(problems.is_empty(), "\n{}\n", problems.join("\n"));
    let idle: Vec<String> = allowed
        .0
        .iter()
        .filter(|(key, _)| !used.contains(*key))
        .map(|((ty, field), row)| format!("structural.allow:{}: no document asks for {ty}.{field}", row.line))
        .collect();
    assert!(idle.is_empty(), "\n{}\n", idle.join("\n"));
}

#[test]
fn a_field_without_a_row_is_found() {
    let leak = "query Leak($o: String!, $n: String!) {
        repository(owner: $o, name: $n) { issue(number: 1) { number ...More } }
    }
    fragment More on Issue { comments(first: 1) { nodes { ... on Comment { bodyText } } } }";
    let allowed = Allowed::read(
        "Query.repository link\nRepository.issue link\nIssue.number state\nIssue.comments link\n\
         IssueCommentConnection.nodes link",
    );
    let documents = [("leak.graphql".to_owned(), leak.to_owned())];
    let found = problems(&schema(), &allowed.unwrap(), &documents, &mut BTreeSet::new());
    assert_eq!(
        found,
        [
            "leak.graphql asks for Comment.bodyText, which has no row in structural.allow: if it is structure, add the row \
             `Comment.bodyText name|cursor|text`; if it is text that a stranger may have written, do not ask for it",
            "structural.allow:3: by GitHub's schema Issue.number is count|id",
        ]
    );
}

#[test]
fn text_is_asked_for_by_its_own_documents_only() {
    let allowed = Allowed::read("Query.repository link\nRepository.issue link\nIssue.body text checklist");
    let text = "query Q { repository(owner: \"a\", name: \"b\") { issue(number: 1) { body } } }".to_owned();
    let allowed = allowed.unwrap();
    let found = |name: &str| {
        let documents = [(format!("{name}.graphql"), text.clone())];
        problems(&schema(), &allowed, &documents, &mut BTreeSet::new())
    };
    assert_eq!(found("checklist"), [""; 0]);
    assert_eq!(
        found("open_issues"),
        ["open_issues.graphql asks for Issue.body, which only checklist may (structural.allow:3)"]
    );
}

#[test]
fn what_github_does_not_know_is_found() {
    let text = "query Q { repository(owner: \"a\", name: \"b\") { issue(number: 1) { bodyy } } }".to_owned();
    let allowed = Allowed::read("").unwrap();
    let found = problems(&schema(), &allowed, &[("q.graphql".to_owned(), text)], &mut BTreeSet::new());
    assert!(found[0].starts_with("q.graphql does not fit GitHub's schema: "), "{found:?}");
}
