//! When a location that failed is asked again: exponential back-off without jitter.

use std::time::Duration;

/// How often and after which delays a location is asked again.
#[derive(Debug, Clone)]
pub struct RetryPolicy {
    /// How often one location is asked in all; 1 means no retries.
    pub attempts: u32,
    /// The delay after the first failure; it doubles with each further one.
    pub first_delay: Duration,
    /// No delay is longer, whatever the server asks for.
    pub longest_delay: Duration,
}

impl Default for RetryPolicy {
    fn default() -> Self {
        RetryPolicy {
            attempts: 4,
            first_delay: Duration::from_millis(500),
            longest_delay: Duration::from_secs(60),
        }
    }
}

impl RetryPolicy {
    /// How long to wait after `failures` failures (1 or more); `None` when it was the last chance.
    /// `asked` is what the server asked for (`Retry-After`).
    pub fn delay(&self, failures: u32, asked: Option<Duration>) -> Option<Duration> {
        if failures >= self.attempts {
            return None;
        }
        let doubled = 2u32.saturating_pow(failures.saturating_sub(1));
        let own = self.first_delay.saturating_mul(doubled);
        Some(own.max(asked.unwrap_or_default()).min(self.longest_delay))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn delays_double_up_to_the_longest_and_end() {
        let seconds = Duration::from_secs;
        let policy =
            RetryPolicy { attempts: 5, first_delay: seconds(1), longest_delay: seconds(3) };
        let delays: Vec<_> = (1..=5).map(|n| policy.delay(n, None)).collect();
        let expected = [Some(1), Some(2), Some(3), Some(3), None].map(|d| d.map(seconds));
        assert_eq!(delays, expected);
        assert_eq!(policy.delay(1, Some(seconds(2))), Some(seconds(2)));
        assert_eq!(policy.delay(1, Some(seconds(900))), Some(seconds(3)));
        assert_eq!(RetryPolicy { attempts: u32::MAX, ..policy }.delay(99, None), Some(seconds(3)));
    }
}
