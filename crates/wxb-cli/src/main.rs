//! The `wxb` command.

mod args;
mod commands;
mod exit;
mod interrupt;
mod terminal;

/// The system's allocator with counters, by which `wxb bench` tells the allocations of a training step.
#[global_allocator]
static ALLOCATOR: &stats_alloc::StatsAlloc<std::alloc::System> = &stats_alloc::INSTRUMENTED_SYSTEM;

fn main() -> std::process::ExitCode {
    exit::report_bugs();
    commands::run(std::env::args_os()).into()
}
