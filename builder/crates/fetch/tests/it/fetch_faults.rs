//! Every way in which a mirror, a disk, another builder or the user can get in the way of a
//! download, and that the store is sound after each.

#![allow(clippy::unwrap_used)]

mod local;
mod store;

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Barrier;
use std::time::{Duration, Instant};

use tempfile::TempDir;
use wifibox_fetch::{
    FetchError, Fetched, Fetcher, HttpOptions, Network, Options, Outcome, RetryPolicy, SlowServer,
    Store,
};
use wifibox_ground::artefact::{Artefact, Identity};
use wifibox_ground::cancel::Cancel;
use wifibox_ground::digest::Sha256;
use wifibox_ground::location::Location;
use wifibox_testkit::Recorder;
use wifibox_testkit::server::{Fault, Server, dead_url};

const PATH: &str = "pool/x+1~2.deb";

/// A mirror with one file, and a store.
struct World {
    folder: TempDir,
    server: Server,
    body: Vec<u8>,
    store: Store,
    options: Options,
    seen: Recorder,
    cancel: Cancel,
}

fn body() -> Vec<u8> {
    (0..300_000u32).flat_map(|n| (n.wrapping_mul(2_654_435_761)).to_le_bytes()).collect()
}

fn quick() -> Options {
    let milliseconds = Duration::from_millis;
    Options {
        retry: RetryPolicy {
            attempts: 3,
            first_delay: milliseconds(1),
            longest_delay: milliseconds(5),
        },
        http: HttpOptions {
            connect_timeout: Duration::from_secs(5),
            stall_timeout: milliseconds(400),
            slow: SlowServer { time: milliseconds(250), rate: 1_000_000 },
            redirects: 3,
            ..HttpOptions::default()
        },
        ..Options::default()
    }
}

impl World {
    fn new() -> Self {
        Self::with(&body())
    }

    fn with(body: &[u8]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let body = body.to_vec();
        let file = folder.path().join("mirror").join(PATH);
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(&file, &body).unwrap();
        let server = Server::start(&folder.path().join("mirror"));
        let store = Store::open(&folder.path().join("cache")).unwrap();
        let (options, seen, cancel) = (quick(), Recorder::default(), Cancel::new());
        World { folder, server, body, store, options, seen, cancel }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn artefact(&self) -> Artefact {
        self.from(&[&self.server.url()])
    }

    fn from(&self, mirrors: &[&str]) -> Artefact {
        let mirrors: Vec<Location> = mirrors.iter().map(|m| m.parse().unwrap()).collect();
        Artefact::on_mirrors("x 1~2", &mirrors, PATH)
            .unwrap()
            .expecting(Some(self.body.len() as u64), self.digest())
    }

    fn digest(&self) -> Sha256 {
        Sha256::of(&self.body)
    }

    fn fetcher(&self) -> Fetcher<'_> {
        Fetcher::new(&self.store, &self.options, &self.seen, &self.cancel)
    }

    fn fetch(&self, artefact: &Artefact) -> Result<Fetched, FetchError> {
        self.fetcher().fetch(artefact)
    }

    fn partial(&self) -> PathBuf {
        self.path("cache/partial").join(self.digest().to_string())
    }

    /// Whatever happened: what the store shows is right, and a fetch works afterwards.
    fn assert_sound(&self) {
        for (digest, _) in self.store.entries().unwrap() {
            assert_eq!(Sha256::of(&fs::read(self.store.path_of(&digest)).unwrap()), digest);
        }
    }

    fn assert_fetched(&self, result: Result<Fetched, FetchError>) {
        let fetched = result.unwrap();
        assert_eq!(fs::read(&fetched.path).unwrap(), self.body);
        assert_eq!((fetched.size, fetched.sha256), (self.body.len() as u64, self.digest()));
        assert_eq!(fs::read_dir(self.path("cache/partial")).unwrap().count(), 0);
        self.assert_sound();
    }

    fn assert_nothing_stored(&self) {
        assert_eq!(self.store.entries().unwrap(), []);
    }
}

