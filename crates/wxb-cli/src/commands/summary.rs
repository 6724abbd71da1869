//! The lines around a training: data, target, split, model before it; how it stopped after it.

use serde::Serialize;
use wxb::data::Column;
use wxb::data::target::{Target, Task};
use wxb::health::{LayerHealth, Verdict};
use wxb::metrics::Metric;
use wxb::trainer::{BatchSize, Stop, TrainConfig};
use wxb::{Ensemble, Heads, Layer, Loss, Network, Optimizer, Own, OwnLayer, Real};
use wxb_train::judge::{headline, sentence};
use wxb_train::prepare::Held;
use wxb_train::train::Settled;
use wxb_train::{News, Plan, Problem, Trained, memory, recipe, record};

use crate::args::choice::OutputFormat;
use crate::args::value::Valid;
use crate::exit::{Exit, Outcome};
use crate::terminal::Terminal;
use crate::terminal::number::{bytes, counted, duration, grouped, measure, percent, short};
use crate::terminal::table::Table;

/// What is said of a training, from what the training tells.
pub fn news<T: Real>(news: &News<'_, T>, terminal: &Terminal) {
    match news {
        News::Data(problem) => terminal.say("data", &table(problem)),
        News::Remark(note) => terminal.detail(&format!("          {note}")),
        News::Task(problem) => {
            terminal.say("target", &target(problem));
            terminal.say("split", &split(problem));
        }
        News::Beside { candidate, took } => {
            let scores = sentence(&candidate.scores(), headline(candidate.network.loss()));
            terminal.say(candidate.name, &format!("{scores}   ({})", duration(*took)));
        }
        News::Plan { problem, plan, network } => {
            let is_alone = problem.beside().is_empty();
            let label = if is_alone { "model" } else { recipe::preset(&plan.args).name() };
            terminal.say(label, &model(network));
            terminal.say("training", &training(&plan.config));
        }
        News::Training { .. } => {}
    }
}

fn table(problem: &Problem) -> String {
    let features = &problem.prepared.examples.features;
    let columns = features.columns() + usize::from(problem.prepared.examples.weights.is_some());
    // The target was a column of the table, too.
    let columns = columns + usize::from(matches!(features, wxb::data::Features::Table(_)));
    let mut text = format!(
        "{}  {} x {}  ({})",
        problem.prepared.examples.name,
        counted(features.rows(), "row"),
        counted(columns, "column"),
        problem.fitted.preprocessor.summary()
    );
    if problem.prepared.without_target > 0 {
        text += &format!("\n{} without a target left out", counted(problem.prepared.without_target, "row"));
    }
    text
}

fn target(problem: &Problem) -> String {
    let name = problem.args.columns.target.as_deref().unwrap_or(wxb_train::read::ARRAY_TARGET);
    let (target, loss) = (&problem.fitted.target, &problem.prepared.loss);
    match target {
        Target::Classes { .. } => {
            format!("{name}  {}   -> {}, {}", shares(problem), target.task().name(), loss_name(loss))
        }
        Target::Number { mean, std, .. } => {
            let (mean, std) = match &problem.prepared.examples.target {
                Some(Column::Number(values)) if *loss == Loss::Poisson => {
                    moments(values, &problem.parts.train)
                }
                _ => (*mean, *std),
            };
            format!(
                "{name}  mean {}  std {}   -> regression, {}",
                measure(mean),
                measure(std),
                loss_name(loss)
            )
        }
    }
}

fn moments(values: &[f64], rows: &[u32]) -> (f64, f64) {
    let moments = wxb::preprocess::Moments::of(rows.iter().map(|&row| values[row as usize]));
    (moments.mean, moments.std)
}

