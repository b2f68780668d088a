//! Reads a Rust file with `syn`; macros are read as tokens (`tokens.rs`).

use proc_macro2::Span;
use syn::ext::IdentExt;
use syn::visit::{self, Visit};
use syn::{Attribute, Block, Item, Meta, PathSegment, Signature, UseTree};

use super::facts::{Child, Facts, Function, Import, Module, Use};
use super::items;
use super::tokens::{self, Found};

/// Reads the text of a file. The error has its line.
pub fn read(text: &str) -> Result<Facts, (usize, String)> {
    let file =
        syn::parse_file(text).map_err(|error| (line(error.span()), format!("no Rust: {error}")))?;
    let mut reader = Reader::default();
    reader.visit_file(&file);
    Ok(Facts { functions: reader.functions, module: reader.module })
}

fn line(span: Span) -> usize {
    span.start().line
}

#[derive(Default)]
struct Reader {
    functions: Vec<Function>,
    /// The module that is being read.
    module: Module,
    /// How many blocks of code it is in.
    blocks: usize,
    /// It is in something that only tests have.
    test: bool,
}

impl Reader {
    fn function(&mut self, signature: &Signature, block: &Block) {
        let start = line(signature.fn_token.span);
        let end = block.brace_token.span.close().end().line;
        let name = signature.ident.unraw().to_string();
        self.functions.push(Function { name, line: start, lines: end + 1 - start });
    }

    fn path(&mut self, path: &syn::Path, called: bool) {
        if let (None, Some(first)) = (&path.leading_colon, path.segments.first()) {
            let line = line(first.ident.span());
            let names = path.segments.iter().map(|segment| segment.ident.unraw().to_string());
            self.names(names.collect(), line, called);
        }
    }

    /// A single name matters where a `use` with `*` may have brought it; a variable's would only mislead.
    fn names(&mut self, path: Vec<String>, line: usize, called: bool) {
        let capital = |name: &String| name.starts_with(|c: char| c.is_ascii_uppercase());
        if path.len() > 1 || called || path.first().is_some_and(capital) {
            self.module.uses.push(Use { path, line, test: self.test });
        }
    }

    fn tokens(&mut self, stream: proc_macro2::TokenStream, attribute: bool) {
        for found in tokens::scan(stream) {
            match found {
                Found::Path(path, line) if path.len() > 1 || !attribute => {
                    self.names(path, line, true);
                }
                // `#[serde(with = "super::hex")]`
                Found::Text(text, line) if attribute => {
                    let path: Vec<String> = text.split("::").map(str::to_owned).collect();
                    if path.iter().all(|name| syn::parse_str::<PathSegment>(name).is_ok()) {
                        self.names(path, line, true);
                    }
                }
                Found::Function(function) => self.functions.push(function),
                Found::Path(..) | Found::Text(..) => {}
            }
        }
    }

    fn import(&mut self, tree: &UseTree, mut path: Vec<String>) {
        let (local, test) = (self.blocks > 0, self.test);
        let (name, last) = match tree {
            UseTree::Path(part) => {
                path.push(part.ident.unraw().to_string());
                return self.import(&part.tree, path);
            }
            UseTree::Group(group) => {
                return group.items.iter().for_each(|tree| self.import(tree, path.clone()));
            }
            UseTree::Glob(glob) => {
                let line = line(glob.star_token.span);
                return self.module.imports.push(Import { name: None, path, line, local, test });
            }
            UseTree::Name(name) => (name.ident.unraw(), name.ident.unraw()),
            UseTree::Rename(rename) => (rename.rename.clone(), rename.ident.unraw()),
        };
        let line = line(last.span());
        let mut name = name.to_string();
        if last != "self" {
            path.push(last.to_string());
        } else if name == "self" {
            name = path.last().cloned().unwrap_or_default();
        }
        self.module.imports.push(Import { name: Some(name), path, line, local, test });
    }
}

impl<'ast> Visit<'ast> for Reader {
    fn visit_item(&mut self, item: &'ast Item) {
        if self.blocks == 0
            && let Some(name) = items::defined(item)
        {
            self.module.names.insert(name);
        }
        let outer = self.test;
        self.test |= items::attributes(item).iter().any(items::only_for_tests);
        visit::visit_item(self, item);
        self.test = outer;
    }

    fn visit_item_mod(&mut self, item: &'ast syn::ItemMod) {
        let mut child = Child {
            name: item.ident.unraw().to_string(),
            line: line(item.ident.span()),
            path: item.attrs.iter().find_map(items::path_attribute),
            inline: None,
            test: self.test,
        };
        if item.content.is_some() {
            let outer = std::mem::take(&mut self.module);
            let blocks = std::mem::take(&mut self.blocks);
            visit::visit_item_mod(self, item);
            self.blocks = blocks;
            child.inline = Some(std::mem::replace(&mut self.module, outer));
        }
        self.module.children.push(child);
    }

    fn visit_item_use(&mut self, item: &'ast syn::ItemUse) {
        if item.leading_colon.is_none() {
            self.import(&item.tree, Vec::new());
        }
    }

    fn visit_item_fn(&mut self, item: &'ast syn::ItemFn) {
        self.function(&item.sig, &item.block);
        visit::visit_item_fn(self, item);
    }

    fn visit_impl_item_fn(&mut self, item: &'ast syn::ImplItemFn) {
        self.function(&item.sig, &item.block);
        visit::visit_impl_item_fn(self, item);
    }

    fn visit_trait_item_fn(&mut self, item: &'ast syn::TraitItemFn) {
        if let Some(block) = &item.default {
            self.function(&item.sig, block);
        }
        visit::visit_trait_item_fn(self, item);
    }

    fn visit_block(&mut self, block: &'ast Block) {
        self.blocks += 1;
        visit::visit_block(self, block);
        self.blocks -= 1;
    }

    fn visit_expr_call(&mut self, call: &'ast syn::ExprCall) {
        if let syn::Expr::Path(callee) = call.func.as_ref()
            && callee.qself.is_none()
        {
            self.path(&callee.path, true);
        }
        visit::visit_expr_call(self, call);
    }

    fn visit_path(&mut self, path: &'ast syn::Path) {
        self.path(path, false);
        visit::visit_path(self, path);
    }

    fn visit_macro(&mut self, call: &'ast syn::Macro) {
        self.path(&call.path, false);
        self.tokens(call.tokens.clone(), false);
    }

    fn visit_attribute(&mut self, attribute: &'ast Attribute) {
        if let Meta::List(list) = &attribute.meta {
            self.tokens(list.tokens.clone(), true);
        }
    }
}