#[test]
fn a_good_mirror_is_asked_once_and_then_never_again() {
    let world = World::new();
    world.assert_fetched(world.fetch(&world.artefact()));
    world.assert_fetched(world.fetch(&world.artefact()));
    assert_eq!(world.server.requests().len(), 1);
    assert_eq!(*world.seen.advanced.lock().unwrap(), world.body.len() as u64);
    assert_eq!(world.store.get(&world.digest()), Some(world.store.path_of(&world.digest())));
}

#[test]
fn a_cut_answer_is_resumed_where_it_ended() {
    let world = World::new();
    world.server.faults(PATH, [Fault::Cut(700_000), Fault::Cut(200_000)]);
    world.assert_fetched(world.fetch(&world.artefact()));
    let ranges: Vec<_> = world.server.requests().iter().map(|r| r.range).collect();
    assert_eq!(ranges, [None, Some(700_000), Some(900_000)]);
    assert_eq!(*world.seen.advanced.lock().unwrap(), world.body.len() as u64);
}

#[test]
fn a_later_run_resumes_too_and_other_mirrors_go_on_with_the_same_bytes() {
    let mut world = World::new();
    world.options.retry.attempts = 1;
    world.server.faults(PATH, [Fault::Cut(500_000)]);
    assert!(matches!(world.fetch(&world.artefact()), Err(FetchError::Network { .. })));
    world.assert_nothing_stored();
    assert_eq!(fs::metadata(world.partial()).unwrap().len(), 500_000);
    let other = Server::start(&world.path("mirror"));
    other.faults(PATH, [Fault::Cut(1000)]);
    world.assert_fetched(world.fetch(&world.from(&[&other.url(), &world.server.url()])));
    assert_eq!(other.requests()[0].range, Some(500_000));
    assert_eq!(world.server.requests()[1].range, Some(501_000));
}

#[test]
fn servers_that_cannot_resume_are_read_from_the_begin() {
    for fault in [Fault::IgnoreRange, Fault::WrongRange, Fault::Status(416)] {
        let world = World::new();
        world.server.faults(PATH, [Fault::Cut(500_000), fault]);
        world.assert_fetched(world.fetch(&world.artefact()));
    }
}

#[test]
fn a_left_over_of_something_else_is_thrown_away() {
    for left in [vec![7; 1000], vec![7; 1_200_000], vec![7; 2_000_000]] {
        let world = World::new();
        fs::write(world.partial(), left).unwrap();
        world.assert_fetched(world.fetch(&world.artefact()));
    }
    let world = World::new();
    fs::write(world.partial(), &world.body).unwrap();
    world.assert_fetched(world.fetch(&world.artefact()));
    assert_eq!(world.server.requests().len(), 0, "a complete left-over needs no request");
}

#[test]
fn a_damaged_package_never_reaches_the_store() {
    let world = World::new();
    world.server.always(PATH, Fault::Corrupt(99_999));
    let error = world.fetch(&world.artefact()).unwrap_err();
    let FetchError::Verification { expected, found, location, .. } = &error else {
        panic!("{error}")
    };
    assert_eq!(expected.sha256, Some(world.digest()));
    assert_ne!(found.sha256, Some(world.digest()));
    assert!(location.starts_with(&world.server.url()));
    assert!(error.to_string().contains(&world.digest().to_string()), "{error}");
    world.assert_nothing_stored();
    assert_eq!(fs::read_dir(world.path("cache/partial")).unwrap().count(), 0);
    // A sound mirror makes up for it.
    let good = Server::start(&world.path("mirror"));
    world.assert_fetched(world.fetch(&world.from(&[&world.server.url(), &good.url()])));
}

