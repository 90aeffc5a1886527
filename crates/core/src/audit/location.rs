//! Finds the places in a repository that a text names: `src/a.rs:12-14`, `b/c.ts#L7`, links to a file on a forge.

use super::{LineSpan, Location};

/// Endings that make a bare file name a path.
const ENDINGS: &[&str] = &[
    "rs", "go", "py", "js", "jsx", "ts", "tsx", "mjs", "cjs", "vue", "svelte", "java", "kt", "kts", "scala",
    "rb", "php", "c", "h", "cc", "cpp", "cxx", "hpp", "cs", "fs", "swift", "m", "mm", "dart", "ex", "exs",
    "erl", "hs", "ml", "clj", "lua", "pl", "r", "jl", "zig", "nim", "sol", "vy", "cairo", "move", "circom",
    "sql", "sh", "bash", "zsh", "ps1", "bat", "cmd", "md", "mdx", "rst", "txt", "adoc", "html", "htm", "css",
    "scss", "sass", "less", "json", "jsonc", "yaml", "yml", "toml", "ini", "cfg", "conf", "xml", "csv",
    "env", "lock", "lockfile", "gradle", "tf", "proto", "graphql", "gql", "prisma", "ipynb", "mod", "sum",
    "plist", "tmpl", "tpl", "service", "nix",
];

/// Files without an ending that are code.
const NAMES: &[&str] =
    &["Dockerfile", "Makefile", "Jenkinsfile", "Gemfile", "Rakefile", "Procfile", "CMakeLists.txt"];

/// First folders that make a path of folders only believable.
const ROOTS: &[&str] = &[
    "src",
    "lib",
    "libs",
    "docs",
    "doc",
    "test",
    "tests",
    "crates",
    "packages",
    "app",
    "apps",
    "cmd",
    "internal",
    "pkg",
    "core",
    "tools",
    "scripts",
    "designs",
    "assets",
    "config",
    "frontend",
    "backend",
    "server",
    "client",
    "clients",
    "web",
    "api",
    "services",
    "modules",
    "examples",
    "migrations",
    "infra",
    "deploy",
    ".github",
    "public",
];

/// How much to believe: a field that is there to name places, or running text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Trust {
    /// The value of a location field.
    Field,
    /// A code span: it may name a folder.
    Code,
    /// A link, or a path-like word in a sentence: files only, for `tests/benches` may mean both.
    Prose,
}

/// Longest text that is searched, and most places that are kept: a hostile report has no use for more.
const MAX_TEXT: usize = 64 * 1024;
const MAX_PLACES: usize = 200;

/// Every place that a text names, in its order, each once.
pub(crate) fn find(text: &str, trust: Trust, found: &mut Vec<Location>) {
    let mut end = text.len().min(MAX_TEXT);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    let text = &text[..end];
    // The file named last, and whether numbers that follow are lines of it.
    let mut last: Option<(String, bool)> = None;
    let breaks =
        |c: char| c.is_whitespace() || matches!(c, '`' | '"' | ',' | ';' | '，' | '、' | '；' | '|' | '→');
    for token in text.split(breaks).filter(|token| !token.is_empty()) {
        if found.len() >= MAX_PLACES {
            return;
        }
        // `a.rs:135, 168, 197` goes on with the file before it.
        let plain = token.trim_matches(|c: char| matches!(c, '(' | ')' | '.' | '*'));
        if let Some((before, true)) = &last
            && let Some(lines) = span(plain)
        {
            push(found, Location { path: before.clone(), lines: Some(lines) });
            continue;
        }
        let place = of_token(token, trust);
        if let Some(place) = &place {
            push(found, place.clone());
        }
        let says_lines = matches!(plain, "line" | "lines" | "Line" | "Lines" | "行");
        last = match (place, last) {
            (Some(place), _) => Some((place.path, place.lines.is_some())),
            (None, Some((path, _))) if says_lines => Some((path, true)),
            (None, Some(before)) if matches!(plain, "and" | "&" | "at" | "on") => Some(before),
            (None, _) => None,
        };
    }
}

fn push(found: &mut Vec<Location>, place: Location) {
    // A span after a bare file takes the place of the bare one.
    if let Some(bare) = found.iter_mut().find(|known| known.path == place.path && known.lines.is_none()) {
        *bare = place;
    } else if !found.contains(&place) {
        found.push(place);
    }
}

