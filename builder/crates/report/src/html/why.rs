//! The chain that pulled a package into a guest, as a picture.

use std::fmt::Write as _;

use super::page::escape;

/// The width of a box.
const WIDTH: usize = 560;
/// The height of a box.
const HEIGHT: usize = 46;
/// What is between two boxes.
const GAP: usize = 34;

/// An SVG file; `chain` has a line for each package, from the recipe's own to the one that was asked about:
/// `NAME VERSION  <- REASON`.
#[must_use]
pub fn why(chain: &[String]) -> String {
    let steps: Vec<(&str, &str)> =
        chain.iter().map(|line| line.split_once("  <- ").unwrap_or((line, ""))).collect();
    // The first reason is where the recipe asks for it.
    let mut boxes: Vec<(&str, &str, bool)> = Vec::new();
    let mut arrows: Vec<&str> = Vec::new();
    for (at, (package, reason)) in steps.iter().enumerate() {
        let (name, version) = package.split_once(' ').unwrap_or((package, ""));
        if at == 0 {
            boxes.push(("recipe", reason, true));
            arrows.push("asks for");
        } else {
            arrows.push(reason);
        }
        boxes.push((name, version, false));
    }
    let height = boxes.len() * (HEIGHT + GAP) + 8;
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {} {height}\" width=\"{}\" height=\"{height}\" \
         font-family=\"system-ui, 'DejaVu Sans', sans-serif\">\n<title>Why {} is in the guest</title>\n\
         <rect width=\"100%\" height=\"100%\" fill=\"#ffffff\"/>\n",
        WIDTH + 40,
        WIDTH + 40,
        escape(boxes.last().map_or("nothing", |(name, ..)| *name))
    );
    for (at, (name, says, recipe)) in boxes.iter().enumerate() {
        let y = 8 + at * (HEIGHT + GAP);
        let last = at + 1 == boxes.len();
        let fill = if *recipe { "#eef1f5" } else { "#dbe7f7" };
        let (stroke, thick) = if last { ("#2458a6", 2) } else { ("#7c8796", 1) };
        let _ = writeln!(
            svg,
            "<rect x=\"20\" y=\"{y}\" width=\"{WIDTH}\" height=\"{HEIGHT}\" rx=\"6\" fill=\"{fill}\" \
             stroke=\"{stroke}\" stroke-width=\"{thick}\"/>\n\
             <text x=\"32\" y=\"{}\" font-size=\"15\" font-weight=\"600\" fill=\"#1c2330\">{}</text>\n\
             <text x=\"32\" y=\"{}\" font-size=\"12\" fill=\"#5c6675\">{}</text>",
            y + 19,
            escape(&cut(name, 60)),
            y + 37,
            escape(&cut(says, 84))
        );
        if let Some(label) = arrows.get(at).filter(|_| !last) {
            let (from, to) = (y + HEIGHT, y + HEIGHT + GAP);
            let _ = writeln!(
                svg,
                "<path d=\"M60 {from}V{}\" stroke=\"#7c8796\" stroke-width=\"1.5\"/>\n\
                 <path d=\"M55 {}L60 {to}L65 {}Z\" fill=\"#7c8796\"/>\n\
                 <text x=\"76\" y=\"{}\" font-size=\"12\" fill=\"#5c6675\">{}</text>",
                to - 7,
                to - 8,
                to - 8,
                from + 21,
                escape(&cut(label, 78))
            );
        }
    }
    svg + "</svg>\n"
}

/// A text of so many letters at most.
fn cut(text: &str, letters: usize) -> String {
    if text.chars().count() <= letters {
        return text.to_owned();
    }
    text.chars().take(letters - 1).chain(['\u{2026}']).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_step_is_a_box() {
        let chain = [
            "wpasupplicant 2:2.10  <- wpasupplicant in recipes/debian.yaml:3".to_owned(),
            "libssl3 3.0.1  <- wpasupplicant depends on libssl3 (>= 3.0)".to_owned(),
        ];
        let svg = why(&chain);
        for words in
            ["recipes/debian.yaml:3", "asks for", ">libssl3<", "(&gt;= 3.0)", "Why libssl3 is"]
        {
            assert!(svg.contains(words), "{words}: {svg}");
        }
        assert_eq!(svg.matches("rx=\"6\"").count(), 3);
    }
}
