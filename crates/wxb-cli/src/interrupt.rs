//! Ctrl-C and SIGTERM: the first finishes the batch and saves, the second stops at once.

use std::sync::atomic::{AtomicBool, Ordering};

static ASKED: AtomicBool = AtomicBool::new(false);

/// From here on an interrupt is noted instead of ending the process.
pub fn watch() {
    // A handler that cannot be set leaves the system's own behaviour: the process ends, nothing is saved.
    let _ = ctrlc::set_handler(|| {
        if ASKED.swap(true, Ordering::SeqCst) {
            std::process::exit(crate::exit::Exit::Interrupted as i32);
        }
    });
}

/// Whether the user asked to stop.
pub fn asked() -> bool {
    ASKED.load(Ordering::Relaxed)
}
