//! The tests that need no program of their own: one program, because each has the whole engine in it.

mod arrays;
mod arrow;
mod course_runs;
mod csv;
mod data_sets;
mod first_model;
mod logistic;
mod parquet;
mod properties;
mod real_tables;
mod write;
