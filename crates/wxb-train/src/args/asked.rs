//! What was asked for, as the record of a model keeps it.

use std::time::Duration;

use clap::ValueEnum;
use serde::{Serialize, Serializer};
use serde_json::{Map, Value};

use super::choice::{
    CalibrationChoice, InitChoice, LossChoice, MomentumForm, NumbersChoice, OptimizerChoice, PrecisionChoice,
    PresetChoice, ScaleChoice, ScheduleChoice, TaskChoice,
};
use super::train::TrainArgs;
use super::value::{ActivationChoice, BatchSize, ClassWeight, Valid};
use crate::model::file_name;

impl TrainArgs {
    /// What it says other than the usual: values by the names of the flags, with `_` for `-`. Of files their names without
    /// folders. Neither the seed nor how files are read are among them: they are kept whatever they are.
    ///
    /// ```
    /// let args = wxb_train::TrainArgs::from_flags(["--hidden=64,32", "--dropout=0.2", "--lr=0.01"].map(String::from))?;
    /// let asked = serde_json::to_string(&args.asked()).unwrap();
    /// assert_eq!(asked, r#"{"dropout":0.2,"hidden":[64,32],"lr":0.01}"#);
    /// # Ok::<(), wxb::Error>(())
    /// ```
    pub fn asked(&self) -> Map<String, Value> {
        let usual = all(&Self::default());
        all(self).into_iter().filter(|(name, value)| usual.get(name) != Some(value)).collect()
    }
}

fn all(args: &TrainArgs) -> Map<String, Value> {
    match serde_json::to_value(args) {
        Ok(Value::Object(all)) => all,
        other => unreachable!("settings are an object of texts, numbers and lists: {other:?}"),
    }
}

/// A choice is its name, as it is typed.
macro_rules! by_name {
    ($($choice:ty),+) => {$(
        impl Serialize for $choice {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(name(*self).as_str())
            }
        }
    )+};
}

by_name!(
    CalibrationChoice,
    InitChoice,
    LossChoice,
    MomentumForm,
    NumbersChoice,
    OptimizerChoice,
    PrecisionChoice,
    PresetChoice,
    ScaleChoice,
    ScheduleChoice,
    TaskChoice
);

fn name(choice: impl ValueEnum) -> String {
    choice.to_possible_value().expect("no choice is hidden").get_name().to_owned()
}

impl Serialize for ActivationChoice {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let name = name(self.name);
        serializer.serialize_str(&match self.parameter {
            Some(parameter) => format!("{name}:{parameter}"),
            None => name,
        })
    }
}

impl Serialize for BatchSize {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Rows(rows) => rows.serialize(serializer),
            Self::Full => serializer.serialize_str("full"),
        }
    }
}

impl Serialize for Valid {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::None => serializer.serialize_str("none"),
            Self::Fraction(share) => share.serialize(serializer),
            Self::File(path) => serializer.serialize_str(&file_name(path)),
        }
    }
}

impl Serialize for ClassWeight {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Balanced => serializer.serialize_str("balanced"),
            Self::PerClass(weights) => {
                serializer.collect_map(weights.iter().map(|(class, weight)| (class, weight)))
            }
        }
    }
}

/// A path is the name of its file.
pub(super) fn file<S: Serializer>(path: &Option<String>, serializer: S) -> Result<S::Ok, S::Error> {
    path.as_deref().map(file_name).serialize(serializer)
}

/// Time in seconds.
pub(super) fn seconds<S: Serializer>(time: &Option<Duration>, serializer: S) -> Result<S::Ok, S::Error> {
    time.map(|time| time.as_secs_f64()).serialize(serializer)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn asked(flags: &[&str]) -> Value {
        let flags = flags.iter().map(|&flag| flag.to_owned());
        Value::Object(TrainArgs::from_flags(flags).expect("flags that there are").asked())
    }

    #[test]
    fn nothing_is_asked_for_by_default() {
        assert_eq!(asked(&[]), json!({}));
        // The usual, although it was typed; what the record has elsewhere.
        assert_eq!(
            asked(&["--scale=auto", "--precision=f32", "--seed=7", "--target=y", "--delimiter=;"]),
            json!({})
        );
    }

    #[test]
    fn every_kind_of_value() {
        let flags = [
            "--preset=realmlp-td-s",
            "--activation=leaky_relu:0.02,tanh",
            "--hidden=none",
            "--batch-size=full",
            "--time-budget=1.5m",
            "--valid=data/held.csv",
            "--init-weights=/somewhere/w.npz",
            "--class-weight=yes=3,no=1",
            "--quantiles=0.1,0.9",
            "--drop=a,b",
            "--keep",
            "--task=regress",
            "--l2=0",
        ];
        let expected = json!({
            "preset": "realmlp-s",
            "activation": ["leaky-relu:0.02", "tanh"],
            "hidden": [],
            "batch_size": "full",
            "time_budget": 90.0,
            "valid": "held.csv",
            "init_weights": "w.npz",
            "class_weight": { "yes": 3.0, "no": 1.0 },
            "quantiles": [0.1, 0.9],
            "drop": ["a", "b"],
            "keep": true,
            "task": "regression",
            "l2": 0.0,
        });
        assert_eq!(asked(&flags), expected);
    }

    #[test]
    fn what_was_recorded_can_be_asked_for_again() {
        let args =
            ["--batch-size=64", "--valid=0.3", "--class-weight=balanced", "--no-early-stopping", "--bag=5"];
        for flag in args {
            let (name, value) = flag.trim_start_matches("--").split_once('=').unwrap_or((&flag[2..], "true"));
            let found = asked(&[flag]);
            let value = serde_json::from_str(value).unwrap_or_else(|_| json!(value));
            assert_eq!(found, json!({ name.replace('-', "_"): value }), "{flag}");
        }
    }
}
