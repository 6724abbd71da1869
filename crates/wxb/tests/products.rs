//! Every number of a product is one chain of multiply-adds, bit for bit, with every instruction set of the machine,
//! in every shape of tile and of panel, on one thread and on two.

use wxb::cpu::{Dense, Isa, forward, grad_input, grad_params, packed_len};
use wxb::rng::{Purpose, stream, unit};
use wxb::{Activation, Real};

/// Up to so many units the sums of each go along its inputs.
const NARROW: usize = 3;
/// And up to so many but 16 if there are so many inputs.
const FEW: usize = 23;
const MANY_INPUTS: usize = 512;

fn random<T: Real>(n: usize, seed: u64) -> Vec<T> {
    let mut rng = stream(seed, Purpose::Sample, n as u64);
    (0..n).map(|_| T::of(2.0 * unit(&mut rng) - 1.0)).collect()
}

/// l r + sum, rounded once where the machine has the instruction.
fn add<T: Real>(sum: T, (l, r): (T, T)) -> T {
    let fused = Isa::current() >= Isa::Avx2 || cfg!(target_arch = "aarch64");
    if fused { l.mul_add(r, sum) } else { l * r + sum }
}

/// l₀ r₀ + start, then + l₁ r₁, …
fn chain<T: Real>(start: T, products: impl Iterator<Item = (T, T)>) -> T {
    products.fold(start, add)
}

/// So many sums over k modulo their number, of which halves are added.
fn lanes<T: Real>(count: usize, products: impl Iterator<Item = (T, T)>) -> T {
    let mut s = vec![T::ZERO; count];
    products.enumerate().for_each(|(p, product)| s[p % count] = add(s[p % count], product));
    while s.len() > 1 {
        let upper = s.split_off(s.len() / 2);
        s.iter_mut().zip(upper).for_each(|(s, upper)| *s += upper);
    }
    s[0]
}

/// Four sums over the rows modulo 4.
fn fours<T: Real>(values: impl Iterator<Item = T>) -> T {
    let mut s = [T::ZERO; 4];
    values.enumerate().for_each(|(i, value)| s[i % 4] += value);
    (s[0] + s[2]) + (s[1] + s[3])
}

fn check<T: Real>(m: usize, n_in: usize, n_out: usize) {
    let (x, w, b) = (random::<T>(m * n_in, 1), random::<T>(n_in * n_out, 2), random::<T>(n_out, 3));
    let dz = random::<T>(m * n_out, 4);
    let mut scratch = vec![T::ZERO; packed_len::<T>(m, n_in, n_out)];
    let name = format!("({m}, {n_in}) ({n_in}, {n_out}) {} {}", T::NAME, Isa::current().name());

    let dense = Dense { m, n_in, n_out, w: &w, b: &b, activation: Activation::Identity };
    let mut a = vec![T::ZERO; m * n_out];
    forward(dense, &x, &mut [], &mut a, &mut scratch);
    for (at, &a) in a.iter().enumerate() {
        let (i, j) = (at / n_out, at % n_out);
        let products = (0..n_in).map(|p| (x[i * n_in + p], w[p * n_out + j]));
        let expected = match n_out {
            ..=NARROW => lanes(8, products) + b[j],
            ..=FEW if n_in >= MANY_INPUTS && n_out != 16 => lanes(64 / size_of::<T>(), products) + b[j],
            _ => chain(b[j], products),
        };
        assert_eq!(a, expected, "A[{i}, {j}] of {name}");
    }

    let (mut dw, mut db) = (vec![T::ZERO; n_in * n_out], vec![T::ZERO; n_out]);
    grad_params([m, n_in, n_out], &x, &dz, &mut dw, &mut db, &mut scratch);
    for (at, &dw) in dw.iter().enumerate() {
        let (p, j) = (at / n_out, at % n_out);
        let products = (0..m).map(|i| (x[i * n_in + p], dz[i * n_out + j]));
        assert_eq!(dw, chain(T::ZERO, products), "dW[{p}, {j}] of {name}");
    }
    for (j, &db) in db.iter().enumerate() {
        let column = (0..m).map(|i| dz[i * n_out + j]);
        let expected = if n_out <= NARROW { fours(column) } else { column.sum() };
        assert_eq!(db, expected, "db[{j}] of {name}");
    }

    let mut dx = vec![T::ZERO; m * n_in];
    grad_input(dense, Activation::Identity, &dz, [&[], &x], &mut dx, &mut scratch);
    for (at, &dx) in dx.iter().enumerate() {
        let (i, p) = (at / n_in, at % n_in);
        let products = (0..n_out).map(|j| (dz[i * n_out + j], w[p * n_out + j]));
        assert_eq!(dx, chain(T::ZERO, products), "dX[{i}, {p}] of {name}");
    }
}

#[test]
fn every_product_is_its_chain() {
    let pool = |threads| rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
    for isa in Isa::ALL.into_iter().filter(|&isa| isa <= Isa::detect()) {
        Isa::limit(isa);
        pool(1).install(|| {
            for m in 1..=14 {
                for n_out in [1, 2, 3, 4, 7, 8, 9, 13, 15, 16, 17, 20, 23, 24, 25, 33, 50, 70] {
                    let n_in = 1 + (m * 5 + n_out) % 37;
                    check::<f32>(m, n_in, n_out);
                    check::<f64>(m, n_in, n_out);
                }
            }
        });
        for threads in [1, 2] {
            pool(threads).install(|| {
                // Beyond a piece of the depth, of the rows, and of what is worth a second thread.
                for [m, n_in, n_out] in [
                    [1, 700, 130],
                    // One row: strips of 16, 8, 4, 2 and 1 vectors and a part of one, and a second thread.
                    [1, 31, 16 * 31 + 5],
                    [1, 17, 8 * 15 + 3],
                    [1, 1100, 2100],
                    [97, 650, 40],
                    [70, 4001, 21],
                    [999, 41, 67],
                    [800, 3000, 1],
                    [480, 500, 10],
                    // The same where 512-bit vectors take longer pieces, with copies of L and without.
                    [140, 1100, 130],
                    [530, 513, 128],
                    // Three, two and one panel at a time, with what is left over joined to the last one and not.
                    [45, 20, 16 * 3],
                    [47, 150, 16 * 4 + 3],
                    [39, 150, 16 * 5 + 9],
                    [38, 150, 16 * 7],
                    [41, 150, 16 * 11 + 7],
                    // A few units and many inputs, in whole vectors and not.
                    [1, 512, 4],
                    [2, 700, 9],
                    [3, 515, 23],
                    [5, 2500, 6],
                    [7, 4096, 13],
                    [70, 4099, 8],
                    [43, 528, 5],
                ] {
                    check::<f32>(m, n_in, n_out);
                    check::<f64>(m, n_in, n_out);
                }
            });
        }
    }
    Isa::limit(Isa::detect());
}
