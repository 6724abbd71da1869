//! What the founding notes use of NumPy, on [`ndarray`].
//!
//! `ndarray` does most of it; here is only what it lacks, or where it panics and NumPy raises: those
//! functions return an [`Error`]. Axes count from 0, and from the end if negative: −1 is the last.
//!
//! | NumPy | Rust |
//! | --- | --- |
//! | `np.zeros((x, y))`, `np.ones((x, y))` | `Array2::zeros((x, y))`, `Array2::ones((x, y))` |
//! | `np.random.randn(x, y) * 0.01` | [`randn`]`((x, y), rng) * 0.01` |
//! | `x.shape`, `x.T` | `x.shape()`, `x.t()` |
//! | `x.reshape(a, b)` | [`reshape`]`(&x, (a, b))?` |
//! | `np.sum(x)` | `x.sum()` |
//! | `np.sum(x, axis=0)`, with `keepdims=True` | [`sum`]`(&x, 0)?`, [`sum_keepdims`]`(&x, 0)?` |
//! | `np.mean(x, axis=1)`, with `keepdims=True` | [`mean`]`(&x, 1)?`, [`mean_keepdims`]`(&x, 1)?` |
//! | `np.dot(x, y)`, `x @ y` | [`dot`]`(&x, &y)?` |
//! | `np.outer(x, y)` | [`outer`]`(&x, &y)` |
//! | `np.multiply(x, y)`, `x * y` | [`multiply`]`(&x, &y)?`, or `&x * &y`, which panics on unequal shapes |
//! | `np.power(x, y)` | [`power`]`(&x, &y)?`; with one number `x.powf(3.0)` |
//! | `np.exp(x)` | `x.exp()` |
//! | `np.squeeze(x)`, with `axis=0` | [`squeeze`]`(&x)`, [`squeeze_axis`]`(&x, 0)?` |
//! | `np.linalg.norm(x, axis=1)`, with `keepdims=True` | [`norm`]`(&x, 1)?`, [`norm_keepdims`]`(&x, 1)?` |
//! | the notes' `normalizeRows(x)`, `softmax(x)` | [`normalize_rows`]`(&x)`, [`softmax`]`(&x, 1)?` |
//!
//! The calls that `ndarray` has itself, each with what NumPy prints for the line in the comment:
//!
//! ```
//! use wxb::ndarray::{Array2, array};
//!
//! let a: Array2<f64> = Array2::zeros((2, 3)); // np.zeros((2, 3)): the shape is ONE tuple
//! assert_eq!(a, array![[0.0, 0.0, 0.0], [0.0, 0.0, 0.0]]);
//! let b: Array2<f64> = Array2::ones((2, 2)); // np.ones((2, 2))
//! assert_eq!(b, array![[1.0, 1.0], [1.0, 1.0]]);
//!
//! let x = array![[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]];
//! assert_eq!(x.t(), array![[1.0, 4.0], [2.0, 5.0], [3.0, 6.0]]); // x.T
//! assert_eq!(x.shape(), [2, 3]); // x.shape: a matrix
//! assert_eq!(x.row(0).shape(), [3]); // x[0].shape is (3,): a rank-1 array
//! assert_eq!(x.row(0).t().shape(), [3]); // whose .T is itself
//! assert_eq!(x.sum(), 21.0); // np.sum(x)
//! assert_eq!(x.powf(2.0), array![[1.0, 4.0, 9.0], [16.0, 25.0, 36.0]]); // x ** 2
//! assert_eq!(array![0.0_f64, 1.0].exp(), array![1.0, 2.718281828459045]); // np.exp([0, 1])
//! assert_eq!(&x * &array![[2.0], [10.0]], array![[2.0, 4.0, 6.0], [40.0, 50.0, 60.0]]); // x * [[2], [10]]
//! ```

use ndarray::linalg::Dot;
use ndarray::{
    Array, Array2, ArrayD, ArrayRef, ArrayRef2, ArrayView1, Axis, CowArray, DimMax, Dimension, IxDyn,
    NdFloat, Order, RemoveAxis, ShapeBuilder, Zip,
};
use rand_core::Rng;
use rand_distr::{Distribution, StandardNormal};

use crate::error::{Code, Error, Result};

