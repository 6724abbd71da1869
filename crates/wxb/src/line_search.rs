//! The line search of L-BFGS: a step α along a descent direction that satisfies the strong Wolfe conditions
//! (Nocedal and Wright, Numerical Optimization, 2nd ed., Algorithms 3.5 and 3.6).

/// φ(α) = f(x + α d) and its derivative φ'(α) = d · ∇f(x + α d).
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Point {
    pub alpha: f64,
    pub f: f64,
    pub slope: f64,
}

impl Point {
    pub fn is_finite(&self) -> bool {
        self.f.is_finite() && self.slope.is_finite()
    }
}

/// The conditions a step has to meet, measured from φ(0).
pub(crate) struct LineSearch {
    /// φ at α = 0; its slope is negative.
    pub start: Point,
    /// Sufficient decrease: φ(α) ≤ φ(0) + c₁ α φ'(0).
    pub c1: f64,
    /// Curvature: |φ'(α)| ≤ c₂ |φ'(0)|.
    pub c2: f64,
    /// How far rounding alone can move φ. Differences below it say nothing, so there the slopes decide:
    /// near a minimum φ is flat to half the digits when φ' still has the other half.
    pub noise: f64,
    /// Evaluations of φ that may be spent.
    pub max_steps: usize,
}

impl LineSearch {
    /// A step that meets both conditions; when the evaluations run out, the best one that lowers φ by more than
    /// its noise; else none. The point returned need not be the last one evaluated.
    pub fn run(&self, first: f64, phi: &mut dyn FnMut(f64) -> Point) -> Option<Point> {
        let mut previous = self.start;
        let mut alpha = first;
        for spent in 1..=self.max_steps {
            let point = phi(alpha);
            if self.accepts(&point) {
                return Some(point);
            }
            if self.too_high(&point, &previous) {
                return self.zoom(previous, point, self.max_steps - spent, phi);
            }
            if point.slope >= 0.0 {
                return self.zoom(point, previous, self.max_steps - spent, phi);
            }
            alpha = self.extrapolate(&previous, &point);
            previous = point;
        }
        self.lowered(previous)
    }

    /// Shrinks [lo, hi]: `lo` has the lowest φ of sufficient decrease, its slope points towards `hi`.
    fn zoom(
        &self,
        mut lo: Point,
        mut hi: Point,
        steps: usize,
        phi: &mut dyn FnMut(f64) -> Point,
    ) -> Option<Point> {
        for _ in 0..steps {
            let point = phi(self.interpolate(&lo, &hi));
            if self.accepts(&point) {
                return Some(point);
            }
            if self.too_high(&point, &lo) {
                hi = point;
                continue;
            }
            if point.slope * (hi.alpha - lo.alpha) >= 0.0 {
                hi = lo;
            }
            lo = point;
        }
        self.lowered(lo)
    }

    fn accepts(&self, point: &Point) -> bool {
        point.is_finite() && self.decreases(point) && point.slope.abs() <= self.c2 * self.start.slope.abs()
    }

    fn decreases(&self, point: &Point) -> bool {
        point.f <= self.start.f + self.c1 * point.alpha * self.start.slope + self.noise
    }

    /// Beyond a minimum that lies between `lo` and the point. NaN and infinity count as too high.
    fn too_high(&self, point: &Point, lo: &Point) -> bool {
        !point.is_finite() || !self.decreases(point) || point.f > lo.f + self.noise
    }

    fn lowered(&self, point: Point) -> Option<Point> {
        (point.alpha > 0.0 && point.f < self.start.f - self.noise).then_some(point)
    }

    /// The next α beyond `b`, one to four times as far as `b` lies from `a`.
    fn extrapolate(&self, a: &Point, b: &Point) -> f64 {
        let width = b.alpha - a.alpha;
        let guess = self.minimum_of_cubic(a, b).unwrap_or(f64::INFINITY);
        guess.clamp(b.alpha + width, b.alpha + 4.0 * width)
    }

    /// The next α inside (lo, hi), a tenth of the width off either end; the middle where φ(hi) is not finite.
    fn interpolate(&self, lo: &Point, hi: &Point) -> f64 {
        let width = hi.alpha - lo.alpha;
        let middle = lo.alpha + 0.5 * width;
        let guess = if hi.is_finite() { self.minimum_of_cubic(lo, hi) } else { None };
        let margin = 0.1 * width.abs();
        let (left, right) = (lo.alpha.min(hi.alpha), lo.alpha.max(hi.alpha));
        guess.unwrap_or(middle).clamp(left + margin, right - margin)
    }

