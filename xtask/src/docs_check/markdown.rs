//! Reads a page as far as docs-check needs it: lines of its code, links, and the anchors of its headings.

use std::collections::BTreeSet;

/// A page, with the numbers of its lines.
#[derive(Debug, Default)]
pub struct Page {
    /// Lines that may hold commands; one that is continued over several lines counts once.
    pub commands: Vec<(usize, String)>,
    /// Targets of links.
    pub links: Vec<(usize, String)>,
    /// Paths in this repository, written as code.
    pub paths: Vec<(usize, String)>,
    /// Names of commands and options that are about to come.
    pub pending: BTreeSet<String>,
    /// Anchors of the headings, as GitHub and mdBook make them.
    pub anchors: BTreeSet<String>,
}

/// The languages of code blocks that hold commands. Blocks without a language may hold anything.
const SHELLS: [&str; 4] = ["sh", "console", "shell", "bash"];

impl Page {
    /// Reads Markdown.
    pub fn markdown(text: &str) -> Self {
        let mut page = Page::default();
        let mut fence: Option<(String, bool)> = None;
        let mut continued: Option<(usize, String)> = None;
        for (number, line) in (1..).zip(text.lines()) {
            let trimmed = line.trim_start();
            if let Some((marker, shell)) = &fence {
                if trimmed.starts_with(marker.as_str()) {
                    fence = None;
                } else if *shell {
                    page.command(number, trimmed, &mut continued);
                }
                continue;
            }
            if trimmed.starts_with("```") || trimmed.starts_with("~~~") {
                let marker: String = trimmed.chars().take(3).collect();
                let language = trimmed.get(3..).unwrap_or_default().split([',', ' ']).next();
                fence = Some((marker, language.is_some_and(|name| SHELLS.contains(&name))));
                continue;
            }
            if line.starts_with("    ") {
                page.command(number, trimmed, &mut continued);
                continue;
            }
            if let Some(rest) = trimmed.strip_prefix("<!-- docs-check: pending ") {
                let names = rest.trim_end().trim_end_matches("-->").split_whitespace();
                page.pending.extend(names.map(str::to_owned));
            }
            if let Some(heading) = trimmed.strip_prefix('#') {
                page.anchors.insert(anchor(heading.trim_start_matches('#').trim()));
            }
            page.prose(number, line);
        }
        page
    }

    /// Reads a man page: what stands in literal blocks, `.Dl` lines and between `.nf` and `.fi`.
    pub fn man(text: &str) -> Self {
        let mut page = Page::default();
        let (mut literal, mut continued) = (false, None);
        for (number, line) in (1..).zip(text.lines()) {
            match line.split_whitespace().next() {
                Some(".nf" | ".Bd") => literal = true,
                Some(".fi" | ".Ed") => literal = false,
                _ => {}
            }
            let line = line.replace("\\-", "-").replace("\\&", "");
            if let Some(command) = line.strip_prefix(".Dl ") {
                page.command(number, command, &mut continued);
            } else if literal && !line.starts_with('.') {
                page.command(number, line.trim_start(), &mut continued);
            }
        }
        page
    }

    /// Reads a shell script, or a workflow, whose commands stand behind `run:` or on lines of their own. Of comments only
    /// what is indented as code counts.
    pub fn script(text: &str) -> Self {
        let mut page = Page::default();
        let mut continued = None;
        for (number, line) in (1..).zip(text.lines()) {
            let line = line.trim_start();
            let code = match line.strip_prefix('#') {
                Some(comment) if comment.starts_with("     ") => comment.trim_start(),
                Some(_) => continue,
                None => line,
            };
            let code = code.strip_prefix("- ").unwrap_or(code);
            let code = code.strip_prefix("run:").unwrap_or(code).trim_start();
            page.command(number, code, &mut continued);
        }
        page
    }

    /// Reads a form for issues: text for people between keys.
    pub fn form(text: &str) -> Self {
        let mut page = Page::default();
        for (number, line) in (1..).zip(text.lines()) {
            page.prose(number, line);
        }
        page
    }

    fn command(&mut self, number: usize, line: &str, continued: &mut Option<(usize, String)>) {
        let (start, mut whole) = continued.take().unwrap_or((number, String::new()));
        match line.strip_suffix('\\') {
            Some(part) => *continued = Some((start, whole + part + " ")),
            None => {
                whole += line;
                self.commands.push((start, whole));
            }
        }
    }