/// `np.random.randn`: numbers from the normal distribution of mean 0 and deviation 1. The stream is the
/// caller's ([`rng::stream`](crate::rng::stream)); there is no global generator to seed.
///
/// ```
/// use wxb::{array::randn, ndarray::Array2, rng};
/// let mut rng = rng::stream(1, rng::Purpose::Init, 0);
/// let w: Array2<f64> = randn((4, 3), &mut rng) * 0.01; // np.random.randn(4, 3) * 0.01
/// assert_eq!(w.shape(), [4, 3]);
/// assert!(w.iter().all(|w| w.abs() < 0.05));
/// ```
pub fn randn<T, Sh>(shape: Sh, rng: &mut impl Rng) -> Array<T, Sh::Dim>
where
    Sh: ShapeBuilder,
    StandardNormal: Distribution<T>,
{
    Array::from_shape_simple_fn(shape, || StandardNormal.sample(rng))
}

/// `x.reshape(shape)`: the same elements, in row-major order (the last index runs fastest), in another shape.
/// Copies only if `x` is not stored in that order.
///
/// ```
/// use wxb::{array::reshape, ndarray::array};
/// let x = array![[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]];
/// assert_eq!(reshape(&x, (3, 2))?, array![[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]]);
/// assert_eq!(reshape(&x.t(), (2, 3))?, array![[1.0, 4.0, 2.0], [5.0, 3.0, 6.0]]);
/// assert!(reshape(&x, (4, 2)).is_err()); // the number of elements must stay
/// # wxb::Result::Ok(())
/// ```
///
/// # Errors
/// [`Code::ShapeMismatch`] if the new shape has another number of elements.
pub fn reshape<T: Clone, D: Dimension, Sh>(x: &ArrayRef<T, D>, shape: Sh) -> Result<CowArray<'_, T, Sh::Dim>>
where
    Sh: ndarray::IntoDimension,
{
    let shape = shape.into_dimension();
    x.to_shape((shape.clone(), Order::RowMajor)).map_err(|_| {
        mismatch(format!("an array of shape {:?} cannot take the shape {:?}", x.shape(), shape.slice()))
            .note(format!("it has {} elements", x.len()))
    })
}

/// `np.sum(x, axis)`: axis 0 adds down each column, axis 1 along each row. The axis is gone from the result.
///
/// ```
/// use wxb::{array::sum, ndarray::array};
/// let x = array![[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]];
/// assert_eq!(sum(&x, 0)?, array![5.0, 7.0, 9.0]);
/// assert_eq!(sum(&x, 1)?, array![6.0, 15.0]);
/// assert_eq!(sum(&x, -1)?, array![6.0, 15.0]);
/// assert!(sum(&x, 2).is_err());
/// # wxb::Result::Ok(())
/// ```
///
/// # Errors
/// [`Code::ShapeMismatch`] if `x` has no such axis.
pub fn sum<T: NdFloat, D: RemoveAxis>(x: &ArrayRef<T, D>, axis: isize) -> Result<Array<T, D::Smaller>> {
    Ok(x.sum_axis(axis_of(x, axis)?))
}

/// `np.sum(x, axis, keepdims=True)`: as [`sum`], but the axis stays, with length 1. With one example per
/// column, `sum_keepdims(&dz, 1)` is the bias gradient of the notes (before the 1/m): one number per unit.
///
/// ```
/// use wxb::{array::sum_keepdims, ndarray::array};
/// let x = array![[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]];
/// assert_eq!(sum_keepdims(&x, 0)?, array![[5.0, 7.0, 9.0]]);
/// assert_eq!(sum_keepdims(&x, 1)?, array![[6.0], [15.0]]);
/// # wxb::Result::Ok(())
/// ```
///
/// # Errors
/// As [`sum`].
pub fn sum_keepdims<T: NdFloat, D: RemoveAxis>(x: &ArrayRef<T, D>, axis: isize) -> Result<Array<T, D>> {
    let axis = axis_of(x, axis)?;
    Ok(keep(x.sum_axis(axis), axis))
}

