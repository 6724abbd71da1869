//! Recipes: all that a published network for tables fixes, from the columns to the last step, a page each.

pub mod realmlp;
