//! L-BFGS on functions whose minimum is known.

use wxb::Real;
use wxb::lbfgs::{Lbfgs, LbfgsConfig, Progress, Reason};

/// A function of x; its gradient goes into the second argument.
type Function<T> = fn(&[T], &mut [T]) -> T;

/// Steps until it is over, at most `steps` times; how it ended and how often the function was evaluated.
fn minimise<T: Real>(
    x: &mut [T],
    mut function: Function<T>,
    config: LbfgsConfig,
    steps: usize,
) -> (Progress, usize) {
    let mut lbfgs = Lbfgs::new(x.len(), config).expect("settings in range");
    let mut evaluations = 0;
    for _ in 0..steps {
        let progress = lbfgs.step(x, &mut function);
        evaluations += lbfgs.evaluations();
        if progress != Progress::Continue {
            return (progress, evaluations);
        }
    }
    (Progress::Continue, evaluations)
}

/// Every component of the result within `tolerance` of 1, the minimum, after at most so many evaluations.
fn check<T: Real>(name: &str, function: Function<T>, start: &[f64], tolerance: f64, most: usize) {
    let mut x: Vec<T> = start.iter().map(|&x| T::of(x)).collect();
    let config = LbfgsConfig { gradient_tolerance: 1e-12, ..LbfgsConfig::default() };
    let (progress, evaluations) = minimise(&mut x, function, config, 2000);
    assert!(matches!(progress, Progress::Converged(_)), "{name} in {}: {progress:?}", T::NAME);
    let off = x.iter().map(|x| (x.f64() - 1.0).abs()).fold(0.0, f64::max);
    assert!(off <= tolerance, "{name} in {}: off by {off:e}, {x:?}", T::NAME);
    assert!(evaluations <= most, "{name} in {}: {evaluations} evaluations", T::NAME);
}

/// Σ 100 (x_{2i+1} − x_{2i}²)² + (1 − x_{2i})², minimum at 1.
fn rosenbrock<T: Real>(x: &[T], gradient: &mut [T]) -> T {
    let hundred = T::of(100.0);
    let mut f = T::ZERO;
    for (x, g) in x.chunks_exact(2).zip(gradient.chunks_exact_mut(2)) {
        let (u, v) = (x[1] - x[0] * x[0], T::ONE - x[0]);
        f += hundred * u * u + v * v;
        g[0] = -T::of(400.0) * x[0] * u - T::of(2.0) * v;
        g[1] = T::of(200.0) * u;
    }
    f
}

/// ½ Σ λ_i (x_i − 1)², λ from 1 to 10⁴, minimum at 1. SciPy's L-BFGS-B, memory 10, takes 1,244 evaluations for n = 50.
fn ill_conditioned<T: Real>(x: &[T], gradient: &mut [T]) -> T {
    let n = x.len() as f64;
    let mut f = T::ZERO;
    for (i, (&x, g)) in x.iter().zip(gradient.iter_mut()).enumerate() {
        let lambda = T::of(1e4_f64.powf(i as f64 / (n - 1.0)));
        *g = lambda * (x - T::ONE);
        f += T::of(0.5) * *g * (x - T::ONE);
    }
    f
}

/// Σ x_i − ln x_i, NaN for x < 0, infinite at 0, minimum at 1.
fn barrier<T: Real>(x: &[T], gradient: &mut [T]) -> T {
    let mut f = T::ZERO;
    for (&x, g) in x.iter().zip(gradient.iter_mut()) {
        f += if x < T::ZERO { T::of(f64::NAN) } else { x - x.ln() };
        *g = T::ONE - T::ONE / x;
    }
    f
}

/// Σ e^x − e x: infinite at a large x, minimum at 1.
fn exponential<T: Real>(x: &[T], gradient: &mut [T]) -> T {
    let e = T::of(std::f64::consts::E);
    let mut f = T::ZERO;
    for (&x, g) in x.iter().zip(gradient.iter_mut()) {
        f += x.exp() - e * x;
        *g = x.exp() - e;
    }
    f
}

/// Σ (x_i − 1)⁴: the curvature vanishes at the minimum, 1.
fn quartic<T: Real>(x: &[T], gradient: &mut [T]) -> T {
    let mut f = T::ZERO;
    for (&x, g) in x.iter().zip(gradient.iter_mut()) {
        let u = x - T::ONE;
        f += u * u * u * u;
        *g = T::of(4.0) * u * u * u;
    }
    f
}

fn spread(n: usize) -> Vec<f64> {
    (0..n).map(|i| (i as f64 * 0.7).sin() * 2.0 + 3.0).collect()
}

#[test]
fn finds_the_minimum_in_f64() {
    let alternating: Vec<f64> = (0..100).map(|i| if i % 2 == 0 { -1.2 } else { 1.0 }).collect();
    check::<f64>("Rosenbrock", rosenbrock, &[-1.2, 1.0], 1e-9, 60);
    check::<f64>("Rosenbrock, 100", rosenbrock, &alternating, 1e-9, 60);
    check::<f64>("ill-conditioned", ill_conditioned, &spread(50), 1e-9, 2000);
    check::<f64>("barrier", barrier, &spread(5), 1e-9, 60);
    check::<f64>("barrier, far", barrier, &[1e-6, 1e3], 1e-9, 100);
    check::<f64>("exponential", exponential, &[-20.0, 10.0, 100.0], 1e-9, 400);
    check::<f64>("quartic", quartic, &spread(3), 1e-3, 120);
}

