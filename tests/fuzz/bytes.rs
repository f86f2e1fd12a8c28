//! Chance from a seed, and what it does to bytes.

/// SplitMix64.
pub struct Rng(u64);

impl Rng {
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// From 0 to one less than this.
    pub fn below(&mut self, n: usize) -> usize {
        (self.next() % n.max(1) as u64) as usize
    }

    pub fn one_in(&mut self, n: usize) -> bool {
        self.below(n) == 0
    }

    pub fn pick<'a, T>(&mut self, of: &'a [T]) -> &'a T {
        &of[self.below(of.len())]
    }
}

/// Changes one or two places: bits, lengths, whole pieces.
pub fn damage(rng: &mut Rng, body: &mut Vec<u8>) {
    for _ in 0..=rng.below(2) {
        let at = rng.below(body.len() + 1);
        match rng.below(6) {
            0 if at < body.len() => body[at] ^= 1 << rng.below(8),
            1 if at < body.len() => body[at] = *rng.pick(&[0x00, 0x7f, 0x80, 0xff, 0x0a, 0x12]),
            2 => body.truncate(at),
            3 => drop(body.splice(at..at, (0..rng.below(12)).map(|_| rng.next() as u8).collect::<Vec<_>>())),
            4 => {
                let end = (at + rng.below(16)).min(body.len());
                let piece = body[at..end].to_vec();
                let to = rng.below(body.len() + 1);
                drop(body.splice(to..to, piece));
            }
            _ => {
                let end = (at + rng.below(8)).min(body.len());
                body.drain(at..end);
            }
        }
    }
}
