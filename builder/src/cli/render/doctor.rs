//! What `doctor` found, for people.

use wifibox_host::doctor::Finding;

/// The causes, each with what tells it and what to type.
pub fn text(findings: &[Finding]) -> String {
    if findings.is_empty() {
        return "nothing is wrong that can be seen from the host\n".to_owned();
    }
    let mut text = String::new();
    for (index, finding) in findings.iter().enumerate() {
        let Finding { severity, cause, what, evidence, cure } = finding;
        if index > 0 {
            text += "\n";
        }
        text += &format!("[{severity}] {cause}: {what}\n");
        if let Some(evidence) = evidence {
            text += &format!("    seen: {evidence}\n");
        }
        for command in cure {
            text += &format!("    {command}\n");
        }
    }
    text
}