/// `np.mean(x, axis)`. Over an axis of length 0 the mean is NaN, as in NumPy.
///
/// ```
/// use wxb::{array::mean, ndarray::array};
/// let x = array![[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]];
/// assert_eq!(mean(&x, 0)?, array![2.5, 3.5, 4.5]);
/// assert_eq!(mean(&x, 1)?, array![2.0, 5.0]);
/// # wxb::Result::Ok(())
/// ```
///
/// # Errors
/// As [`sum`].
pub fn mean<T: NdFloat, D: RemoveAxis>(x: &ArrayRef<T, D>, axis: isize) -> Result<Array<T, D::Smaller>> {
    let axis = axis_of(x, axis)?;
    let count = T::from(x.len_of(axis)).expect("a length is a number of either precision");
    Ok(x.sum_axis(axis) / count)
}

/// `np.mean(x, axis, keepdims=True)`.
///
/// ```
/// use wxb::{array::mean_keepdims, ndarray::array};
/// let x = array![[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]];
/// assert_eq!(mean_keepdims(&x, 0)?, array![[2.5, 3.5, 4.5]]);
/// assert_eq!(mean_keepdims(&x, 1)?, array![[2.0], [5.0]]);
/// # wxb::Result::Ok(())
/// ```
///
/// # Errors
/// As [`sum`].
pub fn mean_keepdims<T: NdFloat, D: RemoveAxis>(x: &ArrayRef<T, D>, axis: isize) -> Result<Array<T, D>> {
    Ok(keep(mean(x, axis)?, axis_of(x, axis)?))
}

/// `np.dot(x, y)`, `x @ y`: of two rank-1 arrays the inner product, a number; of two matrices the matrix
/// product; of a matrix and a rank-1 array the product with it as column (right) or row (left).
///
/// ```
/// use wxb::{array::dot, ndarray::array};
/// let (x, y) = (array![1.0, 2.0, 3.0], array![4.0, 5.0, 6.0]);
/// assert_eq!(dot(&x, &y)?, 32.0);
///
/// let w = array![[1.0, 2.0], [3.0, 4.0]];
/// assert_eq!(dot(&w, &array![[5.0, 6.0, 7.0], [8.0, 9.0, 10.0]])?, array![[21.0, 24.0, 27.0], [47.0, 54.0, 61.0]]);
/// assert_eq!(dot(&w, &array![1.0, 10.0])?, array![21.0, 43.0]);
///
/// let error = dot(&w, &x).unwrap_err();
/// assert_eq!(error.message(), "shapes [2, 2] and [3] do not fit a product");
/// # wxb::Result::Ok(())
/// ```
///
/// # Errors
/// [`Code::ShapeMismatch`] if the last axis of `x` is not as long as the first of `y`.
pub fn dot<T, D1, D2>(x: &ArrayRef<T, D1>, y: &ArrayRef<T, D2>) -> Result<Product<T, D1, D2>>
where
    ArrayRef<T, D1>: Dot<ArrayRef<T, D2>>,
    D1: Dimension,
    D2: Dimension,
{
    let (shape_x, shape_y) = (x.shape(), y.shape());
    let ([.., columns], [rows, ..]) = (shape_x, shape_y) else {
        return Err(mismatch("a product needs arrays, not single numbers".into()).hint("use multiply"));
    };
    if x.ndim() > 2 || y.ndim() > 2 {
        return Err(mismatch(format!(
            "shapes {shape_x:?} and {shape_y:?}: a product takes at most two axes"
        )));
    }
    if columns != rows {
        let message = format!("shapes {shape_x:?} and {shape_y:?} do not fit a product");
        return Err(mismatch(message)
            .note(format!(
                "the last length of the left one, {columns}, is not the first of the right one, {rows}"
            ))
            .hint("one of the two probably has to be transposed"));
    }
    Ok(x.dot(y))
}

/// What [`dot`] returns: a number for rank 1 · rank 1, an array otherwise.
pub type Product<T, D1, D2> = <ArrayRef<T, D1> as Dot<ArrayRef<T, D2>>>::Output;

