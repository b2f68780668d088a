//! Which flavor a card needs, as a page that reads a pasted listing in the browser; the table of cards is in
//! it, and can be read without the script.

use std::collections::BTreeMap;

use super::page::{Page, escape};

/// What asks and answers.
pub(super) const SCRIPT: &str = include_str!("detect.js");

/// A flavor, and the cards that it is for.
#[derive(Debug, Clone)]
pub struct FlavorCards {
    /// Its name.
    pub flavor: String,
    /// A summary of it.
    pub summary: String,
    /// The command that builds it.
    pub command: String,
    /// Ids, such as `8086:2725`.
    pub ids: Vec<String>,
}

/// The page; `without` are cards that no guest drives, by the reason.
#[must_use]
pub fn detect(flavors: &[FlavorCards], without: &BTreeMap<String, Vec<String>>) -> String {
    let mut page = Page::new(
        "Which flavor does my wireless card need?",
        "Paste what pciconf -lv (FreeBSD) or lspci -nnk (Linux) prints. Nothing leaves this page.",
    );
    page.add(&asks());
    page.part("flavors", "Flavors and their cards", &flavor_table(flavors));
    let reasons = reasons(without);
    if !reasons.is_empty() {
        page.part("none", "Cards that no guest drives", &reasons);
    }
    page.script(SCRIPT);
    page.finish()
}

/// Where a listing is pasted, and answered.
pub(super) fn asks() -> String {
    "<div id=\"asks\" hidden>\n<label for=\"paste\">A listing, or ids such as 8086:2725</label>\n\
     <textarea id=\"paste\" spellcheck=\"false\" autocomplete=\"off\"></textarea>\n\
     <div id=\"answer\" role=\"status\"></div>\n</div>\n\
     <noscript><p>Without script: look for your card's numbers in the tables below.</p></noscript>\n"
        .to_owned()
}

/// The table that the script reads.
pub(super) fn flavor_table(flavors: &[FlavorCards]) -> String {
    let rows: String = flavors.iter().map(row).collect();
    format!(
        "<div class=\"wide\"><table class=\"data flavors\">\n<thead><tr><th scope=\"col\">flavor</th>\
         <th scope=\"col\">for</th><th class=\"number\" scope=\"col\">cards</th><th scope=\"col\">ids</th>\
         </tr></thead>\n<tbody>\n{rows}</tbody>\n</table></div>\n"
    )
}

/// Why no guest drives these cards.
pub(super) fn reasons(without: &BTreeMap<String, Vec<String>>) -> String {
    let one = |(why, ids): (&String, &Vec<String>)| {
        let ids = ids.join(" ");
        format!("<p>{}</p>\n<p class=\"path\">{}</p>\n", escape(why), escape(&ids))
    };
    without.iter().map(one).collect()
}

fn row(flavor: &FlavorCards) -> String {
    let ids = escape(&flavor.ids.join(" "));
    let count = flavor.ids.len();
    format!(
        "<tr data-ids=\"{ids}\" data-command=\"{}\"><td>{}</td><td>{}</td>\
         <td class=\"number\" data-value=\"{count}\">{count}</td><td class=\"path\">{ids}</td></tr>\n",
        escape(&flavor.command),
        escape(&flavor.flavor),
        escape(&flavor.summary)
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_there_without_a_script() {
        let flavor = FlavorCards {
            flavor: "iwlwifi".to_owned(),
            summary: "Intel <cards>".to_owned(),
            command: "wifibox-build --flavor iwlwifi".to_owned(),
            ids: vec!["8086:2723".to_owned(), "8086:2725".to_owned()],
        };
        let without = BTreeMap::from([("No driver".to_owned(), vec!["14e4:43a0".to_owned()])]);
        let page = detect(&[flavor], &without);
        for words in
            ["data-ids=\"8086:2723 8086:2725\"", "Intel &lt;cards&gt;", "14e4:43a0", "<noscript>"]
        {
            assert!(page.contains(words), "{words}");
        }
    }
}