    /// Links and commands in a line of text.
    fn prose(&mut self, number: usize, line: &str) {
        for (place, span) in line.split('`').enumerate() {
            if place % 2 == 0 {
                continue;
            }
            if is_path(span) {
                self.paths.push((number, span.to_owned()));
            }
            let Some(arguments) = span.strip_prefix("wifibox-build ") else { continue };
            if arguments.contains("...") {
                continue;
            }
            // A verb by itself is spoken of: it has to be there.
            let names_verb = !arguments.contains(' ') && !arguments.starts_with('-');
            let verb = if names_verb { "help " } else { "" };
            self.commands.push((number, format!("wifibox-build {verb}{arguments}")));
        }
        let mut rest = line;
        while let Some((_, after)) = rest.split_once("](") {
            let Some((target, after)) = after.split_once(')') else { break };
            self.links.push((number, target.to_owned()));
            rest = after;
        }
    }
}

/// The repository's folders whose files documents name.
const FOLDERS: [&str; 10] = [
    ".github/",
    "builder/",
    "ci/",
    "docs/",
    "examples/",
    "firmware-blobs/",
    "kernels/",
    "overlays/",
    "recipes/",
    "xtask/",
];

/// Whether what is written as code is a path in this repository, and not a pattern of paths.
fn is_path(span: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || "/._-".contains(c);
    FOLDERS.iter().any(|folder| span.starts_with(folder))
        && span.chars().all(plain)
        && !["NAME", "...", "FEATURE"].iter().any(|part| span.contains(part))
}

/// The anchor of a heading: lower case, blanks become hyphens, other punctuation goes.
fn anchor(heading: &str) -> String {
    let mut anchor = String::new();
    for c in heading.to_lowercase().chars() {
        if c.is_alphanumeric() || c == '-' || c == '_' {
            anchor.push(c);
        } else if c == ' ' {
            anchor.push('-');
        }
    }
    anchor
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn code_links_and_headings_are_told_apart() {
        let page = Page::markdown(
            "# A `b` (c)\n<!-- docs-check: pending later --more -->\n[x](y.md#z) `wifibox-build list` \
             [u](v)\n```sh\nwifibox-build show \\\n    --flavor x\n```\n```yaml\nwifibox-build no\n```\n    \
             ci/test.sh\n",
        );
        let commands: Vec<&str> = page.commands.iter().map(|(_, line)| line.as_str()).collect();
        assert_eq!(
            commands,
            ["wifibox-build help list", "wifibox-build show  --flavor x", "ci/test.sh"]
        );
        assert_eq!(page.links, [(3, "y.md#z".to_owned()), (3, "v".to_owned())]);
        assert_eq!(page.anchors, BTreeSet::from(["a-b-c".to_owned()]));
        assert_eq!(page.pending.len(), 2);
    }

    #[test]
    fn scripts_and_workflows_have_commands_and_comments() {
        let page = Page::script(
            "#!/bin/sh\n# wifibox-build is for\n#     wifibox-build list\nwifibox-build show \\\n    \
             --flavor x\n      - run: wifibox-build why y\n",
        );
        let commands: Vec<&str> = page.commands.iter().map(|(_, line)| line.as_str()).collect();
        assert_eq!(
            commands,
            ["wifibox-build list", "wifibox-build show  --flavor x", "wifibox-build why y"]
        );
        let page = Page::form("        description: See `wifibox-build detect 1:2`, [x](y)\n");
        assert_eq!(page.commands.len(), 1);
        assert_eq!(page.links, [(1, "y".to_owned())]);
    }

    #[test]
    fn paths_are_told_from_other_code() {
        let page = Page::markdown("`ci/test.sh` `ci/*.sh` `recipes/NAME.yaml` `etc/rc` `docs`\n");
        assert_eq!(page.paths, [(1, "ci/test.sh".to_owned())]);
    }

    #[test]
    fn man_pages_have_commands_in_literal_lines() {
        let page = Page::man(".Sh X\nwifibox-build no\n.Dl wifibox-build list\n.nf\na \\-b\n.fi\n");
        let commands: Vec<&str> = page.commands.iter().map(|(_, line)| line.as_str()).collect();
        assert_eq!(commands, ["wifibox-build list", "a -b"]);
    }
}