#[test]
fn a_file_of_another_size_is_refused_before_it_is_read() {
    let world = World::new();
    fs::write(world.path("mirror").join(PATH), b"<html>Please log in</html>").unwrap();
    let error = world.fetch(&world.artefact()).unwrap_err();
    assert!(
        matches!(&error, FetchError::Verification { found, .. } if found.size == 26),
        "{error}"
    );
    assert_eq!(world.server.requests().len(), 1);
    // The same when the server does not tell how much will come.
    let endless = vec![0; 4 << 20];
    world.server.faults(PATH, [Fault::Body(endless)]);
    let error = world.fetch(&world.artefact()).unwrap_err();
    assert!(matches!(error, FetchError::Verification { .. }), "{error}");
    world.assert_nothing_stored();
}

#[test]
fn without_a_known_size_the_limit_holds() {
    let mut world = World::new();
    let mut artefact = world.artefact();
    artefact.identity.size = None;
    world.options.unknown_size_limit = 1000;
    assert!(matches!(world.fetch(&artefact), Err(FetchError::TooLarge { limit: 1000, .. })));
    let limit = world.body.len() as u64;
    artefact.identity = Identity::default();
    let fetcher = world.fetcher();
    let error = fetcher.read_unverified(&artefact, limit - 1).unwrap_err();
    assert!(matches!(error, FetchError::TooLarge { .. }));
    assert_eq!(fetcher.read_unverified(&artefact, limit).unwrap(), world.body);
    assert!(matches!(fetcher.fetch(&artefact), Err(FetchError::Unrecognisable { .. })));
}

#[test]
fn passing_errors_are_retried_and_lasting_ones_are_not() {
    let world = World::new();
    world.server.faults(PATH, [Fault::Status(500), Fault::RetryAfter(429, 7)]);
    world.assert_fetched(world.fetch(&world.artefact()));
    assert_eq!(world.server.count("pool/x+1~2.deb"), 3);

    let world = World::new();
    world.server.faults(PATH, [Fault::Drop, Fault::RetryAfter(503, 1)]);
    world.assert_fetched(world.fetch(&world.artefact()));

    for (status, found) in [(404, false), (410, false), (403, true)] {
        let world = World::new();
        world.server.always(PATH, Fault::Status(status));
        let error = world.fetch(&world.artefact()).unwrap_err();
        assert_eq!(matches!(error, FetchError::NotFound { .. }), !found, "{error}");
        assert_eq!(world.server.requests().len(), 1, "HTTP {status} is not retried");
        assert!(error.to_string().contains(&format!("HTTP {status}")), "{error}");
    }

    let world = World::new();
    world.server.always(PATH, Fault::Status(500));
    let error = world.fetch(&world.artefact()).unwrap_err();
    assert!(matches!(error, FetchError::Network { .. }), "{error}");
    assert_eq!(world.server.requests().len(), 3);
}

#[test]
fn the_next_mirror_helps_and_all_are_named_when_none_does() {
    let world = World::new();
    let dead = dead_url();
    let empty = Server::start(&world.path("cache"));
    let good = world.server.url();
    let missing = world.path("nowhere").display().to_string();
    world.assert_fetched(world.fetch(&world.from(&[&dead, &empty.url(), &missing, &good])));

    let world = World::new();
    let error = world.fetch(&world.from(&[&dead, &empty.url(), &missing])).unwrap_err();
    let FetchError::Network { tried, .. } = &error else { panic!("{error}") };
    let outcomes: Vec<_> = tried.iter().map(|t| &t.outcome).collect();
    assert!(
        matches!(outcomes[..], [Outcome::Failed(_), Outcome::NotFound(_), Outcome::NotFound(_)]),
        "{tried:?}"
    );
    for location in [&dead, &empty.url(), &missing] {
        assert!(error.to_string().contains(location.as_str()), "{error}");
    }
    assert!(error.to_string().contains("refused"), "{error}");
}

#[test]
fn a_dead_mirror_costs_its_retries_only_once() {
    let world = World::new();
    let broken = Server::start(&world.path("cache"));
    broken.always(PATH, Fault::Status(502));
    broken.always("y", Fault::Status(502));
    fs::write(world.path("mirror/y"), b"y").unwrap();
    let mirrors = [broken.url().parse().unwrap(), world.server.url().parse().unwrap()];
    let y = Artefact::on_mirrors("y", &mirrors, "y").unwrap().expecting(None, Sha256::of(b"y"));
    let x = world.from(&[&broken.url(), &world.server.url()]);
    assert_eq!(world.fetcher().fetch_all(&[x, y], 1).unwrap().len(), 2);
    assert_eq!((broken.count(PATH), broken.count("y")), (3, 0));
}

