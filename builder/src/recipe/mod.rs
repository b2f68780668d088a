//! Recipes: the YAML model, its composition and validation.
