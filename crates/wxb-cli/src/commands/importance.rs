//! `wxb importance`.

use serde::Serialize;
use wxb::data::target::present_rows;
use wxb::importance::{Importance, Shuffles};
use wxb_train::importance::{Measured, measure, sample};
use wxb_train::judge::headline;
use wxb_train::prepare;
use wxb_train::read::{Ask, for_model};
use wxb_train::settings;

use super::loaded::load_for;
use crate::args::model::ImportanceArgs;
use crate::exit::{Exit, Outcome};
use crate::interrupt;
use crate::terminal::number::{counted, measure as number};
use crate::terminal::table::Table;
use crate::terminal::{Terminal, metric_label};

#[derive(Serialize)]
struct Report<'a> {
    schema: &'static str,
    model: &'a str,
    data: &'a str,
    #[serde(flatten)]
    measured: &'a Measured,
}

/// Prints the columns of a model, the most important one first (permutation importance, Breiman 2001).
pub fn run(args: &ImportanceArgs, terminal: &Terminal) -> Outcome {
    interrupt::watch();
    let model = load_for(&args.model, &args.data)?;
    let metric = match &args.metric {
        Some(name) => settings::metric(name, model.loss())?,
        None => headline(model.loss())[0],
    };
    let ask = Ask { needs_target: true, weight: args.weight.as_deref(), keep: &[] };
    let examples = for_model(&args.data, &model, &ask, &args.reading, |warning| terminal.warn(warning))?;
    let rows = present_rows(prepare::target(&examples)?);
    let examples = sample(&examples, rows, args.rows, args.seed)?;
    let shuffles = Shuffles { repeats: args.repeats, seed: args.seed };
    let Some(measured) = measure(&model, &examples, metric, shuffles, &mut interrupt::asked)? else {
        return Ok(Exit::Interrupted);
    };
    if terminal.is_json() {
        let (model, data) = (&args.model, &args.data);
        terminal.json(&Report { schema: "wxb.importance/1", model, data, measured: &measured })?;
        return Ok(Exit::Success);
    }
    let repeats = measured.repeats;
    let said =
        format!("{}  {}, each column shuffled {repeats} times", args.data, counted(measured.rows, "row"));
    terminal.say("data", &said);
    terminal.say(&metric_label(metric), &format!("{} with all columns as they are", number(measured.value)));
    terminal.result(&importance_table(&measured).render(terminal.format()))?;
    Ok(Exit::Success)
}

/// `262 rows, each column shuffled 5 times`.
pub fn looked_at(measured: &Measured, noun: &str) -> String {
    let times = if measured.repeats == 1 { "once".to_owned() } else { format!("{} times", measured.repeats) };
    format!("{}, each column shuffled {times}", counted(measured.rows, noun))
}

/// A column a line, with a bar.
pub fn importance_table(measured: &Measured) -> Table {
    /// Blocks of the longest bar.
    const WIDTH: f64 = 30.0;
    let change = if measured.metric.higher_is_better() { "falls by" } else { "rises by" };
    let label = format!("{} {change}", metric_label(measured.metric));
    // One shuffle has no deviation.
    let with_std = measured.repeats > 1;
    let headings = ["column", &label, if with_std { "+-" } else { " " }, " "];
    let mut table = Table::new(&headings[..if with_std { 4 } else { 3 }]);
    let largest = measured.columns.first().map_or(0.0, |column| column.mean);
    for Importance { column, mean, std } in &measured.columns {
        let blocks = if largest > 0.0 { (WIDTH * mean / largest).round().max(0.0) } else { 0.0 };
        let deviation = with_std.then(|| number(*std));
        let cells = [column.clone(), number(*mean)].into_iter().chain(deviation);
        table.row(cells.chain(["█".repeat(blocks as usize)]));
    }
    table
}
