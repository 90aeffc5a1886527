//! The documents of the GitHub client, as it sends them.

use std::path::Path;

/// Name and text of each, with the parts whose fragments it spreads.
pub(crate) fn of_the_client() -> Vec<(String, String)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../forge/src/github/documents");
    let parts: Vec<String> = read(&folder.join("parts")).into_iter().map(|(_, text)| text).collect();
    let mut documents = read(&folder);
    for (_, text) in &mut documents {
        // A part may spread what another part has.
        for _ in 0..parts.len() {
            for part in &parts {
                let fragment =
                    part.split("\nfragment ").nth(1).and_then(|rest| rest.split(' ').next()).unwrap();
                if text.contains(&format!("...{fragment}"))
                    && !text.contains(&format!("fragment {fragment} "))
                {
                    text.push_str(part);
                }
            }
        }
    }
    documents
}

fn read(folder: &Path) -> Vec<(String, String)> {
    let files = std::fs::read_dir(folder).unwrap().map(|file| file.unwrap().path());
    let mut files: Vec<_> =
        files.filter(|path| path.extension().is_some_and(|end| end == "graphql")).collect();
    files.sort();
    let name = |path: &Path| path.file_stem().unwrap().to_string_lossy().into_owned();
    files.iter().map(|path| (name(path), std::fs::read_to_string(path).unwrap())).collect()
}
