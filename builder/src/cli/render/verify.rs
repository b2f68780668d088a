//! A folder that was checked and found sound, for people.

use std::path::Path;

use wifibox_report::findings::{Findings, Signed};

/// A sound folder, described for people.
pub fn text(folder: &Path, findings: &Findings) -> String {
    let Findings { build_id, files, nodes, missing, .. } = findings;
    let folder = folder.display();
    let mut text = match &findings.release {
        None => {
            let id = build_id.as_deref().unwrap_or("not known");
            format!(
                "{folder}: sound: {files} files and {nodes} nodes of root.img are as listed\n  \
                 build id {id}\n"
            )
        }
        Some(release) => {
            let mut text = format!(
                "{folder}: sound: release {}: {files} files and {nodes} nodes of root.img are as \
                 listed\n",
                release.version
            );
            for (name, id) in &release.guests {
                text += &format!("  {name}: build id {id}\n");
            }
            text
        }
    };
    if *missing > 0 {
        text += &format!("  {missing} more files are not here and were not checked\n");
    }
    text += &match &findings.signature {
        Signed::Good { comment } => format!("  signed with the given key: {comment}\n"),
        Signed::Unchecked => "  signature not checked: name the key with --public-key\n".to_owned(),
        Signed::No | Signed::Bad => "  not signed: nothing says who made it\n".to_owned(),
    };
    text
}
