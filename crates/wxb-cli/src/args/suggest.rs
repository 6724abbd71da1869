//! What people mean who write other tools' names: scikit-learn, Keras, LightGBM, pandas.

/// What a foreign flag is here.
pub enum Meant {
    /// Another flag does that, with a remark.
    Flag(&'static str, &'static str),
    /// Nothing does, and why.
    Nothing(&'static str),
}

use Meant::{Flag, Nothing};

/// Foreign flags, without dashes and with `-` for `_`.
const FLAGS: &[(&str, Meant)] = &[
    ("eta", Flag("--lr", "")),
    ("eta0", Flag("--lr", "")),
    ("learning-rate-init", Flag("--lr", "")),
    ("step-size", Flag("--lr", "")),
    ("alpha", Flag("--l2", "scikit-learn's alpha is the weight of the L2 term; the learning rate is --lr")),
    ("lambda", Flag("--l2", "")),
    ("lambda-l1", Flag("--l1", "")),
    ("lambda-l2", Flag("--l2", "")),
    ("reg-alpha", Flag("--l1", "")),
    ("reg-lambda", Flag("--l2", "")),
    ("penalty", Flag("--l2", "or --l1, each with its own weight")),
    ("c", Flag("--l2", "scikit-learn's C is 1/(lambda m)")),
    ("max-iter", Flag("--epochs", "")),
    ("num-epochs", Flag("--epochs", "")),
    ("nb-epoch", Flag("--epochs", "")),
    ("iterations", Flag("--epochs", "with --batch-size full an epoch is one step")),
    ("num-iterations", Flag("--epochs", "with --batch-size full an epoch is one step")),
    ("hidden-layer-sizes", Flag("--hidden", "")),
    ("hidden-layers", Flag("--hidden", "")),
    ("hidden-units", Flag("--hidden", "")),
    ("units", Flag("--hidden", "")),
    ("activations", Flag("--activation", "")),
    ("kernel-initializer", Flag("--init", "")),
    ("initializer", Flag("--init", "")),
    ("initialization", Flag("--init", "")),
    ("beta-1", Flag("--beta1", "")),
    ("beta-2", Flag("--beta2", "")),
    ("rho", Flag("--beta2", "")),
    ("eps", Flag("--epsilon", "")),
    ("nesterovs-momentum", Flag("--optimizer nesterov", "")),
    ("early-stopping", Flag("--patience", "early stopping is on by default")),
    ("early-stopping-rounds", Flag("--patience", "")),
    ("n-iter-no-change", Flag("--patience", "")),
    ("validation-fraction", Flag("--valid", "")),
    ("val", Flag("--valid", "")),
    ("val-split", Flag("--valid", "")),
    ("validation", Flag("--valid", "")),
    ("test-size", Flag("--valid", "")),
    ("folds", Flag("--cv", "")),
    ("n-splits", Flag("--cv", "")),
    ("k-fold", Flag("--cv", "")),
    ("clipnorm", Flag("--clip-norm", "")),
    ("gradient-clip", Flag("--clip-norm", "")),
    ("max-grad-norm", Flag("--clip-norm", "")),
    ("drop-rate", Flag("--dropout", "")),
    ("dropout-rate", Flag("--dropout", "")),
    ("wd", Flag("--weight-decay", "")),
    ("objective", Flag("--loss", "")),
    ("metrics", Flag("--metric", "")),
    ("eval-metric", Flag("--metric", "")),
    ("lr-schedule", Flag("--schedule", "")),
    ("scheduler", Flag("--schedule", "")),
    ("dtype", Flag("--precision", "")),
    ("n-jobs", Flag("--threads", "")),
    ("num-threads", Flag("--threads", "")),
    ("jobs", Flag("--threads", "")),
    ("nthread", Flag("--threads", "")),
    ("normalize", Flag("--scale", "columns are standardised by default")),
    ("standardize", Flag("--scale", "columns are standardised by default")),
    ("categorical-feature", Flag("--categorical", "")),
    ("cat-features", Flag("--categorical", "")),
    ("ignore-column", Flag("--drop", "")),
    ("exclude", Flag("--drop", "")),
    ("label-column", Flag("--target", "")),
    ("target-column", Flag("--target", "")),
    ("is-unbalance", Flag("--class-weight balanced", "")),
    ("scale-pos-weight", Flag("--class-weight", "with a weight per class: yes=3,no=1")),
    ("out", Flag("--output", "")),
    ("model-out", Flag("--output", "")),
    ("save", Flag("--output", "")),
    ("predict-proba", Flag("--proba", "")),
    ("probabilities", Flag("--proba", "")),
    ("warm-start", Flag("--resume", "")),
    ("verbosity", Flag("--verbose", "")),
    ("silent", Flag("--quiet", "")),
    ("colour", Flag("--color", "")),
    ("n-estimators", Nothing("not meaningful here: a network has epochs, not trees (--epochs)")),
    ("num-leaves", Nothing("not meaningful here: a network has units, not leaves (--hidden)")),
    ("max-depth", Nothing("not meaningful here: a network's depth is its number of layers (--hidden 64,32)")),
    ("min-child-weight", Nothing("not meaningful here: it belongs to trees")),
    ("min-child-samples", Nothing("not meaningful here: it belongs to trees")),
    ("colsample-bytree", Nothing("not meaningful here: it belongs to trees; see --dropout")),
    ("subsample", Nothing("not meaningful here: every epoch sees every row; see --dropout")),
    ("shuffle", Nothing("not needed: rows are put in a fresh order every epoch")),
    ("tol", Nothing("not meaningful here: training stops by --patience and --epochs")),
    ("gpu", Nothing("not available: this wxb computes on the processor")),
    ("device", Nothing("not available: this wxb computes on the processor")),
];

/// Foreign commands.
const COMMANDS: &[(&str, &str)] = &[
    ("fit", "train"),
    ("learn", "train"),
    ("run", "train"),
    ("test", "evaluate"),
    ("score", "evaluate"),
    ("validate", "evaluate"),
    ("infer", "predict"),
    ("inference", "predict"),
    ("transform", "predict"),
    ("show", "inspect"),
    ("info", "inspect"),
    ("summary", "inspect"),
    ("describe", "inspect"),
    ("trace", "explain"),
    ("grad-check", "gradcheck"),
    ("example", "demo"),
    ("completion", "completions"),
    ("version", "env"),
];

/// What `--flag` of another tool is here.
pub fn foreign_flag(flag: &str) -> Option<&'static Meant> {
    let name = flag.trim_start_matches('-').to_lowercase().replace('_', "-");
    FLAGS.iter().find(|(foreign, _)| *foreign == name).map(|(_, meant)| meant)
}

/// What a command of another tool is here.
pub fn foreign_command(name: &str) -> Option<&'static str> {
    COMMANDS.iter().find(|(foreign, _)| *foreign == name).map(|(_, ours)| *ours)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every flag and command that is recommended exists.
    #[test]
    fn recommendations_exist() {
        let command = super::super::command();
        let flags: Vec<String> = command
            .get_subcommands()
            .chain([&command])
            .flat_map(|c| c.get_arguments().filter_map(|a| a.get_long()).map(|l| format!("--{l}")))
            .collect();
        for (foreign, meant) in FLAGS {
            assert!(!flags.contains(&format!("--{foreign}")), "--{foreign} is a flag of wxb");
            if let Flag(ours, _) = meant {
                let flag = ours.split(' ').next().unwrap();
                assert!(flags.iter().any(|f| f == flag), "{ours}");
            }
        }
        for (_, ours) in COMMANDS {
            assert!(command.get_subcommands().any(|c| c.get_name() == *ours), "{ours}");
        }
    }
}