/// `np.outer(x, y)`: every product xᵢ yⱼ. Arrays of other rank are flattened first.
///
/// ```
/// use wxb::{array::outer, ndarray::array};
/// assert_eq!(outer(&array![1.0, 2.0], &array![10.0, 20.0, 30.0]), array![[10.0, 20.0, 30.0], [20.0, 40.0, 60.0]]);
/// let x = array![[1.0, 2.0], [3.0, 4.0]]; // flattened: 1, 2, 3, 4
/// assert_eq!(outer(&x, &array![[1.0], [5.0]]), array![[1.0, 5.0], [2.0, 10.0], [3.0, 15.0], [4.0, 20.0]]);
/// ```
pub fn outer<T: NdFloat, D1: Dimension, D2: Dimension>(
    x: &ArrayRef<T, D1>,
    y: &ArrayRef<T, D2>,
) -> Array2<T> {
    let mut products = Array2::zeros((x.len(), y.len()));
    for (mut row, &x) in products.rows_mut().into_iter().zip(x) {
        row.iter_mut().zip(y).for_each(|(product, &y)| *product = x * y);
    }
    products
}

/// `np.multiply(x, y)`, `x * y`: element by element, the shorter axes repeated (broadcast).
///
/// ```
/// use wxb::{array::multiply, ndarray::{arr0, array}};
/// let x = array![[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]];
/// assert_eq!(multiply(&x, &x)?, array![[1.0, 4.0, 9.0], [16.0, 25.0, 36.0]]);
/// assert_eq!(multiply(&x, &array![1.0, 0.0, 2.0])?, array![[1.0, 0.0, 6.0], [4.0, 0.0, 12.0]]);
/// assert_eq!(multiply(&array![[1.0], [2.0]], &array![[3.0, 4.0]])?, array![[3.0, 4.0], [6.0, 8.0]]);
/// assert_eq!(multiply(&x, &arr0(2.0))?, array![[2.0, 4.0, 6.0], [8.0, 10.0, 12.0]]);
/// assert!(multiply(&x, &array![1.0, 2.0]).is_err()); // 3 columns against 2
/// # wxb::Result::Ok(())
/// ```
///
/// # Errors
/// [`Code::ShapeMismatch`] if the two do not broadcast: aligned at the last axis, lengths must be equal or 1.
pub fn multiply<T, D1, D2>(x: &ArrayRef<T, D1>, y: &ArrayRef<T, D2>) -> Result<Array<T, Broadcast<D1, D2>>>
where
    T: NdFloat,
    D1: Dimension + DimMax<D2>,
    D2: Dimension,
{
    elementwise(x, y, |x, y| x * y)
}

/// `np.power(x, y)`, `x ** y`: element by element, arrays on both sides, broadcast as in [`multiply`]. 0⁰ is 1; a
/// negative number to a fractional power is NaN.
///
/// ```
/// use wxb::{array::power, ndarray::{arr0, array}};
/// let x = array![[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]];
/// assert_eq!(power(&x, &arr0(3.0))?, array![[1.0, 8.0, 27.0], [64.0, 125.0, 216.0]]); // x ** 3
/// assert_eq!(power(&arr0(2.0), &x)?, array![[2.0, 4.0, 8.0], [16.0, 32.0, 64.0]]); // 2.0 ** x
/// assert_eq!(power(&x, &array![[0.0], [2.0]])?, array![[1.0, 1.0, 1.0], [16.0, 25.0, 36.0]]);
/// # wxb::Result::Ok(())
/// ```
///
/// # Errors
/// As [`multiply`].
pub fn power<T, D1, D2>(x: &ArrayRef<T, D1>, y: &ArrayRef<T, D2>) -> Result<Array<T, Broadcast<D1, D2>>>
where
    T: NdFloat,
    D1: Dimension + DimMax<D2>,
    D2: Dimension,
{
    elementwise(x, y, T::powf)
}

/// The number of axes of two arrays broadcast together: the larger of the two.
pub type Broadcast<D1, D2> = <D1 as DimMax<D2>>::Output;

/// `np.squeeze(x)`: every axis of length 1 taken out.
///
/// ```
/// use wxb::{array::squeeze, ndarray::Array4};
/// let x = Array4::<f64>::zeros((1, 3, 1, 1));
/// assert_eq!(squeeze(&x).shape(), [3]);
/// assert!(squeeze(&Array4::<f64>::zeros((1, 1, 1, 1))).shape().is_empty()); // a single number
/// ```
pub fn squeeze<T: Clone, D: Dimension>(x: &ArrayRef<T, D>) -> ArrayD<T> {
    let longer: Vec<usize> = x.shape().iter().copied().filter(|&n| n != 1).collect();
    let flat = x.iter().cloned().collect();
    ArrayD::from_shape_vec(longer, flat).expect("axes of length 1 do not change the number of elements")
}

