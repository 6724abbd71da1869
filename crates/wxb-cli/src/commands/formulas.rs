//! The quantities of a pass with their formulas, in the course's orientation or in that of the code.

use wxb::explain::{LayerTrace, Trace};
use wxb::ndarray::{Array1, Array2};
use wxb::{Activation, Loss};

use crate::args::choice::OutputFormat;
use crate::terminal::matrix::Matrix;
use crate::terminal::number::measure;
use crate::terminal::table::Table;

/// Which way an example lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Orientation {
    /// Z = W A + b; dZ without the factor 1/m, which dW and db hold.
    Columns,
    /// Z = A W + b; the factor 1/m is in dZ.
    Rows,
}

/// One quantity.
pub struct Line {
    pub name: String,
    pub formula: String,
    /// The shapes that go in: `(2,2)(2,4)+(2,1) ->`.
    pub shapes: String,
    pub values: Matrix,
    pub remark: String,
    /// The layer it belongs to, from 1.
    pub layer: usize,
    pub is_forward: bool,
}

impl Line {
    /// `(2,4)`.
    pub fn shape(&self) -> String {
        shape(self.values.shape())
    }
}

fn shape((rows, columns): (usize, usize)) -> String {
    format!("({rows},{columns})")
}

/// Every quantity in the order of its computation.
pub fn lines(trace: &Trace, loss: &Loss, orientation: Orientation) -> Vec<Line> {
    let says = Says { trace, loss, orientation };
    let forward = trace.layers.iter().flat_map(|layer| says.forward(layer));
    let backward = trace.layers.iter().rev().flat_map(|layer| says.backward(layer));
    forward.chain(backward).collect()
}

struct Says<'a> {
    trace: &'a Trace,
    loss: &'a Loss,
    orientation: Orientation,
}

