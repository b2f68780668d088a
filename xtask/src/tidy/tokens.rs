//! Code in macros, which `syn` hands out as tokens: the paths, functions and texts that can be told in it without
//! knowing the macro.

use proc_macro2::{Delimiter, TokenStream, TokenTree};

use super::facts::Function;

/// Something that stands in a macro's tokens.
#[derive(Debug)]
pub enum Found {
    /// `a::b::c`, or a single name that is called or has a capital; with its line.
    Path(Vec<String>, usize),
    /// A function with a body, as in `proptest!`.
    Function(Function),
    /// The text of a plain string; with its line.
    Text(String, usize),
}

/// Looks through `stream` and all groups in it.
pub fn scan(stream: TokenStream) -> Vec<Found> {
    let mut found = Vec::new();
    look(stream, &mut found);
    found
}

fn look(stream: TokenStream, found: &mut Vec<Found>) {
    let tokens: Vec<TokenTree> = stream.into_iter().collect();
    let mut at = 0;
    while let Some(token) = tokens.get(at) {
        let before = tokens.get(..at).unwrap_or_default();
        at += 1;
        match token {
            TokenTree::Group(group) => look(group.stream(), found),
            TokenTree::Punct(_) => {}
            TokenTree::Literal(literal) => {
                let text = literal.to_string();
                if let Some(text) = text.strip_prefix('"').and_then(|text| text.strip_suffix('"')) {
                    found.push(Found::Text(text.to_owned(), literal.span().start().line));
                }
            }
            TokenTree::Ident(ident) => {
                let line = ident.span().start().line;
                if ident == "fn" {
                    found.extend(function(tokens.get(at..).unwrap_or_default(), line));
                    at += 1;
                    continue;
                }
                let mut path = vec![name(ident)];
                while let Some([a, b, TokenTree::Ident(ident), ..]) = tokens.get(at..)
                    && is(a, ':')
                    && is(b, ':')
                {
                    path.push(name(ident));
                    at += 3;
                }
                if begins_path(before, &path) && (path.len() > 1 || counts(&path, tokens.get(at))) {
                    found.push(Found::Path(path, line));
                }
            }
        }
    }
}

/// Whether a name after the tokens `before` is neither a field, a lifetime nor the end of another path.
fn begins_path(before: &[TokenTree], path: &[String]) -> bool {
    match before {
        [.., token] if is(token, '$') => path.first().is_some_and(|name| name == "crate"),
        [.., dot, token] if is(token, '.') => is(dot, '.'), // `..Default::default()`
        [.., token] if is(token, '.') || is(token, '\'') => false,
        [.., a, b] => !(is(a, ':') && is(b, ':')),
        _ => true,
    }
}

/// Whether a single name may be an item: it has a capital, or is called.
fn counts(path: &[String], next: Option<&TokenTree>) -> bool {
    let called = matches!(next, Some(TokenTree::Group(group))
        if group.delimiter() == Delimiter::Parenthesis);
    called || path.iter().any(|name| name.starts_with(|c: char| c.is_ascii_uppercase()))
}

/// The function that begins in `line` with the tokens after `fn`, if it has a body.
fn function(rest: &[TokenTree], line: usize) -> Option<Found> {
    let [TokenTree::Ident(ident), rest @ ..] = rest else { return None };
    for token in rest {
        match token {
            TokenTree::Group(group) if group.delimiter() == Delimiter::Brace => {
                let lines = group.span_close().end().line + 1 - line;
                return Some(Found::Function(Function { name: name(ident), line, lines }));
            }
            token if is(token, ';') => return None,
            _ => {}
        }
    }
    None
}

fn is(token: &TokenTree, c: char) -> bool {
    matches!(token, TokenTree::Punct(punct) if punct.as_char() == c)
}

fn name(ident: &proc_macro2::Ident) -> String {
    let name = ident.to_string();
    name.strip_prefix("r#").map(str::to_owned).unwrap_or(name)
}
