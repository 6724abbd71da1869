//! `wxb explain`.

use serde::Serialize;
use wxb::data::Features;
use wxb::data::target::Target;
use wxb::explain::{Trace, is_traceable, trace};
use wxb::gradcheck::gradcheck;
use wxb::model_file::{Model, Part};
use wxb::ndarray::Array2;
use wxb::step::{Cache, Keep, Mode};
use wxb::{Code, Error, Network, Result};
use wxb_train::Examples;
use wxb_train::model::{Ready, part, target_name};
use wxb_train::prepare;
use wxb_train::read::{Ask, for_model};

use super::contributions::Explained;
use super::formulas::{self, Line, Orientation};
use super::loaded::load_for;
use super::{contributions, integrated};
use crate::args::choice::{ConventionChoice, MethodChoice};
use crate::args::model::ExplainArgs;
use crate::exit::{Exit, Outcome, Written};
use crate::terminal::Terminal;
use crate::terminal::matrix::Matrix;
use crate::terminal::number::{measure, percent, short};

#[derive(Serialize)]
struct Report<'a> {
    schema: &'static str,
    model: &'a str,
    data: &'a str,
    rows: &'a [u32],
    convention: &'static str,
    inputs: Vec<String>,
    loss: Option<f64>,
    steps: Vec<Step<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    after_one_step: Option<AfterStep>,
    #[serde(skip_serializing_if = "Option::is_none")]
    contributions: Option<Explained>,
}

#[derive(Serialize)]
struct Step<'a> {
    name: &'a str,
    formula: &'a str,
    layer: usize,
    values: &'a Matrix,
}

#[derive(Serialize)]
struct AfterStep {
    lr: f64,
    loss: f64,
    gradient_check: f64,
}

/// Prints every quantity of a pass over the chosen rows, or what the columns add to their predictions, or both.
pub fn run(args: &ExplainArgs, terminal: &Terminal) -> Outcome {
    let model = load_for(&args.model, &args.data)?;
    let ask = Ask { needs_target: args.backward, ..Ask::default() };
    let examples = for_model(&args.data, &model, &ask, &args.reading, |warning| terminal.warn(warning))?;
    let rows = chosen_rows(args, &examples)?;
    let work = match args.method {
        _ if !args.contributions => pass,
        MethodChoice::Shapley => contributions::run,
        MethodChoice::IntegratedGradients => integrated::run,
    };
    work(args, &model, (&examples, &rows), terminal)?;
    Ok(Exit::Success)
}

fn pass(
    args: &ExplainArgs,
    model: &Model,
    (examples, rows): (&Examples, &[u32]),
    terminal: &Terminal,
) -> Written {
    let shown = |part: &&Part| is_traceable(part.network.layers());
    let usual = model.parts.iter().find(shown).map(|part| part.name.as_str());
    let part = part(model, args.part.as_deref().or(usual))?;
    let network = part.network.to_f64();
    check_layer(args, &network)?;
    let x = inputs(part, &network, examples, rows)?;
    let y = if args.backward { Some(targets(model, examples, rows)?) } else { None };
    let trace = trace(&network, &x, y.as_ref())
        .map_err(|error| error.hint("--contributions says of any network what the columns add"))?;
    let orientation = match args.convention {
        ConventionChoice::Course => Orientation::Columns,
        ConventionChoice::Rows => Orientation::Rows,
    };
    let lines = formulas::lines(&trace, network.loss(), orientation);
    let lines: Vec<Line> =
        lines.into_iter().filter(|line| args.layer.is_none_or(|l| l == line.layer)).collect();
    let after = y.as_ref().map(|y| one_step(&network, &x, y, args.lr)).transpose()?;
    let contributions = match *rows {
        [row] if !args.asks_for_pass() => contributions::beside_pass(args, model, (examples, row))?,
        _ => None,
    };
    if terminal.is_json() {
        return terminal.json(&Report {
            schema: "wxb.explain/1",
            model: &args.model,
            data: &args.data,
            rows,
            convention: if orientation == Orientation::Columns { "course" } else { "rows" },
            inputs: part.preprocess.as_ref().map_or(vec![], |p| p.input_names()),
            loss: trace.loss,
            steps: lines.iter().map(step).collect(),
            after_one_step: after,
            contributions,
        });
    }
    print(args, (model, part), rows, &trace, &lines, after.as_ref(), terminal)?;
    if let Some(contributions) = &contributions {
        contributions::print_beside_pass(contributions, terminal)?;
    } else if rows.len() > 1 && !args.asks_for_pass() && matches!(examples.features, Features::Table(_)) {
        // Their tables would bury the pass.
        terminal.line("\nwhat each column adds to these predictions: --contributions");
    }
    Ok(())
}

fn step(line: &Line) -> Step<'_> {
    Step { name: &line.name, formula: &line.formula, layer: line.layer, values: &line.values }
}

fn chosen_rows(args: &ExplainArgs, examples: &Examples) -> Result<Vec<u32>> {
    let there = examples.features.rows();
    let rows: Vec<u32> = args.row.iter().flat_map(|range| range.first as u32..=range.last as u32).collect();
    match rows.iter().find(|&&row| row as usize >= there) {
        Some(row) => {
            Err(Error::new(Code::InvalidSetting, format!("--row {row}: {} has {there} rows", examples.name))
                .note(format!("allowed: 0 to {}", there.saturating_sub(1))))
        }
        None => Ok(rows),
    }
}

fn check_layer(args: &ExplainArgs, network: &Network<f64>) -> Result<()> {
    let layers = network.params.slots().len() / 2;
    match args.layer {
        Some(layer) if layer > layers => {
            Err(Error::new(Code::InvalidSetting, format!("--layer {layer}: the network has {layers} layers"))
                .note(format!("allowed: 1 to {layers}")))
        }
        _ => Ok(()),
    }
}