impl Says<'_> {
    /// A quantity with one row per example, turned as the reader wants it.
    fn turned(&self, per_example: &Array2<f64>, factor: f64) -> Matrix {
        let scaled = per_example.mapv(|v| v * factor);
        Matrix::new(if self.is_columns() { scaled.reversed_axes() } else { scaled })
    }

    fn vector(&self, b: &Array1<f64>) -> Matrix {
        let row = b.clone().insert_axis(wxb::ndarray::Axis(0));
        Matrix::new(if self.is_columns() { row.reversed_axes() } else { row })
    }

    fn is_columns(&self) -> bool {
        self.orientation == Orientation::Columns
    }

    fn forward(&self, layer: &LayerTrace) -> [Line; 2] {
        let (l, m) = (layer.number, layer.z.nrows());
        let (n_in, n_out) = layer.w.dim();
        let before = self.input_name(l);
        let (formula, shapes) = if self.is_columns() {
            (format!("W{l} {before} + b{l}"), format!("({n_out},{n_in})({n_in},{m})+({n_out},1) ->"))
        } else {
            (format!("{before} W{l} + b{l}"), format!("({m},{n_in})({n_in},{n_out})+(1,{n_out}) ->"))
        };
        let z =
            Line { shapes, ..self.line(format!("Z{l}"), formula, self.turned(&layer.z, 1.0), layer, true) };
        let g = layer.activation.map_or(self.loss.link(), Activation::name);
        let formula = if g == "identity" { format!("Z{l}") } else { format!("{g}(Z{l})") };
        [z, self.line(format!("A{l}"), formula, self.turned(&layer.a, 1.0), layer, true)]
    }

    fn line(
        &self,
        name: String,
        formula: String,
        values: Matrix,
        layer: &LayerTrace,
        is_forward: bool,
    ) -> Line {
        Line {
            name,
            formula,
            shapes: String::new(),
            values,
            remark: String::new(),
            layer: layer.number,
            is_forward,
        }
    }

    fn input_name(&self, l: usize) -> String {
        if l == 1 { "X".into() } else { format!("A{}", l - 1) }
    }

    /// dA, dZ, dW, db of a layer.
    fn backward(&self, layer: &LayerTrace) -> Vec<Line> {
        let Some(gradients) = &layer.backward else { return vec![] };
        let (l, m) = (layer.number, layer.z.nrows());
        let (n_in, n_out) = layer.w.dim();
        // In the course's orientation dZ and dA are without the factor 1/m.
        let factor = if self.is_columns() { m as f64 } else { 1.0 };
        let mut lines = vec![];
        if let (Some(da), Some(above)) = (&gradients.da, self.trace.layers.get(l)) {
            lines.push(self.da(layer, da, above, factor));
        }
        let formula = match layer.activation {
            Some(g) => format!("dA{l} * {}", slope(g, l)),
            None => self.dz_of_loss(l),
        };
        let dz = self.line(format!("dZ{l}"), formula, self.turned(&gradients.dz, factor), layer, false);
        let elementwise = if layer.activation.is_some() { "  elementwise" } else { "" };
        lines.push(Line { shapes: elementwise.into(), ..dz });
        let before = self.input_name(l);
        let (formula, shapes, w) = if self.is_columns() {
            let shapes = format!("({n_out},{m})({m},{n_in}) ->");
            (format!("dZ{l} {before}^T / m"), shapes, gradients.dw.clone().reversed_axes())
        } else {
            (format!("{before}^T dZ{l}"), format!("({n_in},{m})({m},{n_out}) ->"), gradients.dw.clone())
        };
        let dw = self.line(format!("dW{l}"), formula, Matrix::new(w), layer, false);
        let is_last = layer.activation.is_none();
        let remark = if is_last { format!("= shape of W{l}") } else { String::new() };
        lines.push(Line { shapes, remark, ..dw });
        let formula = if self.is_columns() { format!("mean(dZ{l})") } else { format!("sum(dZ{l})") };
        lines.push(self.line(format!("db{l}"), formula, self.vector(&gradients.db), layer, false));
        lines
    }

    fn da(&self, layer: &LayerTrace, da: &Array2<f64>, above: &LayerTrace, factor: f64) -> Line {
        let (l, k, m) = (layer.number, above.number, layer.z.nrows());
        let (n, n_above) = above.w.dim();
        let (formula, shapes) = if self.is_columns() {
            (format!("W{k}^T dZ{k}"), format!("({n},{n_above})({n_above},{m}) ->"))
        } else {
            (format!("dZ{k} W{k}^T"), format!("({m},{n_above})({n_above},{n}) ->"))
        };
        Line { shapes, ..self.line(format!("dA{l}"), formula, self.turned(da, factor), layer, false) }
    }

    /// ∂loss/∂Z of the last layer.
    fn dz_of_loss(&self, l: usize) -> String {
        let difference = match self.loss {
            Loss::BinaryCrossEntropy { label_smoothing: s } if *s > 0.0 => format!("A{l} - Y smoothed"),
            Loss::CrossEntropy { label_smoothing: s } if *s > 0.0 => format!("A{l} - Y smoothed"),
            Loss::CrossEntropy { .. } => format!("A{l} - onehot(Y)"),
            Loss::AbsoluteError => format!("sign(A{l} - Y)"),
            Loss::Huber { delta } => format!("clip(A{l} - Y, {delta})"),
            Loss::Quantile { .. } => "-(tau - (Y < A))".into(),
            _ => format!("A{l} - Y"),
        };
        if self.is_columns() { difference } else { format!("({difference}) / m") }
    }
}

/// g'(Z) as it is computed.
fn slope(g: Activation, l: usize) -> String {
    match g {
        Activation::Tanh => format!("(1 - A{l}^2)"),
        Activation::Sigmoid => format!("A{l} * (1 - A{l})"),
        Activation::Relu => format!("(Z{l} > 0)"),
        Activation::Identity => "1".into(),
        other => format!("{}'(Z{l})", other.name()),
    }
}

/// X by its names, one input per line.
pub fn input_table(trace: &Trace, names: &[String]) -> String {
    let headings: Vec<String> = (0..trace.x.nrows()).map(|i| format!("row {i}")).collect();
    let headings: Vec<&str> = ["input"].into_iter().chain(headings.iter().map(String::as_str)).collect();
    let mut table = Table::new(&headings);
    for (j, column) in trace.x.columns().into_iter().enumerate() {
        let name = names.get(j).cloned().unwrap_or_else(|| format!("x{j}"));
        table.row([name].into_iter().chain(column.iter().map(|&v| measure(v))));
    }
    format!("{}\n", table.render(OutputFormat::Text))
}