/// `np.squeeze(x, axis)`: this one axis taken out.
///
/// ```
/// use wxb::{array::squeeze_axis, ndarray::Array4};
/// let x = Array4::<f64>::zeros((1, 3, 1, 1));
/// assert_eq!(squeeze_axis(&x, 0)?.shape(), [3, 1, 1]);
/// let error = squeeze_axis(&x, 1).unwrap_err();
/// assert_eq!(error.message(), "axis 1 has length 3: only an axis of length 1 can be squeezed out");
/// # wxb::Result::Ok(())
/// ```
///
/// # Errors
/// [`Code::ShapeMismatch`] if `x` has no such axis or its length is not 1.
pub fn squeeze_axis<T: Clone, D: RemoveAxis>(
    x: &ArrayRef<T, D>,
    axis: isize,
) -> Result<Array<T, D::Smaller>> {
    let Axis(index) = axis_of(x, axis)?;
    match x.len_of(Axis(index)) {
        1 => Ok(x.index_axis(Axis(index), 0).to_owned()),
        length => Err(mismatch(format!(
            "axis {index} has length {length}: only an axis of length 1 can be squeezed out"
        ))),
    }
}

/// `np.linalg.norm(x, axis)`: the Euclidean length √(Σ x²) along an axis. Unlike NumPy's, it neither
/// overflows nor vanishes for numbers whose squares do.
///
/// ```
/// use wxb::{array::norm, ndarray::array};
/// assert_eq!(norm(&array![[0.0, 3.0, 4.0], [1.0, 6.0, 4.0]], 1)?, array![5.0, 7.280109889280518]);
/// let length: f64 = norm(&array![3e200, 4e200], 0)?[()]; // the squares are beyond 1e308
/// assert!((length / 5e200 - 1.0).abs() < 1e-15);
/// # wxb::Result::Ok(())
/// ```
///
/// # Errors
/// As [`sum`].
pub fn norm<T: NdFloat, D: RemoveAxis>(x: &ArrayRef<T, D>, axis: isize) -> Result<Array<T, D::Smaller>> {
    Ok(x.map_axis(axis_of(x, axis)?, |lane| {
        let scale = scale_of(lane);
        scale * scaled_norm(lane, scale)
    }))
}

/// `np.linalg.norm(x, axis, keepdims=True)`.
///
/// ```
/// use wxb::{array::norm_keepdims, ndarray::array};
/// assert_eq!(norm_keepdims(&array![[0.0, 3.0, 4.0], [1.0, 6.0, 4.0]], 1)?, array![[5.0], [7.280109889280518]]);
/// # wxb::Result::Ok(())
/// ```
///
/// # Errors
/// As [`sum`].
pub fn norm_keepdims<T: NdFloat, D: RemoveAxis>(x: &ArrayRef<T, D>, axis: isize) -> Result<Array<T, D>> {
    Ok(keep(norm(x, axis)?, axis_of(x, axis)?))
}

/// Each row divided by its Euclidean length, so that it has length 1. A row of zeros stays: the notes' 0/0
/// would make it NaN.
///
/// ```
/// use wxb::{array::normalize_rows, ndarray::array};
/// assert_eq!(normalize_rows(&array![[0.0, 3.0, 4.0], [0.0, 0.0, 0.0]]), array![[0.0, 0.6, 0.8], [0.0, 0.0, 0.0]]);
/// ```
pub fn normalize_rows<T: NdFloat>(x: &ArrayRef2<T>) -> Array2<T> {
    let mut y = x.to_owned();
    for mut row in y.rows_mut() {
        let scale = scale_of(row.view());
        let length = scaled_norm(row.view(), scale);
        if length != T::zero() {
            row.mapv_inplace(|v| v / scale / length);
        }
    }
    y
}