fn inputs(part: &Part, network: &Network<f64>, examples: &Examples, rows: &[u32]) -> Result<Array2<f64>> {
    let bound = Ready::<f64>::new(part.preprocess.as_ref(), examples, network.n_in())?;
    let mut x = vec![0.0; rows.len() * network.n_in()];
    bound.inputs().gather(rows, &mut x);
    Ok(shaped(x, rows.len(), network.n_in()))
}

fn targets(model: &Model, examples: &Examples, rows: &[u32]) -> Result<Array2<f64>> {
    let column = prepare::target(examples).map_err(|error| {
        error.hint(format!(
            "--backward needs the target {:?}; leave it out for the forward pass",
            target_name(model)
        ))
    })?;
    Ok(shaped(model.target.encode(column, rows)?, rows.len(), 1))
}

fn shaped(values: Vec<f64>, rows: usize, columns: usize) -> Array2<f64> {
    Array2::from_shape_vec((rows, columns), values).expect("one number per row and column")
}

/// J after θ ← θ − α dθ, and how well the gradient agrees with central differences.
fn one_step(network: &Network<f64>, x: &Array2<f64>, y: &Array2<f64>, lr: f64) -> Result<AfterStep> {
    // Enough of each tensor to catch a wrong formula.
    const PER_TENSOR: usize = 50;
    let m = x.nrows();
    let mut cache = Cache::new(network, m, Keep::Needed);
    cache.x.iter_mut().zip(x).for_each(|(to, from)| *to = *from);
    cache.y.iter_mut().zip(y).for_each(|(to, from)| *to = *from);
    let checks = gradcheck(network, &mut cache, m, Mode::Predicting, PER_TENSOR, 0);
    let mut moved = network.clone();
    let mut grads = network.params.clone();
    wxb::step::forward(network, &mut cache, m, Mode::Predicting);
    wxb::step::loss(network, &mut cache, m);
    wxb::step::backward(network, &mut cache, m, &mut grads);
    moved.params.flat.iter_mut().zip(&grads.flat).for_each(|(theta, d)| *theta -= lr * d);
    let loss = trace(&moved, x, Some(y))?.loss.unwrap_or(f64::NAN);
    Ok(AfterStep { lr, loss, gradient_check: checks.iter().map(|c| c.relative_error).fold(0.0, f64::max) })
}

fn print(
    args: &ExplainArgs,
    (model, part): (&Model, &Part),
    rows: &[u32],
    trace: &Trace,
    lines: &[Line],
    after: Option<&AfterStep>,
    terminal: &Terminal,
) -> Written {
    let m = rows.len();
    let meaning = match args.convention {
        ConventionChoice::Course => "columns are examples",
        ConventionChoice::Rows => "rows are examples",
    };
    terminal.line(&format!(
        "{} row{} of {}, m = {m}, {meaning}\n",
        m,
        if m == 1 { "" } else { "s" },
        args.data
    ));
    if model.parts.len() > 1 {
        let share = percent(part.weight);
        terminal
            .line(&format!("the network {:?}, whose prediction counts {share} of the model's\n", part.name));
    }
    let names = part.preprocess.as_ref().map_or(vec![], |p| p.input_names());
    terminal.detail(&formulas::input_table(trace, &names));
    let last_forward = lines.iter().rposition(|line| line.is_forward);
    for (i, line) in lines.iter().enumerate() {
        let loss = trace.loss.filter(|_| Some(i) == last_forward);
        terminal.result(&line_text(line, loss, args.full))?;
        if let (true, Target::Number { mean, std, range }) = (Some(i) == last_forward, &model.target)
            && (*mean, *std, *range) != (0.0, 1.0, None)
        {
            terminal.result(&in_units(line, &model.target, (*mean, *std, *range)))?;
        }
    }
    if let (Some(after), Some(before)) = (after, trace.loss) {
        terminal.result(&format!(
            "one step, lr {}: J {before:.9} -> {:.9}     gradient check: relative error {:.1e} (central differences)",
            short(after.lr),
            after.loss,
            after.gradient_check
        ))?;
    }
    Ok(())
}

/// The predictions in the target's unit.
fn in_units(last: &Line, target: &Target, (mean, std, range): (f64, f64, Option<(f64, f64)>)) -> String {
    let values = last.values.map(|a| target.decode(a));
    let within =
        range.map_or(String::new(), |(low, high)| format!(", within {} to {}", measure(low), measure(high)));
    let formula = format!("prediction = {} + {} {}{within}", measure(mean), measure(std), last.name);
    format!("{formula:<41} {:<8} [{}]", last.shape(), values.lines(false).join(" "))
}

/// Formula, shapes and numbers on one line; numbers that are too many for it below, a line per row.
fn line_text(line: &Line, loss: Option<f64>, is_full: bool) -> String {
    // The width of a wide terminal, of which the head takes a third.
    const WIDTH: usize = 110;
    let formula = format!("{} = {}", line.name, line.formula);
    let head = format!("{formula:<21} {:<19} {:<8}", line.shapes, line.shape());
    let numbers = line.values.lines(is_full);
    let one_line = format!("{head} [{}]", numbers.join(" "));
    let mut text = if one_line.chars().count() <= WIDTH || numbers.len() == 1 {
        one_line
    } else {
        format!("{}\n    [{}]", head.trim_end(), numbers.join("\n     "))
    };
    if let Some(loss) = loss {
        text += &format!("      J = {loss:.9}");
    }
    if !line.remark.is_empty() {
        text += &format!("     {}", line.remark);
    }
    text
}