/// `no 73.5 %  yes 26.5 %`, the largest first, six at most.
fn shares(problem: &Problem) -> String {
    const SHOWN: usize = 6;
    let choice = &problem.prepared.choice;
    let total: u32 = choice.class_rows.iter().sum();
    let mut classes: Vec<_> = choice.target.labels().iter().zip(&choice.class_rows).collect();
    classes.sort_by(|a, b| b.1.cmp(a.1));
    let share = |rows: u32| percent(f64::from(rows) / f64::from(total));
    let shown: Vec<String> =
        classes.iter().take(SHOWN).map(|(label, rows)| format!("{label} {}", share(**rows))).collect();
    let rest =
        if classes.len() > SHOWN { format!("  and {} more", classes.len() - SHOWN) } else { String::new() };
    shown.join("  ") + &rest
}

/// The loss with its link, in words.
pub fn loss_name(loss: &Loss) -> String {
    match loss {
        Loss::BinaryCrossEntropy { .. } => "sigmoid + cross-entropy".into(),
        Loss::CrossEntropy { .. } => "softmax + cross-entropy".into(),
        Loss::Poisson => "exp + Poisson".into(),
        Loss::Huber { delta } => format!("Huber (delta {})", short(*delta)),
        Loss::Quantile { levels } => {
            format!("quantiles {}", levels.iter().map(|&l| short(l)).collect::<Vec<_>>().join(", "))
        }
        other => other.name().replace('_', " "),
    }
}

fn split(problem: &Problem) -> String {
    let train = grouped(problem.parts.train.len());
    let stratified = if problem.fitted.target.task() == Task::Regression { "random" } else { "stratified" };
    match (&problem.parts.valid, &problem.args.validation.valid) {
        (Held::None, _) => format!("{train} train, none held out"),
        (Held::Folds(folds), _) => format!(
            "{train} in {} folds ({stratified}, seed {}): each network leaves one out and is validated on it",
            folds.members(),
            problem.args.training.seed
        ),
        (Held::Apart(examples), Some(Valid::File(file))) => {
            format!("{train} train / {} valid ({file})", grouped(examples.features.rows()))
        }
        (Held::Apart(examples), _) => format!("{train} train / {} valid", grouped(examples.features.rows())),
        (Held::Rows(rows), _) => {
            format!(
                "{train} train / {} valid ({stratified}, seed {})",
                grouped(rows.len()),
                problem.args.training.seed
            )
        }
    }
}

/// `46 -> relu 64 -> relu 32 -> sigmoid 1     5,121 parameters`
pub fn model<T: Real>(network: &Network<T>) -> String {
    let mut dense = vec![];
    for layer in network.layers() {
        match *layer {
            Layer::Dense { n_out, activation, .. } | Layer::Ensemble(Ensemble { n_out, activation, .. }) => {
                dense.push((activation.name(), n_out));
            }
            Layer::Heads(Heads { n_out, .. }) => dense.push(("identity", n_out)),
            Layer::Own(Own { layer: OwnLayer::Dense { n_out, activation, .. }, .. }) => {
                dense.push((activation.name(), n_out));
            }
            Layer::Blend { activation, .. }
            | Layer::BatchNorm { activation, .. }
            | Layer::Own(Own { layer: OwnLayer::Blend { activation, .. }, .. }) => {
                if let Some((name, _)) = dense.last_mut() {
                    *name = activation.name();
                }
            }
            _ => {}
        }
    }
    let mut parts = vec![network.n_in().to_string()];
    parts.extend(network.layers().first().and_then(numbers_name).map(str::to_owned));
    if network.members() > 1 {
        parts.push(format!("{} members", network.members()));
    }
    for (i, (activation, n_out)) in dense.iter().enumerate() {
        let name = if i + 1 == dense.len() { network.loss().link() } else { activation };
        parts.push(if name == "identity" { n_out.to_string() } else { format!("{name} {n_out}") });
    }
    let has = |is: fn(&Layer) -> bool, name| if network.layers().iter().any(is) { name } else { "" };
    let batch_norm = has(|layer| matches!(layer, Layer::BatchNorm { .. }), "  batch norm");
    let residual = has(|layer| matches!(layer, Layer::Residual { .. }), "  residual");
    let precision = if T::NAME == "f64" { "  f64" } else { "" };
    let parameters = counted(network.n_params(), "parameter");
    format!("{}     {parameters}{batch_norm}{residual}{precision}", parts.join(" -> "))
}