#[test]
fn finds_the_minimum_as_far_as_f32_can() {
    // ε of f32 is 1.2e-7. Where the function is flat, x is found to √ε only; with λ from 1 to 10⁴ the rounding
    // of the steep part hides the flat one.
    check::<f32>("Rosenbrock", rosenbrock, &[-1.2, 1.0], 1e-5, 120);
    check::<f32>("ill-conditioned", ill_conditioned, &spread(50), 1e-3, 1500);
    check::<f32>("barrier", barrier, &spread(5), 1e-5, 80);
    check::<f32>("exponential", exponential, &[-20.0, 10.0, 50.0], 1e-4, 400);
    check::<f32>("quartic", quartic, &spread(3), 2e-2, 120);
}

#[test]
fn a_start_that_is_not_finite_is_left_alone() {
    let mut x = [-1.0, 2.0];
    let (progress, evaluations) = minimise(&mut x, barrier, LbfgsConfig::default(), 5);
    assert_eq!((progress, evaluations, x), (Progress::NotFinite, 1, [-1.0, 2.0]));
}

#[test]
fn a_start_at_the_minimum_stays() {
    let mut x = [1.0, 1.0];
    let (progress, evaluations) = minimise(&mut x, rosenbrock, LbfgsConfig::default(), 5);
    assert_eq!((progress, evaluations), (Progress::Converged(Reason::GradientBelowTolerance), 1));
    assert_eq!(x, [1.0, 1.0]);
}

/// A gradient of the wrong sign: no step goes down, and x is given back untouched.
#[test]
fn no_decrease_is_a_reason_to_stop() {
    let wrong = |x: &[f64], gradient: &mut [f64]| {
        gradient[0] = -2.0 * x[0];
        x[0] * x[0]
    };
    let mut x = [3.0];
    let (progress, _) = minimise(&mut x, wrong, LbfgsConfig::default(), 5);
    assert_eq!(progress, Progress::Converged(Reason::NoDecreaseAtThisPrecision));
    assert_eq!(x, [3.0]);
}

#[test]
fn an_unreachable_tolerance_ends_where_rounding_begins() {
    let mut x: Vec<f32> = spread(20).iter().map(|&x| x as f32).collect();
    let config = LbfgsConfig { gradient_tolerance: 0.0, ..LbfgsConfig::default() };
    let (progress, _) = minimise(&mut x, exponential, config, 500);
    assert!(matches!(progress, Progress::Converged(_)), "{progress:?}");
}

/// Stopped and taken up again after every step: the same bits as in one go.
fn check_resumes<T: Real>() {
    let config = LbfgsConfig { memory: 3, ..LbfgsConfig::default() };
    let start: Vec<T> = spread(8).iter().map(|&x| T::of(x)).collect();
    let (mut x, mut x_resumed) = (start.clone(), start);
    let mut whole = Lbfgs::new(x.len(), config).expect("settings in range");
    let mut state = whole.state();
    for step in 0..25 {
        let progress = whole.step(&mut x, &mut rosenbrock);
        let mut resumed = Lbfgs::new(x.len(), config).expect("settings in range");
        resumed.restore(&state).expect("its own state");
        assert_eq!(resumed.step(&mut x_resumed, &mut rosenbrock), progress, "step {step}");
        assert_eq!(x, x_resumed, "step {step}");
        state = resumed.state();
        assert_eq!(whole.state(), state, "step {step}");
    }
}

#[test]
fn resumes_bit_for_bit() {
    check_resumes::<f64>();
    check_resumes::<f32>();
}

#[test]
fn a_state_is_written_where_the_last_one_was() {
    let mut x = spread(8);
    let mut lbfgs = Lbfgs::new(x.len(), LbfgsConfig { memory: 3, ..LbfgsConfig::default() }).unwrap();
    let mut state = lbfgs.state();
    let place = state.as_ptr();
    for step in 0..9 {
        lbfgs.step(&mut x, &mut rosenbrock);
        lbfgs.state_into(&mut state);
        assert_eq!((state.as_ptr(), &state), (place, &lbfgs.state()), "step {step}");
    }
}

#[test]
fn a_foreign_state_is_refused() {
    let mut x = [-1.2, 1.0];
    let mut lbfgs = Lbfgs::new(2, LbfgsConfig::default()).unwrap();
    for _ in 0..4 {
        lbfgs.step(&mut x, &mut rosenbrock);
    }
    let good = lbfgs.state();
    let with = |i: usize, value: f64| {
        let mut state = good.clone();
        state[i] = value;
        state
    };
    let small = LbfgsConfig { memory: 2, ..LbfgsConfig::default() };
    assert!(Lbfgs::<f64>::new(2, small).unwrap().restore(&good).is_err(), "larger memory");
    assert!(Lbfgs::<f64>::new(3, LbfgsConfig::default()).unwrap().restore(&good).is_err(), "other n");
    let bad = [vec![], good[..7].to_vec(), with(0, 1e300), with(0, f64::NAN), with(1, 0.5), with(2, -1.0)];
    for state in bad {
        assert!(lbfgs.restore(&state).is_err(), "{state:?}");
    }
    assert_eq!(lbfgs.state(), good);
}

#[test]
fn settings_out_of_range_are_refused() {
    let good = LbfgsConfig::default();
    let bad = [
        LbfgsConfig { memory: 0, ..good },
        LbfgsConfig { memory: 1_000_000, ..good },
        LbfgsConfig { gradient_tolerance: -1.0, ..good },
        LbfgsConfig { gradient_tolerance: f64::NAN, ..good },
        LbfgsConfig { max_line_steps: 0, ..good },
        LbfgsConfig { c1: 0.95, ..good },
        LbfgsConfig { c2: 1.0, ..good },
        LbfgsConfig { c1: f64::NAN, ..good },
    ];
    for config in bad {
        assert!(Lbfgs::<f64>::new(2, config).is_err(), "{config:?}");
    }
}
