//! Seeded chance: xoshiro256++ (Blackman and Vigna, 2021), seeded by splitmix64, with the few distributions that a forecast needs. No
//! dependency, so that a seed means the same for ever.

/// A stream of chance.
#[derive(Debug, Clone)]
pub struct Dice {
    state: [u64; 4],
}

impl Dice {
    /// The stream of a seed.
    pub fn new(seed: u64) -> Self {
        let mut mixed = seed;
        let state = std::array::from_fn(|_| {
            mixed = mixed.wrapping_add(0x9e37_79b9_7f4a_7c15);
            let mut z = mixed;
            z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
            z ^ (z >> 31)
        });
        Self { state }
    }

    /// The stream of one trial of a seed: independent of how many others there are.
    pub fn of_trial(seed: u64, trial: u32) -> Self {
        Self::new(seed ^ u64::from(trial).wrapping_add(1).wrapping_mul(0xd134_2543_de82_ef95))
    }

    /// The next 64 bits.
    pub fn bits(&mut self) -> u64 {
        let [a, b, c, d] = self.state;
        let out = a.wrapping_add(d).rotate_left(23).wrapping_add(a);
        let mut next = [a, b, c ^ a, d ^ b];
        next[1] ^= next[2];
        next[0] ^= next[3];
        next[2] ^= b << 17;
        next[3] = next[3].rotate_left(45);
        self.state = next;
        out
    }

    /// A number above 0 and below 1.
    pub fn unit(&mut self) -> f64 {
        // 53 bits, moved by half a step so that 0 never comes.
        ((self.bits() >> 11) as f64 + 0.5) / (1u64 << 53) as f64
    }

    /// An index below `count`; 0 for a count of 0.
    pub fn below(&mut self, count: usize) -> usize {
        ((self.unit() * count as f64) as usize).min(count.saturating_sub(1))
    }

    /// True with this probability.
    pub fn chance(&mut self, probability: f64) -> bool {
        self.unit() < probability
    }

    /// Exponential with mean 1.
    pub fn exponential(&mut self) -> f64 {
        -self.unit().ln()
    }

    /// Normal with mean 0 and variance 1 (Box and Muller, 1958).
    pub fn normal(&mut self) -> f64 {
        (-2.0 * self.unit().ln()).sqrt() * (std::f64::consts::TAU * self.unit()).cos()
    }

    /// Gamma with this shape and scale 1 (Marsaglia and Tsang, 2000). A shape of 0 or less gives 0.
    pub fn gamma(&mut self, shape: f64) -> f64 {
        if shape <= 0.0 {
            return 0.0;
        }
        if shape < 1.0 {
            return self.gamma(shape + 1.0) * self.unit().powf(1.0 / shape);
        }
        let d = shape - 1.0 / 3.0;
        let c = 1.0 / (9.0 * d).sqrt();
        loop {
            let x = self.normal();
            let v = (1.0 + c * x).powi(3);
            if v > 0.0 && self.unit().ln() < 0.5 * x * x + d - d * v + d * v.ln() {
                return d * v;
            }
        }
    }

    /// Beta with these counts, both above 0.
    pub fn beta(&mut self, yes: f64, no: f64) -> f64 {
        let (a, b) = (self.gamma(yes), self.gamma(no));
        if a + b > 0.0 { a / (a + b) } else { yes / (yes + no) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_generator_is_the_published_one() {
        // First outputs of the reference implementation for the state 1, 2, 3, 4.
        let mut dice = Dice { state: [1, 2, 3, 4] };
        assert_eq!([dice.bits(), dice.bits(), dice.bits()], [41_943_041, 58_720_359, 3_588_806_011_781_223]);
    }

    #[test]
    fn distributions_have_their_means_and_variances() {
        let mut dice = Dice::new(7);
        let mut moments = |mut draw: Box<dyn FnMut(&mut Dice) -> f64>| {
            let all: Vec<f64> = (0..20_000).map(|_| draw(&mut dice)).collect();
            let mean = all.iter().sum::<f64>() / all.len() as f64;
            (mean, all.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / all.len() as f64)
        };
        let near = |(mean, variance): (f64, f64), m: f64, v: f64| {
            assert!(
                (mean - m).abs() < 0.05 * m.max(1.0) && (variance - v).abs() < 0.1 * v.max(0.1),
                "{mean} {variance}"
            );
        };
        near(moments(Box::new(Dice::exponential)), 1.0, 1.0);
        near(moments(Box::new(Dice::normal)), 0.0, 1.0);
        near(moments(Box::new(|d| d.gamma(0.5))), 0.5, 0.5);
        near(moments(Box::new(|d| d.gamma(6.0))), 6.0, 6.0);
        near(moments(Box::new(|d| d.beta(2.0, 6.0))), 0.25, 0.0208);
    }

    #[test]
    fn trials_have_streams_of_their_own() {
        assert_eq!(Dice::of_trial(1, 2).bits(), Dice::of_trial(1, 2).bits());
        assert_ne!(Dice::of_trial(1, 2).bits(), Dice::of_trial(1, 3).bits());
        assert_ne!(Dice::of_trial(1, 2).bits(), Dice::of_trial(2, 2).bits());
    }
}