/// What becomes of numbers in front of an mlp, as `--numbers` says it.
fn numbers_name(layer: &Layer) -> Option<&'static str> {
    match layer {
        Layer::Bins(_) => Some("ple"),
        Layer::Piecewise(_) => Some("piecewise"),
        Layer::Plr(_) => Some("plr"),
        _ => None,
    }
}

fn training(config: &TrainConfig) -> String {
    let epochs = counted(config.epochs as usize, "epoch");
    let patience = config.patience.map_or(String::new(), |p| format!(", patience {p}"));
    if let Optimizer::Lbfgs(_) = config.optimizer {
        return format!("lbfgs  full batch  at most {epochs}{patience}");
    }
    let batch = match config.batch_size {
        BatchSize::Full => "full batch".to_owned(),
        BatchSize::Rows(n) => format!("batch {}", grouped(n)),
    };
    let schedule = match config.schedule {
        wxb::Schedule::Constant => String::new(),
        other => format!(" ({})", other.name().replace('_', "-")),
    };
    format!(
        "{}  lr {}{schedule}  {batch}  at most {epochs}{patience}",
        config.optimizer.name(),
        short(config.lr)
    )
}

/// What --dry-run says more.
pub fn dry_run<T: Real>(problem: &Problem, settled: &Settled<T>, terminal: &Terminal) -> Outcome {
    let Settled { plan, network } = settled;
    let batch = plan.config.batch_rows(problem.parts.rows_of_a_network());
    let needed = memory::estimate(network.layers(), plan.config.optimizer, batch, size_of::<T>());
    if terminal.is_json() {
        terminal.json(&DryRun {
            schema: "wxb.dry_run/1",
            setup: setup(problem, plan, network),
            memory_bytes: needed,
        })?;
    } else {
        for slot in network.params.slots() {
            terminal.result(&format!("{:<9} {} x {}", slot.name, slot.rows, slot.columns))?;
        }
        terminal.labelled_result("memory", &format!("about {} beside the data", bytes(needed)))?;
    }
    Ok(Exit::Success)
}

#[derive(Serialize)]
struct DryRun<'a> {
    schema: &'static str,
    #[serde(flatten)]
    setup: Setup<'a>,
    memory_bytes: u64,
}

/// Data, target, network and settings as an object.
#[derive(Serialize)]
pub struct Setup<'a> {
    data: &'a str,
    rows: usize,
    features: usize,
    inputs: usize,
    target: &'a str,
    task: &'static str,
    classes: Vec<String>,
    layers: Vec<usize>,
    parameters: usize,
    precision: &'static str,
    loss: &'a Loss,
    config: &'a TrainConfig,
}

/// The body of the event `setup`.
pub fn setup<'a, T: Real>(problem: &'a Problem, plan: &'a Plan, network: &'a Network<T>) -> Setup<'a> {
    let preprocessor = &problem.fitted.preprocessor;
    Setup {
        data: &problem.prepared.examples.name,
        rows: problem.prepared.rows.len(),
        features: preprocessor.features(),
        inputs: preprocessor.width(),
        target: problem.args.columns.target.as_deref().unwrap_or(wxb_train::read::ARRAY_TARGET),
        task: problem.fitted.target.task().name(),
        classes: problem.fitted.target.labels().iter().map(ToString::to_string).collect(),
        layers: network.sizes(),
        parameters: network.n_params(),
        precision: T::NAME,
        loss: &problem.prepared.loss,
        config: &plan.config,
    }
}

