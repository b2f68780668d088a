//! The frame of every page, and what text becomes in it.

use std::fmt::Write as _;

/// What the pages look like.
const STYLE: &str = include_str!("page.css");
/// Search and sorting.
const SCRIPT: &str = include_str!("page.js");

/// A text as it stands in HTML, between tags and in attributes.
pub(super) fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            // Names of files may hold them; HTML may not.
            c if c.is_control() && c != '\n' && c != '\t' => escaped.push('\u{fffd}'),
            c => escaped.push(c),
        }
    }
    escaped
}

/// A page under way.
#[derive(Debug)]
pub(super) struct Page {
    title: String,
    lead: String,
    parts: Vec<(String, String)>,
    body: String,
    script: String,
}

impl Page {
    /// A page with a title, and a sentence below it.
    pub fn new(title: &str, lead: &str) -> Self {
        Page {
            title: title.to_owned(),
            lead: lead.to_owned(),
            parts: Vec::new(),
            body: String::new(),
            script: SCRIPT.to_owned(),
        }
    }

    /// Adds a part with a heading; `html` is what stands in it.
    pub fn part(&mut self, id: &str, title: &str, html: &str) {
        self.parts.push((id.to_owned(), title.to_owned()));
        let _ = write!(self.body, "<h2 id=\"{id}\">{}</h2>\n{html}", escape(title));
    }

    /// Adds what needs no heading.
    pub fn add(&mut self, html: &str) {
        self.body.push_str(html);
    }

    /// Adds a script of the page's own.
    pub fn script(&mut self, script: &str) {
        self.script.push_str(script);
    }

    /// The page's text.
    pub fn finish(self) -> String {
        let title = escape(&self.title);
        let links: String = self
            .parts
            .iter()
            .map(|(id, title)| format!("<a href=\"#{id}\">{}</a> ", escape(title)))
            .collect();
        let version = env!("CARGO_PKG_VERSION");
        format!(
            "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
             <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
             <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; \
             style-src 'unsafe-inline'; script-src 'unsafe-inline'; img-src data:\">\n\
             <title>{title}</title>\n<style>\n{STYLE}</style>\n</head>\n<body>\n<header>\n<h1>{title}</h1>\n\
             <p class=\"dim\">{}</p>\n<nav>{links}</nav>\n<div id=\"search\"></div>\n</header>\n<main>\n{}</main>\n\
             <footer>Written by wifibox-build {version}. The page holds everything it shows.</footer>\n\
             <script>\n{}</script>\n</body>\n</html>\n",
            escape(&self.lead),
            self.body,
            self.script
        )
    }
}

/// Facts, each with its name.
pub(super) fn facts(list: &[(&str, String)]) -> String {
    let one = |(name, value): &(&str, String)| {
        format!("<div><dt>{}</dt><dd>{}</dd></div>\n", escape(name), escape(value))
    };
    let facts: String = list.iter().filter(|(_, value)| !value.is_empty()).map(one).collect();
    format!("<dl class=\"facts\">\n{facts}</dl>\n")
}

/// A number of bytes for people: `8.4 MiB`.
pub(super) fn size(bytes: u64) -> String {
    const UNITS: [&str; 4] = ["KiB", "MiB", "GiB", "TiB"];
    let mut unit = "";
    #[allow(clippy::cast_precision_loss)] // one digit is shown
    let mut value = bytes as f64;
    for next in UNITS {
        if value < 1024.0 {
            break;
        }
        value /= 1024.0;
        unit = next;
    }
    if unit.is_empty() { format!("{bytes} B") } else { format!("{value:.1} {unit}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_in_a_text_becomes_a_tag() {
        assert_eq!(escape("<a href='x'>\"&\u{7}"), "&lt;a href=&#39;x&#39;&gt;&quot;&amp;\u{fffd}");
        let mut page = Page::new("<script>", "a & b");
        page.part("x", "</main>", "<p>fine</p>\n");
        let text = page.finish();
        assert!(text.contains("<title>&lt;script&gt;</title>") && text.contains("&lt;/main&gt;"));
        assert!(text.contains("<p>fine</p>"));
    }

    #[test]
    fn nothing_is_asked_of_a_network() {
        let text = Page::new("t", "l").finish();
        for word in ["http://", "https://", "src=\"//", "@import", "url(", "fetch("] {
            assert!(!text.contains(word), "{word}");
        }
    }

    #[test]
    fn sizes_are_short() {
        let all: Vec<String> =
            [0, 1023, 1024, 1536, 8 << 20, 3 << 40].into_iter().map(size).collect();
        assert_eq!(all, ["0 B", "1023 B", "1.0 KiB", "1.5 KiB", "8.0 MiB", "3.0 TiB"]);
    }
}