fn of_token(token: &str, trust: Trust) -> Option<Location> {
    if !token.contains(['.', '/']) && !NAMES.iter().any(|name| token.contains(name)) {
        return None;
    }
    let token = token.trim_start_matches(['(', '[', '<', '*', '（', '“', '‘', '\'']);
    let token = token.trim_end_matches(['>', '*', '.', ':', '）', '”', '’', '\'', '!', '?', '。', '：']);
    // A closing bracket belongs to the path only if it was opened there.
    let token = if token.contains('(') { token } else { token.trim_end_matches(')') };
    let token = if token.contains('[') { token } else { token.trim_end_matches(']') };
    if token.len() < 3 || token.len() > 300 {
        return None;
    }
    let (token, from_link) = match token.split_once("://") {
        None => (token, false),
        Some((_, rest)) => (of_link(rest)?, true),
    };
    let (path, lines) = split_lines(token);
    let path = path.trim_start_matches("./").replace('\\', "/");
    let trust = if from_link { Trust::Field } else { trust };
    believable(&path, trust).then_some(Location { path, lines })
}

/// The path in a link to a file on a forge: what follows `/blob/REF/` or `/tree/REF/`.
fn of_link(rest: &str) -> Option<&str> {
    let (_, after) = rest.split_once("/blob/").or_else(|| rest.split_once("/tree/"))?;
    let (_, path) = after.split_once('/')?;
    Some(path)
}

/// Parts a path from `:12`, `:12-14`, `:12:5`, `#L12` or `#L12-L14`.
fn split_lines(token: &str) -> (&str, Option<LineSpan>) {
    if let Some((path, lines)) = token.split_once('#') {
        return (path, span(lines));
    }
    let Some((path, rest)) = token.split_once(':') else { return (token, None) };
    let first = rest.split(':').next().unwrap_or(rest);
    (path, span(first.trim_start_matches("~")))
}

/// `12`, `L12`, `12-14`, `L12-L14`, also with a long dash; the second may not be smaller.
fn span(text: &str) -> Option<LineSpan> {
    let number = |part: &str| {
        let digits = part.trim().trim_start_matches(['L', 'l', '~']).trim_end_matches('+');
        let plain =
            !digits.is_empty() && digits.len() <= 7 && digits.bytes().all(|byte| byte.is_ascii_digit());
        plain.then(|| digits.parse::<u32>().ok()).flatten().filter(|&line| line > 0)
    };
    let (first, last) = match text.split_once(['-', '–', '—']) {
        None => (number(text)?, number(text)?),
        Some((first, last)) => (number(first)?, number(last)?),
    };
    (first <= last).then_some(LineSpan { first, last })
}

/// Whether something is a path, by its characters, its ending and its first folder.
fn believable(path: &str, trust: Trust) -> bool {
    let allowed = |c: char| {
        c.is_alphanumeric()
            || matches!(c, '.' | '_' | '-' | '/' | '[' | ']' | '@' | '+' | '~' | '(' | ')' | '$')
    };
    if path.is_empty() || !path.chars().all(allowed) || path.contains("//") || path.contains("()") {
        return false;
    }
    if path.split('/').any(|part| part == "..")
        || path.starts_with('@')
        || !path.contains(|c: char| c.is_alphabetic())
    {
        return false;
    }
    let name = path.trim_end_matches('/').rsplit('/').next().unwrap_or(path);
    if NAMES.contains(&name) {
        return true;
    }
    let ending = name.rsplit_once('.').map(|(stem, ending)| (stem, ending.to_ascii_lowercase()));
    if let Some((stem, ending)) = &ending
        && ENDINGS.contains(&ending.as_str())
    {
        // `e.g.` and `Node.js` are no files; a single capital word before `.js` is a product.
        let product = !path.contains('/')
            && matches!(
                stem.to_ascii_lowercase().as_str(),
                "node" | "next" | "vue" | "react" | "express" | "three" | "nuxt" | "d3" | "chart" | "i"
            );
        return !product
            && (!stem.is_empty() || path.contains('/') || ending == "env")
            && !stem.ends_with('.');
    }
    let folders = path.contains('/') && !path.starts_with('/') && !path.contains(['(', '$', '@']);
    let root = path.split('/').next().unwrap_or_default();
    let deep = path.trim_end_matches('/').matches('/').count() >= 1;
    match trust {
        Trust::Field => {
            folders
                && path.is_ascii()
                && path.split('/').all(|part| part.len() != 1)
                && ending.is_none_or(|(_, ending)| ending.len() <= 6)
        }
        Trust::Code => folders && ROOTS.contains(&root) && (deep || path.ends_with('/')),
        Trust::Prose => false,
    }
}