/// Why it stopped, and which weights are kept.
pub fn stopped(trained: &Trained) -> String {
    let Trained { stop, epochs, best_epoch, history, .. } = trained;
    let config = &trained.plan.config;
    let has_valid = history.last().is_some_and(|epoch| epoch.valid_loss.is_some());
    let kept = match best_epoch {
        _ if !has_valid => String::new(),
        epoch => format!("; best weights restored (epoch {epoch})"),
    };
    let watched = format!("valid.{}", record::watched(config, history).map_or("loss", Metric::name));
    match stop {
        Stop::Epochs => format!("the limit of {} is reached{kept}", counted(*epochs as usize, "epoch")),
        Stop::Early { patience } => {
            format!("no better {watched} for {}{kept}", counted(*patience as usize, "epoch"))
        }
        Stop::Converged { reason } => {
            format!("converged after {}: {reason}{kept}", counted(*epochs as usize, "epoch"))
        }
        Stop::TimeIsUp => match cut(trained) {
            Some((steps, of)) => {
                format!("the time is up after {} of the {of} of an epoch", counted(steps, "step"))
            }
            None => format!("the time is up in epoch {}{kept}", epochs + 1),
        },
        Stop::Interrupted => format!("interrupted in epoch {}{kept}", epochs + 1),
        Stop::Diverged(at) => format!("diverged in epoch {}{kept}", at.epoch),
    }
}

/// The steps of an only epoch that there was no time for all of, and how many it has.
fn cut(trained: &Trained) -> Option<(usize, u64)> {
    let rows = trained.problem.parts.rows_of_a_network();
    let of = trained.plan.config.steps_per_epoch(rows);
    match &trained.history[..] {
        [only] if only.step < of => Some((only.step as usize, of)),
        _ => None,
    }
}

/// One line per finding, or that there is none; with -v a table.
pub fn health(layers: &[LayerHealth], terminal: &Terminal) {
    terminal.detail(&format!("\n{}\n", health_table(layers).render(OutputFormat::Text)));
    let findings: Vec<String> = layers
        .iter()
        .filter(|layer| layer.verdict != Verdict::Healthy)
        .map(|layer| {
            let name = format!("layer {} ({} {})", layer.layer, layer.activation, layer.shape.1);
            format!("{name}: {}{}\n  {}", layer.verdict.name(), numbers(layer), layer.verdict.remedy())
        })
        .collect();
    if findings.is_empty() {
        let dead: usize = layers.iter().filter_map(|layer| layer.dead).sum();
        let units: usize =
            layers.iter().filter(|layer| layer.dead.is_some()).map(|layer| layer.shape.1).sum();
        let remark =
            if dead > 0 { format!("   ({dead} of {units} units never active)") } else { String::new() };
        terminal.say("health", &format!("no problems found{remark}"));
    } else {
        terminal.say("health", &findings.join("\n"));
    }
}

/// What led to the verdict.
fn numbers(layer: &LayerHealth) -> String {
    match layer.verdict {
        Verdict::Symmetric => {
            format!(", all {} units identical; `wxb help symmetry` explains", layer.shape.1)
        }
        Verdict::ManyDead => format!(", {} of {} never active", layer.dead.unwrap_or(0), layer.shape.1),
        Verdict::Saturated => format!(", {} of its outputs", percent(layer.saturated.unwrap_or(0.0))),
        Verdict::VanishingGradient => format!(", |dW| is {:.1e}", layer.gradient_norm),
        Verdict::LargeUpdates => format!(", |update| / |W| is {}", short(layer.update_ratio)),
        Verdict::Healthy => String::new(),
    }
}

fn health_table(layers: &[LayerHealth]) -> Table {
    let headings = ["layer", "", "shape", "mean |A|", "dead", "saturated", "|dW|", "|update|/|W|", "verdict"];
    let mut table = Table::new(&headings);
    for layer in layers {
        table.row([
            layer.layer.to_string(),
            layer.activation.clone(),
            format!("{} x {}", layer.shape.0, layer.shape.1),
            measure(layer.mean_activation),
            layer.dead.map_or("-".into(), |dead| percent(dead as f64 / layer.shape.1 as f64)),
            layer.saturated.map_or("-".into(), percent),
            format!("{:.1e}", layer.gradient_norm),
            format!("{:.1e}", layer.update_ratio),
            layer.verdict.name().to_owned(),
        ]);
    }
    table
}
