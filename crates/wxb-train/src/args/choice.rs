//! Closed sets of values, by the names that people type.

#![expect(
    missing_docs,
    reason = "the documentation of a value is its line in the help, and some speak for themselves"
)]

use clap::ValueEnum;

/// `--task`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum TaskChoice {
    /// By the target: text or few integers are classes, other numbers a quantity
    Auto,
    /// Two or more classes
    #[value(alias = "classify")]
    Classification,
    Binary,
    Multiclass,
    /// A quantity
    #[value(alias = "regress")]
    Regression,
}

/// One hidden layer's activation, without its parameter.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum ActivationName {
    #[value(alias = "linear", alias = "none")]
    Identity,
    #[value(alias = "logistic")]
    Sigmoid,
    Tanh,
    Relu,
    #[value(alias = "leakyrelu", alias = "leaky_relu")]
    LeakyRelu,
    Elu,
    Selu,
    Gelu,
    #[value(alias = "swish")]
    Silu,
    Mish,
    Softplus,
}

/// `--loss`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum LossChoice {
    /// Cross-entropy for classes, squared error for a quantity
    Auto,
    /// With sigmoid for two classes, with softmax for more
    #[value(alias = "log-loss", alias = "log_loss", alias = "binary_crossentropy", alias = "bce")]
    #[value(alias = "categorical_crossentropy", alias = "binary-cross-entropy")]
    CrossEntropy,
    #[value(alias = "mse", alias = "l2", alias = "squared_error")]
    SquaredError,
    #[value(alias = "mae", alias = "l1", alias = "absolute_error")]
    AbsoluteError,
    Huber,
    /// Counts: the network gives the logarithm of the mean
    Poisson,
    /// Quantiles instead of the mean; see --quantiles
    #[value(alias = "pinball")]
    Quantile,
}

/// `--init`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum InitChoice {
    /// By the activation: He for ReLU and its kin, LeCun for SELU, Xavier for the rest
    Auto,
    /// All weights 0: hidden units stay equal, to see why not
    #[value(alias = "zero")]
    Zeros,
    /// Normal with the standard deviation --init-scale
    #[value(alias = "random", alias = "gaussian")]
    Normal,
    #[value(alias = "xavier-normal", alias = "glorot", alias = "glorot-normal", alias = "glorot_normal")]
    Xavier,
    #[value(alias = "glorot-uniform", alias = "glorot_uniform")]
    XavierUniform,
    #[value(alias = "he-normal", alias = "kaiming", alias = "kaiming-normal", alias = "he_normal")]
    He,
    #[value(alias = "kaiming-uniform", alias = "he_uniform")]
    HeUniform,
    #[value(alias = "lecun-normal", alias = "lecun_normal")]
    Lecun,
    #[value(alias = "lecun_uniform")]
    LecunUniform,
    Orthogonal,
}

/// `--optimizer`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum OptimizerChoice {
    /// Gradient descent; with --batch-size full the textbook's
    #[value(alias = "gd")]
    Sgd,
    Momentum,
    Nesterov,
    #[value(alias = "rms-prop")]
    Rmsprop,
    Adam,
    Adamw,
    /// Second order, full batch: for small tables and models without hidden layers
    #[value(alias = "l-bfgs", alias = "bfgs")]
    Lbfgs,
}

/// `--momentum-form`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum MomentumForm {
    /// v := beta v + g
    #[value(alias = "classical")]
    Classic,
    /// v := beta v + (1 - beta) g, the course's form
    #[value(alias = "course")]
    Averaged,
}

/// `--schedule`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum ScheduleChoice {
    Constant,
    /// Times --decay every --decay-every epochs
    Step,
    /// Times --decay every epoch
    #[value(alias = "exp")]
    Exponential,
    /// Half a cosine down to 0, after --warmup epochs
    Cosine,
    /// Up and down again within the run
    #[value(alias = "onecycle", alias = "1cycle")]
    OneCycle,
    /// Times --decay after --decay-every epochs without a better validation
    #[value(alias = "reduce-on-plateau")]
    Plateau,
}

/// `--preset`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum PresetChoice {
    /// Linear, mlp and deep, averaged as the validation rows say
    Auto,
    /// Hidden layers with ReLU
    Mlp,
    /// No hidden layer
    Linear,
    /// Several large networks with embeddings side by side
    Deep,
    /// RealMLP-TD of Holzmueller et al. 2024
    #[value(alias = "realmlp-td")]
    Realmlp,
    /// RealMLP-TD-S of the same: simpler, in half the time
    #[value(alias = "realmlp-td-s")]
    RealmlpS,
    /// TabM of Gorishniy et al. 2024
    Tabm,
    /// The same with fewer parameters for each member, and faster
    TabmMini,
}

impl PresetChoice {
    /// As it is typed.
    pub fn name(self) -> &'static str {
        match self {
            PresetChoice::Auto => "auto",
            PresetChoice::Mlp => "mlp",
            PresetChoice::Linear => "linear",
            PresetChoice::Deep => "deep",
            PresetChoice::Realmlp => "realmlp",
            PresetChoice::RealmlpS => "realmlp-s",
            PresetChoice::Tabm => "tabm",
            PresetChoice::TabmMini => "tabm-mini",
        }
    }
}

/// `--numbers`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum NumbersChoice {
    /// As they are scaled
    Plain,
    /// Places among 48 bins, each with a weight of its own
    #[value(alias = "bins")]
    Ple,
    /// Lines whose bends at the edges of the bins are learned
    #[value(alias = "ple-embedding")]
    Piecewise,
    /// Waves, mixed, and cut at 0
    Plr,
    /// Waves, mixed, beside the number itself
    Pbld,
}

impl NumbersChoice {
    /// As it is typed.
    pub fn name(self) -> &'static str {
        match self {
            NumbersChoice::Plain => "plain",
            NumbersChoice::Ple => "ple",
            NumbersChoice::Piecewise => "piecewise",
            NumbersChoice::Plr => "plr",
            NumbersChoice::Pbld => "pbld",
        }
    }
}

/// `--calibration`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum CalibrationChoice {
    /// Temperature with --preset auto, else none
    Auto,
    /// Probabilities as the network gives them
    None,
    /// One temperature for all logits, learned on the validation rows
    Temperature,
    /// A curve for each class that never falls, learned on the validation rows
    Isotonic,
}

/// `--scale`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum ScaleChoice {
    /// Standard per column; bytes (images) are divided by the largest
    Auto,
    None,
    /// Mean 0, standard deviation 1
    Standard,
    /// Median 0, distance of the quartiles 1
    Robust,
    /// To [0, 1]
    #[value(alias = "min-max")]
    Minmax,
    /// Ranks mapped to a normal distribution
    Quantile,
    /// As robust, bent to stay within ±3
    Smooth,
    /// As quantile, in scikit-learn's form
    Normal,
}

/// `--precision`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum PrecisionChoice {
    #[value(alias = "float32", alias = "single")]
    F32,
    #[value(alias = "float64", alias = "double")]
    F64,
}