/// Softmax along an axis: eˣ / Σ eˣ, positive, with sum 1. Axis 1 for one example per row, axis 0 for one per
/// column. The largest number is subtracted first, which changes nothing but keeps eˣ from overflowing.
///
/// ```
/// use wxb::{array::softmax, ndarray::array};
/// let s = softmax(&array![[0.0_f64, 1.0], [1000.0, 999.0]], 1)?; // exp(1000) is beyond 1e308
/// assert_eq!(s, array![[0.2689414213699951, 0.7310585786300049], [0.7310585786300049, 0.2689414213699951]]);
/// # wxb::Result::Ok(())
/// ```
///
/// # Errors
/// As [`sum`].
pub fn softmax<T: NdFloat>(x: &ArrayRef2<T>, axis: isize) -> Result<Array2<T>> {
    let axis = axis_of(x, axis)?;
    let mut s = x.to_owned();
    for mut lane in s.lanes_mut(axis) {
        let largest = lane.fold(T::neg_infinity(), |max, &v| max.max(v));
        lane.mapv_inplace(|v| (v - largest).exp());
        let total = lane.sum();
        lane.mapv_inplace(|v| v / total);
    }
    Ok(s)
}

/// 1 if the squares of a lane can be added as they are, else its largest absolute value to divide by first.
fn scale_of<T: NdFloat>(lane: ArrayView1<T>) -> T {
    let squares = scaled_norm(lane, T::one()).powi(2);
    // Below this sum a square may have lost digits (or all of it) to underflow.
    if squares.is_finite() && squares >= T::min_positive_value() / T::epsilon() {
        return T::one();
    }
    let largest = lane.fold(T::zero(), |max, v| max.max(v.abs()));
    if largest.is_finite() && largest > T::zero() { largest } else { T::one() }
}

/// √(Σ (x/scale)²).
fn scaled_norm<T: NdFloat>(lane: ArrayView1<T>, scale: T) -> T {
    lane.fold(T::zero(), |sum, &v| sum + (v / scale) * (v / scale)).sqrt()
}

fn elementwise<T, D1, D2>(
    x: &ArrayRef<T, D1>,
    y: &ArrayRef<T, D2>,
    f: impl Fn(T, T) -> T,
) -> Result<Array<T, Broadcast<D1, D2>>>
where
    T: NdFloat,
    D1: Dimension + DimMax<D2>,
    D2: Dimension,
{
    let refused = || {
        mismatch(format!("shapes {:?} and {:?} do not broadcast", x.shape(), y.shape()))
            .note("aligned at the last axis, two lengths must be equal or one of them 1")
    };
    let shape = broadcast_shape(x.shape(), y.shape()).ok_or_else(refused)?;
    let shape = Broadcast::<D1, D2>::from_dimension(&IxDyn(&shape)).ok_or_else(refused)?;
    match (x.broadcast(shape.clone()), y.broadcast(shape)) {
        (Some(x), Some(y)) => Ok(Zip::from(&x).and(&y).map_collect(|&x, &y| f(x, y))),
        _ => Err(refused()),
    }
}

/// The common shape of two, aligned at the last axis; `None` if two lengths differ and neither is 1.
fn broadcast_shape(x: &[usize], y: &[usize]) -> Option<Vec<usize>> {
    let rank = x.len().max(y.len());
    let length = |shape: &[usize], axis: usize| match (axis + shape.len()).checked_sub(rank) {
        Some(i) => shape[i],
        None => 1,
    };
    (0..rank)
        .map(|axis| match (length(x, axis), length(y, axis)) {
            (a, b) if a == b => Some(a),
            (1, b) => Some(b),
            (a, 1) => Some(a),
            _ => None,
        })
        .collect()
}

/// Puts a summed-out axis back, with length 1.
fn keep<T, D: RemoveAxis>(reduced: Array<T, D::Smaller>, axis: Axis) -> Array<T, D> {
    let kept = reduced.insert_axis(axis).into_dimensionality();
    kept.expect("one axis less and one more is the number of axes it had")
}

/// The axis counted from 0; negative ones count from the end.
fn axis_of<T, D: Dimension>(x: &ArrayRef<T, D>, axis: isize) -> Result<Axis> {
    let rank = x.ndim();
    let index = if axis < 0 { rank.checked_sub(axis.unsigned_abs()) } else { Some(axis.unsigned_abs()) };
    index.filter(|&index| index < rank).map(Axis).ok_or_else(|| {
        mismatch(format!("there is no axis {axis}: the array has {rank}, of shape {:?}", x.shape()))
            .hint("axes count from 0")
    })
}

fn mismatch(message: String) -> Error {
    Error::new(Code::ShapeMismatch, message)
}
