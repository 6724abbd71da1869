//! Which vector instructions the kernels use: found once, at run time. One binary runs everywhere.

use std::sync::atomic::{AtomicU8, Ordering};

/// The instruction sets that there are kernels for. With FMA each of them gives the same bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub enum Isa {
    /// 128-bit vectors that every machine of the target has; without a fused multiply-add on x86-64, with it on
    /// AArch64 (NEON).
    Portable = 1,
    /// 256-bit vectors and FMA: x86-64 since 2013 (Intel Haswell, AMD Zen).
    Avx2 = 2,
    /// 512-bit vectors: Intel servers since 2017, AMD since Zen 4.
    Avx512 = 3,
}

impl Isa {
    /// All of them, the widest last.
    pub const ALL: [Isa; 3] = [Isa::Portable, Isa::Avx2, Isa::Avx512];

    /// The name, as `wxb env` shows it.
    pub fn name(self) -> &'static str {
        match self {
            Isa::Portable if cfg!(target_arch = "aarch64") => "neon",
            Isa::Portable => "portable",
            Isa::Avx2 => "avx2+fma",
            Isa::Avx512 => "avx512",
        }
    }

    /// The widest one of this machine.
    pub fn detect() -> Isa {
        #[cfg(target_arch = "x86_64")]
        {
            use std::arch::is_x86_feature_detected as has;
            let avx2 = has!("avx2") && has!("fma");
            if avx2 && has!("avx512f") && has!("avx512vl") && has!("avx512dq") && has!("avx512bw") {
                return Isa::Avx512;
            }
            if avx2 {
                return Isa::Avx2;
            }
        }
        Isa::Portable
    }

    /// The one in use: what the machine has, unless [`Isa::limit`] was called.
    #[inline]
    pub fn current() -> Isa {
        match IN_USE.load(Ordering::Relaxed) {
            1 => Isa::Portable,
            2 => Isa::Avx2,
            3 => Isa::Avx512,
            _ => {
                let isa = Isa::detect();
                IN_USE.store(isa as u8, Ordering::Relaxed);
                isa
            }
        }
    }

    /// From now on this one is used, or the widest that the machine has if it is less: for tests and comparisons.
    pub fn limit(most: Isa) {
        IN_USE.store(most.min(Isa::detect()) as u8, Ordering::Relaxed);
    }
}

/// 0: not looked for yet.
static IN_USE: AtomicU8 = AtomicU8::new(0);

/// Compiles a function once for each instruction set, and chooses at the call. The body may only call what is
/// inlined into it; its multiplications and additions are not fused, so that its bits are those of every machine.
macro_rules! for_each_isa {
    ($(#[$doc:meta])* $vis:vis fn $name:ident<T: Real>($($arg:ident : $ty:ty),* $(,)?) $body:block) => {
        $(#[$doc])*
        $vis fn $name<T: Real>($($arg: $ty),*) {
            #[inline(always)]
            fn body<T: Real>($($arg: $ty),*) $body
            /// # Safety
            /// The machine has AVX2 and FMA.
            #[cfg(target_arch = "x86_64")]
            #[target_feature(enable = "avx2,fma")]
            fn avx2<T: Real>($($arg: $ty),*) { body::<T>($($arg),*); }
            /// # Safety
            /// The machine has AVX-512.
            #[cfg(target_arch = "x86_64")]
            #[target_feature(enable = "avx512f,avx512vl,avx512dq,avx512bw,avx2,fma")]
            fn avx512<T: Real>($($arg: $ty),*) { body::<T>($($arg),*); }
            match $crate::cpu::Isa::current() {
                // SAFETY: `Isa::current` is what this machine has. Speed: 2 to 4 times SSE2's vectors.
                #[cfg(target_arch = "x86_64")]
                $crate::cpu::Isa::Avx2 => unsafe { avx2::<T>($($arg),*) },
                // SAFETY: as above.
                #[cfg(target_arch = "x86_64")]
                $crate::cpu::Isa::Avx512 => unsafe { avx512::<T>($($arg),*) },
                _ => body::<T>($($arg),*),
            }
        }
    };
}
pub(crate) use for_each_isa;