    /// The minimum of the cubic through φ and φ' at both ends (N&W 3.59). Where φ differs by noise only: the
    /// zero of the line through both slopes.
    fn minimum_of_cubic(&self, a: &Point, b: &Point) -> Option<f64> {
        let width = b.alpha - a.alpha;
        let alpha = if (a.f - b.f).abs() <= self.noise {
            b.alpha - width * b.slope / (b.slope - a.slope)
        } else {
            let d1 = a.slope + b.slope - 3.0 * (a.f - b.f) / (a.alpha - b.alpha);
            let d2 = width.signum() * (d1 * d1 - a.slope * b.slope).sqrt();
            b.alpha - width * (b.slope + d2 - d1) / (b.slope - a.slope + 2.0 * d2)
        };
        alpha.is_finite().then_some(alpha)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Searches from α = `first` along `phi` and requires both Wolfe conditions at the result, within `steps`.
    fn check(name: &str, phi: fn(f64) -> (f64, f64), first: f64, steps: usize) {
        let mut spent = 0;
        let mut at = |alpha| {
            spent += 1;
            let (f, slope) = phi(alpha);
            Point { alpha, f, slope }
        };
        let start = at(0.0);
        let search = LineSearch { start, c1: 1e-4, c2: 0.1, noise: 0.0, max_steps: 40 };
        let found = search.run(first, &mut at).unwrap_or_else(|| panic!("{name}: no step"));
        assert!(found.f <= start.f + 1e-4 * found.alpha * start.slope, "{name}: {found:?}");
        assert!(found.slope.abs() <= 0.1 * start.slope.abs(), "{name}: {found:?}");
        assert!(spent <= steps + 1, "{name}: {spent} evaluations");
    }

    #[test]
    fn meets_the_wolfe_conditions() {
        let parabola = |a: f64| ((a - 3.0) * (a - 3.0), 2.0 * (a - 3.0));
        let quartic = |a: f64| ((a - 1.0).powi(4), 4.0 * (a - 1.0).powi(3));
        // Functions 1 of Moré and Thuente (1994): -α/(α² + 2).
        let more_thuente = |a: f64| (-a / (a * a + 2.0), (a * a - 2.0) / ((a * a + 2.0) * (a * a + 2.0)));
        // A wall: ln(2 − α) is NaN beyond α = 2; the minimum lies at α = 1.
        let wall = |a: f64| (-a - (2.0 - a).ln(), -1.0 + 1.0 / (2.0 - a));
        let overflow = |a: f64| ((50.0 * a).exp() - 1000.0 * a, 50.0 * (50.0 * a).exp() - 1000.0);
        check("parabola, first step too short", parabola, 1e-3, 8);
        check("parabola, first step exact", parabola, 3.0, 1);
        check("parabola, first step too long", parabola, 1e6, 16);
        check("quartic", quartic, 10.0, 8);
        check("Moré and Thuente, short", more_thuente, 1e-3, 8);
        check("Moré and Thuente, long", more_thuente, 1e3, 12);
        check("NaN beyond the wall", wall, 100.0, 20);
        check("overflow", overflow, 1e3, 25);
    }

    #[test]
    fn an_ascent_or_a_constant_has_no_step() {
        for (f, slope) in [(1.0, -1.0), (f64::NAN, f64::NAN)] {
            let start = Point { alpha: 0.0, f: 0.5, slope: -1.0 };
            let search = LineSearch { start, c1: 1e-4, c2: 0.9, noise: 0.0, max_steps: 20 };
            assert_eq!(search.run(1.0, &mut |alpha| Point { alpha, f, slope }), None);
        }
    }

    #[test]
    fn below_the_noise_the_slopes_decide() {
        // φ is constant to its last digit, its slope still crosses zero at α = 0.5.
        let start = Point { alpha: 0.0, f: 1.0, slope: -1e-15 };
        let search = LineSearch { start, c1: 1e-4, c2: 0.1, noise: 2e-15, max_steps: 20 };
        let found = search.run(1.0, &mut |alpha| Point { alpha, f: 1.0, slope: 1e-15 * (2.0 * alpha - 1.0) });
        assert_eq!(found.map(|p| p.alpha), Some(0.5));
    }
}
