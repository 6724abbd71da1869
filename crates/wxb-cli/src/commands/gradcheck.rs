//! `wxb gradcheck`.

use serde::Serialize;
use wxb::gradcheck::{TensorCheck, gradcheck};
use wxb::step::{Cache, Keep, Mode};
use wxb_train::model::{part, with_data};
use wxb_train::read::{Ask, for_model};

use super::loaded::load_for;
use crate::args::model::GradcheckArgs;
use crate::exit::{Exit, Outcome};
use crate::terminal::Terminal;
use crate::terminal::number::{counted, grouped};
use crate::terminal::table::Table;

/// Numbers of a tensor that are compared: enough to catch any wrong formula, few enough for a wide layer.
const PER_TENSOR: usize = 200;

#[derive(Serialize)]
struct Report<'a> {
    schema: &'static str,
    model: &'a str,
    data: &'a str,
    rows: usize,
    tolerance: f64,
    passed: bool,
    tensors: Vec<Tensor<'a>>,
}

#[derive(Serialize)]
struct Tensor<'a> {
    name: &'a str,
    compared: usize,
    parameters: usize,
    gradient_norm: f64,
    relative_error: f64,
    worst_index: usize,
    worst_analytic: f64,
    worst_numeric: f64,
}

impl<'a> From<&'a TensorCheck> for Tensor<'a> {
    fn from(check: &'a TensorCheck) -> Self {
        Self {
            name: &check.name,
            compared: check.compared.0,
            parameters: check.compared.1,
            gradient_norm: check.norm,
            relative_error: check.relative_error,
            worst_index: check.worst.0,
            worst_analytic: check.worst.1,
            worst_numeric: check.worst.2,
        }
    }
}

/// Prints a line per tensor; exit code 1 if one is over the tolerance.
pub fn run(args: &GradcheckArgs, terminal: &Terminal) -> Outcome {
    let model = load_for(&args.model, &args.data)?;
    let ask = Ask { needs_target: true, ..Ask::default() };
    let examples = for_model(&args.data, &model, &ask, &args.reading, |warning| terminal.warn(warning))?;
    let part = part(&model, args.part.as_deref())?;
    let network = part.network.to_f64();
    let (rows, checks) = with_data(&network, part, &model, &examples, |data| {
        let rows = &data.rows()[..args.rows.min(data.len())];
        let mut cache = Cache::new(&network, rows.len(), Keep::Needed);
        data.load(rows, &mut cache);
        let mode = Mode::Training { seed: 0, step: 0, dropout: 1.0 };
        Ok((rows.len(), gradcheck(&network, &mut cache, rows.len(), mode, PER_TENSOR, 0)))
    })?;
    // A NaN is over every tolerance.
    let passed = checks.iter().all(|check| check.relative_error <= args.tolerance);
    if terminal.is_json() {
        terminal.json(&Report {
            schema: "wxb.gradcheck/1",
            model: &args.model,
            data: &args.data,
            rows,
            tolerance: args.tolerance,
            passed,
            tensors: checks.iter().map(Tensor::from).collect(),
        })?;
    } else {
        terminal.say("check", &format!("{}, double precision, central differences", counted(rows, "row")));
        terminal.result(&table(&checks, args.tolerance).render(terminal.format()))?;
        let verdict = if passed { "passed" } else { "failed" };
        terminal.result(&format!("\n{verdict}: tolerance {:e}", args.tolerance))?;
    }
    Ok(if passed { Exit::Success } else { Exit::Gate })
}

fn table(checks: &[TensorCheck], tolerance: f64) -> Table {
    let mut table = Table::new(&["tensor", "compared", "of", "|gradient|", "relative error", ""]);
    for check in checks {
        let verdict = if check.relative_error <= tolerance { "ok" } else { "TOO LARGE" };
        table.row([
            check.name.clone(),
            grouped(check.compared.0),
            grouped(check.compared.1),
            format!("{:.3e}", check.norm),
            format!("{:.1e}", check.relative_error),
            verdict.to_owned(),
        ]);
    }
    table
}
