//! Tables, which the script searches and sorts.

use super::page::{escape, size};

/// A cell.
#[derive(Debug, Clone)]
pub(super) enum Cell {
    /// Words.
    Text(String),
    /// A path or an id.
    Path(String),
    /// A number of bytes.
    Size(u64),
    /// Any other number.
    Number(u64),
    /// What changed by so many bytes.
    Change(u64, u64),
}

impl Cell {
    pub fn text(text: impl Into<String>) -> Self {
        Cell::Text(text.into())
    }

    pub fn path(text: impl Into<String>) -> Self {
        Cell::Path(text.into())
    }

    fn is_number(&self) -> bool {
        !matches!(self, Cell::Text(_) | Cell::Path(_))
    }

    fn html(&self) -> String {
        let number = |value: i128, text: String| {
            format!("<td class=\"number\" data-value=\"{value}\">{text}</td>")
        };
        match self {
            Cell::Text(text) => format!("<td>{}</td>", escape(text)),
            Cell::Path(text) => format!("<td class=\"path\">{}</td>", escape(text)),
            Cell::Size(bytes) => number(i128::from(*bytes), size(*bytes)),
            Cell::Number(value) => number(i128::from(*value), value.to_string()),
            Cell::Change(old, new) => {
                let (sign, class) = if new >= old { ("+", "more") } else { ("\u{2212}", "less") };
                let by = size(old.abs_diff(*new));
                let text = format!("<span class=\"{class}\">{sign}{by}</span>");
                number(i128::from(*new) - i128::from(*old), text)
            }
        }
    }
}

/// A table; nothing at all without rows.
pub(super) fn table(heads: &[&str], rows: &[Vec<Cell>]) -> String {
    let Some(first) = rows.first() else { return String::new() };
    let class = |at: usize| match first.get(at) {
        Some(cell) if cell.is_number() => " class=\"number\"",
        _ => "",
    };
    let heads: String = heads
        .iter()
        .enumerate()
        .map(|(at, head)| format!("<th{} scope=\"col\">{}</th>", class(at), escape(head)))
        .collect();
    let row = |cells: &Vec<Cell>| {
        let cells: String = cells.iter().map(Cell::html).collect();
        format!("<tr>{cells}</tr>\n")
    };
    let rows: String = rows.iter().map(row).collect();
    format!(
        "<div class=\"wide\"><table class=\"data\">\n<thead><tr>{heads}</tr></thead>\n<tbody>\n{rows}</tbody>\n\
         </table></div>\n"
    )
}

/// A long table, folded away until it is wanted.
pub(super) fn folded(summary: &str, table: &str) -> String {
    format!("<details><summary>{}</summary>\n{table}</details>\n", escape(summary))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_numbers_and_text_is_text() {
        let rows = vec![vec![Cell::path("/a<b"), Cell::Size(2048), Cell::Change(2048, 1024)]];
        let html = table(&["file", "size", "change"], &rows);
        assert!(html.contains("<td class=\"path\">/a&lt;b</td>"), "{html}");
        assert!(html.contains("<th class=\"number\" scope=\"col\">size</th>"));
        assert!(
            html.contains("data-value=\"2048\">2.0 KiB") && html.contains("data-value=\"-1024\"")
        );
        assert_eq!(table(&["x"], &[]), "");
    }
}