/// Takes the folders off that all absolute paths of a report share, and lets a bare file name that is the end of
/// exactly one longer path in the same finding give way to it.
pub(crate) fn tidy(findings: &mut [&mut Vec<Location>]) {
    let absolute = findings.iter().flat_map(|places| places.iter()).filter(|place| is_absolute(&place.path));
    let mut shared: Option<String> = None;
    let mut paths = 0;
    for place in absolute {
        let folder = place.path.rsplit_once('/').map_or("", |(folder, _)| folder);
        shared = Some(match shared {
            None => folder.to_owned(),
            Some(known) => common_folder(&known, folder),
        });
        paths += 1;
    }
    let shared = shared.filter(|folder| paths > 1 && !folder.is_empty());
    for places in findings.iter_mut() {
        if let Some(folder) = &shared {
            for place in places.iter_mut().filter(|place| is_absolute(&place.path)) {
                if let Some(rest) = place.path.strip_prefix(folder.as_str()) {
                    place.path = rest.trim_start_matches('/').to_owned();
                }
            }
        }
        let long: Vec<String> =
            places.iter().map(|place| place.path.clone()).filter(|path| path.contains('/')).collect();
        places.retain(|place| {
            let ends =
                |path: &String| path.strip_suffix(&place.path).is_some_and(|before| before.ends_with('/'));
            place.path.contains('/') || long.iter().filter(|path| ends(path)).count() == 0
        });
    }
}

fn is_absolute(path: &str) -> bool {
    path.starts_with('/') || path.get(1..3).is_some_and(|drive| drive == ":/")
}

fn common_folder(a: &str, b: &str) -> String {
    let parts = a.split('/').zip(b.split('/')).take_while(|(a, b)| a == b);
    parts.map(|(part, _)| part).collect::<Vec<_>>().join("/")
}

/// The package that a path belongs to: the folder under `crates/`, `packages/` and their like, else the folder of the
/// file, at most two deep and without a leading `src`.
pub fn package(path: &str) -> String {
    const HOMES: &[&str] =
        &["crates", "packages", "apps", "libs", "modules", "services", "plugins", "clients", "cmd", "tools"];
    let parts: Vec<&str> = path.split('/').filter(|part| !part.is_empty()).collect();
    let Some((_, folders)) = parts.split_last() else { return String::new() };
    if let Some(at) = folders.iter().position(|part| HOMES.contains(part))
        && let Some(name) = folders.get(at + 1)
    {
        return (*name).to_owned();
    }
    // `core/sync/src/engine.rs` is of the package `core/sync`; `src/sync/engine.rs` of `sync`.
    let before_src = folders.iter().position(|part| *part == "src");
    match before_src {
        Some(0) => folders.get(1).map_or_else(|| "src".to_owned(), |part| (*part).to_owned()),
        Some(at) => folders[..at].join("/"),
        None => folders.iter().take(2).copied().collect::<Vec<_>>().join("/"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(text: &str) -> Vec<String> {
        let mut found = Vec::new();
        find(text, Trust::Prose, &mut found);
        found.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn places_are_found_in_the_ways_people_write_them() {
        assert_eq!(all("see `src/a.rs:12-14` and src/b.ts#L7."), ["src/a.rs:12-14", "src/b.ts:7"]);
        assert_eq!(all("`svc/abi.ts:135, 168, 197`"), ["svc/abi.ts:135", "svc/abi.ts:168", "svc/abi.ts:197"]);
        assert_eq!(all("`cache.py`: 5 (lines 77, 178)"), ["cache.py"]);
        assert_eq!(all("in cache.py line 77"), ["cache.py:77"]);
        assert_eq!(all("https://github.com/o/r/blob/main/contracts/A.sol#L105"), ["contracts/A.sol:105"]);
        assert_eq!(all("`src/app/shop/[id]/page.tsx:77`"), ["src/app/shop/[id]/page.tsx:77"]);
        let mut found = Vec::new();
        find("assets/maps", Trust::Code, &mut found);
        assert_eq!(found[0].to_string(), "assets/maps");
    }

    #[test]
    fn words_are_no_places() {
        assert!(
            all("Node.js, e.g. and/or read/write Startables()/Stoppables() v1.2.3 10/10 src/**/*.rs")
                .is_empty()
        );
        assert!(all("../../etc/passwd.txt http://a.example/x.html").is_empty());
    }

    #[test]
    fn packages_are_told_from_paths() {
        assert_eq!(package("crates/store/src/lib.rs"), "store");
        assert_eq!(package("core/sync/src/engine.rs"), "core/sync");
        assert_eq!(package("src/tools/debug.ts"), "tools");
        assert_eq!(package("internal/core/stream.go"), "internal/core");
        assert_eq!(package("README.md"), "");
    }
}
