//! The store: what it takes in, to the byte, what it lists, and what stands in its way.

use std::io::{self, Read};

use wifibox_ground::progress::{Progress, Stage, Task};

use super::*;

fn inserted(world: &World, reader: &mut dyn Read) -> Result<PathBuf, FetchError> {
    world.store.insert("bundle", &world.artefact().identity, reader, &world.cancel)
}

/// Fails first with this, then reads on.
struct Failing<R>(Option<io::ErrorKind>, R);

impl<R: Read> Read for Failing<R> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        self.0.take().map_or_else(|| self.1.read(buf), |kind| Err(kind.into()))
    }
}

#[test]
fn exactly_the_announced_bytes_are_taken_in() {
    let world = World::new();
    let partial = || fs::read_dir(world.path("cache/partial")).unwrap().count();
    // One byte more, in a piece of its own; one less; and no end in sight.
    let more = inserted(&world, &mut world.body.chain(&b"x"[..])).unwrap_err();
    let FetchError::Verification { found, .. } = &more else { panic!("{more}") };
    assert_eq!(found.size, world.body.len() as u64 + 1);
    let less = inserted(&world, &mut &world.body[..world.body.len() - 1]).unwrap_err();
    assert!(matches!(less, FetchError::Verification { .. }), "{less}");
    let long = 4 * world.body.len() as u64;
    let endless = inserted(&world, &mut io::repeat(0).take(long)).unwrap_err();
    let FetchError::Verification { found, .. } = &endless else { panic!("{endless}") };
    assert!(found.size < long / 2, "{endless}");
    world.assert_nothing_stored();
    assert_eq!(partial(), 0);
    // What an earlier run left in its place does not count.
    fs::write(world.partial(), vec![7; world.body.len() + 9]).unwrap();
    let interrupted = io::ErrorKind::Interrupted;
    let path = inserted(&world, &mut Failing(Some(interrupted), &world.body[..])).unwrap();
    assert_eq!(fs::read(path).unwrap(), world.body);
    assert_eq!(partial(), 0);
}

#[test]
fn what_cannot_be_read_is_not_taken_in() {
    let world = World::new();
    let broken = io::ErrorKind::ConnectionReset;
    let error = inserted(&world, &mut Failing(Some(broken), &world.body[..])).unwrap_err();
    let FetchError::Disk { source, .. } = &error else { panic!("{error}") };
    assert_eq!(source.kind(), broken);
    world.assert_nothing_stored();
}

#[test]
fn the_halves_of_two_answers_are_no_index() {
    // A server that begins anew, and one that gave up where another answers.
    for faults in [vec![Fault::IgnoreRange], vec![Fault::Drop; 2]] {
        let world = World::new();
        world.server.faults(PATH, [vec![Fault::Cut(500_000)], faults].concat());
        let other = Server::start(&world.path("mirror"));
        let mut artefact = world.from(&[&world.server.url(), &other.url()]);
        artefact.identity.sha256 = None;
        let limit = world.body.len() as u64;
        assert_eq!(world.fetcher().read_unverified(&artefact, limit).unwrap(), world.body);
        let asked: Vec<_> = other.requests().iter().map(|request| request.range).collect();
        assert!(asked.is_empty() || asked == [None], "{asked:?}");
    }
}

#[test]
fn entries_are_listed_whatever_else_lies_there() {
    let world = World::new();
    inserted(&world, &mut &world.body[..]).unwrap();
    let entries = world.path("cache/store/sha256");
    fs::write(entries.join("file"), "no shard").unwrap();
    let entry = world.store.path_of(&world.digest());
    fs::write(entry.with_file_name("name"), "no digest").unwrap();
    let listed = [(world.digest(), world.body.len() as u64)];
    assert_eq!(world.store.entries().unwrap(), listed);
    assert_eq!(world.store.get(&world.digest()), Some(entry));
    assert_eq!(world.store.get(&Sha256::of(b"another")), None);
}

#[test]
fn a_sound_entry_stays_when_another_size_is_asked_for() {
    let world = World::new();
    inserted(&world, &mut &world.body[..]).unwrap();
    let other = world.artefact().expecting(Some(1), world.digest());
    let error = world.fetch(&other).unwrap_err();
    assert!(matches!(error, FetchError::Verification { .. }), "{error}");
    world.assert_fetched(world.fetch(&world.artefact()));
    assert_eq!(world.server.requests().len(), 0);
}