#[test]
fn a_stalled_mirror_is_given_up() {
    let world = World::new();
    let long = Duration::from_secs(20);
    world.server.faults(PATH, [Fault::Stall(0, long), Fault::Stall(100_000, long)]);
    let begun = Instant::now();
    world.assert_fetched(world.fetch(&world.artefact()));
    assert!(begun.elapsed() < Duration::from_secs(10), "{:?}", begun.elapsed());
}

#[test]
fn redirects_are_followed_but_not_for_ever() {
    let world = World::new();
    let target = format!("{}/{PATH}", world.server.url());
    world.server.faults("a", [Fault::Redirect("/b".into())]);
    world.server.faults("b", [Fault::Redirect(target)]);
    let mut artefact = world.artefact();
    artefact.locations = vec![format!("{}/a", world.server.url()).parse().unwrap()];
    world.assert_fetched(world.fetch(&artefact));

    let world = World::new();
    world.server.always(PATH, Fault::Redirect(format!("/{PATH}")));
    let error = world.fetch(&world.artefact()).unwrap_err();
    assert!(error.to_string().contains("redirects"), "{error}");
    assert_eq!(world.server.requests().len(), 4);

    let world = World::new();
    world.server.always(PATH, Fault::Redirect("file:///etc/passwd".into()));
    assert!(world.fetch(&world.artefact()).is_err());
    world.assert_nothing_stored();
}

/// The whole takes four times as long as a server may keep silent.
#[test]
fn a_slow_link_downloads_all_the_same() {
    let world = World::new();
    world.server.always(PATH, Fault::Slow(40_000, Duration::from_millis(50)));
    let begun = Instant::now();
    world.assert_fetched(world.fetch(&world.artefact()));
    assert!(begun.elapsed() > Duration::from_millis(1400));
}

#[test]
fn a_server_that_breaks_off_again_and_again_is_asked_as_long_as_it_goes_on() {
    let world = World::new();
    // 1.2 MB in a hundred pieces, with three attempts.
    world.server.always(PATH, Fault::Cut(12_000));
    world.assert_fetched(world.fetch(&world.artefact()));
    assert_eq!(world.server.requests().len(), 100);
    let world = World::new();
    world.server.always(PATH, Fault::Cut(10));
    world.fetch(&world.artefact()).unwrap_err();
    assert_eq!(world.server.requests().len(), 3);
}

#[test]
fn a_slow_server_gives_way_to_a_faster_one() {
    let world = World::new();
    let fast = Server::start(&world.path("mirror"));
    world.server.always(PATH, Fault::Slow(10_000, Duration::from_millis(50)));
    let both = world.from(&[&world.server.url(), &fast.url()]);
    let fetcher = world.fetcher();
    world.assert_fetched(fetcher.fetch(&both));
    let range = fast.requests()[0].range;
    assert!(
        range.is_some_and(|from| from > 0),
        "what came already is not fetched again: {range:?}"
    );
    // The next file is not asked for there any more.
    fs::remove_dir_all(world.path("cache/store")).unwrap();
    world.assert_fetched(fetcher.fetch(&both));
    assert_eq!((world.server.requests().len(), fast.requests().len()), (1, 2));
}

#[test]
fn a_slow_server_is_good_enough_where_no_other_has_the_file() {
    let world = World::new();
    world.server.always(PATH, Fault::Slow(100_000, Duration::from_millis(110)));
    let empty = world.path("empty");
    fs::create_dir(&empty).unwrap();
    let other = Server::start(&empty);
    world.assert_fetched(world.fetch(&world.from(&[&world.server.url(), &other.url()])));
    assert_eq!((world.server.requests().len(), other.requests().len()), (2, 1));
}
