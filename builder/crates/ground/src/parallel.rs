//! The same work on many items by several threads, with results in the items' order; and two works at a
//! time.

use std::num::NonZero;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

/// `work` done on every item by up to `jobs` threads; the results are in the items' order.
pub fn in_parallel<T: Sync, R: Send>(
    items: &[T],
    jobs: NonZero<usize>,
    work: impl Fn(&T) -> R + Sync,
) -> Vec<R> {
    let threads = jobs.get().min(items.len());
    if threads <= 1 {
        return items.iter().map(work).collect();
    }
    let next = AtomicUsize::new(0);
    let results = Mutex::new(Vec::with_capacity(items.len()));
    let run = || {
        while let Some((at, item)) = {
            let at = next.fetch_add(1, Ordering::Relaxed);
            items.get(at).map(|item| (at, item))
        } {
            let result = work(item);
            results.lock().unwrap_or_else(PoisonError::into_inner).push((at, result));
        }
    };
    by_threads(threads, &run);
    let mut results = results.into_inner().unwrap_or_else(PoisonError::into_inner);
    results.sort_by_key(|(at, _)| *at);
    results.into_iter().map(|(_, result)| result).collect()
}

/// `work` done by up to so many threads at a time. A system that has none left does it with fewer, down to this one.
fn by_threads(threads: usize, work: &(impl Fn() + Sync)) {
    std::thread::scope(|scope| {
        let start = |_: &usize| std::thread::Builder::new().spawn_scoped(scope, work).is_ok();
        if (0..threads).filter(start).count() == 0 {
            work();
        }
    });
}

/// Both done at the same time, the second one by another thread; one after the other where `jobs` is 1.
///
/// # Errors
/// That of the first, or else that of the second.
pub fn both<A, B: Send, E: Send>(
    jobs: NonZero<usize>,
    first: impl FnOnce() -> Result<A, E>,
    second: impl FnOnce() -> Result<B, E> + Send,
) -> Result<(A, B), E> {
    if jobs.get() == 1 {
        return Ok((first()?, second()?));
    }
    // Where no thread can be made, nobody has taken it, and it is done here.
    let waiting = Mutex::new(Some(second));
    let take = || waiting.lock().unwrap_or_else(PoisonError::into_inner).take();
    let (first, second) = std::thread::scope(|scope| {
        let thread = std::thread::Builder::new();
        let thread = thread.spawn_scoped(scope, || take().map(|second| second()));
        let first = first();
        let second = match thread {
            Ok(thread) => thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)),
            Err(_) => None,
        };
        (first, second)
    });
    match second.or_else(|| take().map(|second| second())) {
        Some(second) => Ok((first?, second?)),
        // It has been taken, so somebody has done it.
        None => unreachable!("the second work is done once"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_keep_the_items_order() {
        let items: Vec<u32> = (0..500).collect();
        for jobs in [1, 2, 7, 1000] {
            let jobs = NonZero::new(jobs).expect("not zero");
            let results = in_parallel(&items, jobs, |item| item * 2);
            assert!(results.iter().zip(&items).all(|(result, item)| *result == item * 2));
            assert_eq!(results.len(), items.len());
        }
        assert!(in_parallel(&[], NonZero::<usize>::MIN, |item: &u32| *item).is_empty());
    }

    #[test]
    fn two_works_are_both_done() {
        let two = NonZero::new(2).expect("not zero");
        for jobs in [NonZero::<usize>::MIN, two] {
            assert_eq!(both(jobs, || Ok::<_, ()>(1), || Ok("two")), Ok((1, "two")));
            assert_eq!(both(jobs, || Err::<(), _>(1), || Err::<(), _>(2)), Err(1));
            assert_eq!(both(jobs, || Ok(()), || Err::<(), _>(2)), Err(2));
        }
        let meeting = std::sync::Barrier::new(2);
        let meet = || Ok::<_, ()>(meeting.wait().is_leader());
        let (one, other) = both(two, meet, meet).expect("they meet");
        assert_ne!(one, other);
    }
}