#[test]
fn what_cannot_be_removed_or_opened_is_told() {
    let mut world = World::new();
    world.options.network = Network::Offline;
    let entry = world.store.path_of(&world.digest());
    fs::create_dir_all(&entry).unwrap();
    let error = world.store.remove(&world.digest()).unwrap_err();
    assert!(matches!(error, FetchError::Disk { action: "remove", .. }), "{error}");
    let error = world.fetch(&world.artefact()).unwrap_err();
    assert!(matches!(error, FetchError::Disk { action: "remove", .. }), "{error}");
    // A file where the folder of entries should be.
    let shard = entry.parent().unwrap();
    fs::remove_dir_all(shard).unwrap();
    fs::write(shard, "").unwrap();
    let error = world.fetch(&world.artefact()).unwrap_err();
    assert!(matches!(error, FetchError::Disk { action: "open", .. }), "{error}");
    // A folder where the download should grow.
    fs::remove_file(shard).unwrap();
    fs::create_dir(world.partial()).unwrap();
    world.options.network = Network::Online;
    let error = world.fetch(&world.artefact()).unwrap_err();
    assert!(matches!(error, FetchError::Disk { action: "open", .. }), "{error}");
}

#[test]
fn cancelling_ends_hashing_and_waiting() {
    let world = World::new();
    inserted(&world, &mut &world.body[..]).unwrap();
    world.cancel.cancel();
    let error = world.fetch(&world.artefact()).unwrap_err();
    assert!(matches!(error, FetchError::Interrupted { .. }), "{error}");
    let first = &world.digest().to_string()[..2];
    let lock = fs::File::create(world.path("cache/lock").join(first)).unwrap();
    lock.lock().unwrap();
    let error = inserted(&world, &mut &world.body[..]).unwrap_err();
    assert!(matches!(error, FetchError::Interrupted { .. }), "{error}");
    // What an earlier run left is not hashed to its end, either.
    drop(lock);
    fs::write(world.partial(), "some").unwrap();
    let error = inserted(&world, &mut &world.body[..]).unwrap_err();
    let FetchError::Interrupted { name } = &error else { panic!("{error}") };
    assert!(name.contains("partial"), "{name}");
}

/// Memory that nobody may read is a file whose reading fails.
#[cfg(target_os = "linux")]
#[test]
fn a_file_that_cannot_be_read_is_passed_over() {
    let mut world = World::new();
    let folder = world.path("dist");
    fs::create_dir(&folder).unwrap();
    std::os::unix::fs::symlink("/proc/self/mem", folder.join("x+1~2.deb")).unwrap();
    world.options.distdirs = vec![folder];
    let artefact = world.artefact().expecting(None, world.digest());
    world.assert_fetched(world.fetch(&artefact));
}

/// Remembers what was said about earlier runs.
#[derive(Default)]
struct Stages(std::sync::Mutex<Vec<String>>);

impl Progress for Stages {
    fn stage(&self, stage: &Stage<'_>) {
        self.0.lock().unwrap().push(stage.done.to_owned());
    }
    fn begin(&self, what: &str, total: Option<u64>) -> Box<dyn Task> {
        Recorder::default().begin(what, total)
    }
    fn note(&self, _: &str) {}
    fn warn(&self, _: &str) {}
}

#[test]
fn only_downloads_that_have_bytes_are_said_to_be_resumed() {
    let resumed = |left: Option<usize>| {
        let world = World::new();
        if let Some(left) = left {
            fs::write(world.partial(), &world.body[..left]).unwrap();
        }
        let stages = Stages::default();
        let fetcher = Fetcher::new(&world.store, &world.options, &stages, &world.cancel);
        fetcher.fetch_all(&[world.artefact()], 1).unwrap();
        let said = stages.0.into_inner().unwrap();
        said.iter().any(|said| said.starts_with("resuming 1 "))
    };
    assert_eq!([None, Some(0), Some(1)].map(resumed), [false, false, true]);
}

#[test]
fn folders_of_downloaded_files_are_not_left_and_not_believed() {
    let mut world = World::new();
    world.options.network = Network::Offline;
    let folder = world.path("dist");
    fs::create_dir_all(folder.join("pool")).unwrap();
    world.options.distdirs = vec![folder.clone()];
    // The right file, beside the folder.
    fs::write(world.path("beside"), &world.body).unwrap();
    let (mut path, mut name) = (world.artefact(), world.artefact());
    path.path = "../beside".to_owned();
    name.file_name = "../beside".to_owned();
    for climbing in [path, name] {
        let error = world.fetch(&climbing).unwrap_err();
        assert!(error.to_string().contains("not a file name"), "{error}");
    }
    // One of the right size.
    let mut other = world.body.clone();
    other[7] ^= 1;
    let flat = folder.join("x+1~2.deb");
    fs::write(&flat, &other).unwrap();
    let error = world.fetch(&world.artefact()).unwrap_err();
    assert!(matches!(error, FetchError::Verification { .. }), "{error}");
    // By its path below a mirror, unless it is there by its name alone.
    fs::write(folder.join(PATH), &world.body).unwrap();
    world.fetch(&world.artefact()).unwrap_err();
    fs::remove_file(&flat).unwrap();
    assert_eq!(world.fetch(&world.artefact()).unwrap().path, folder.join(PATH));
}
