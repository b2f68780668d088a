//! Evaluates one input of the fuzzer as a maintainer script of each ecosystem, and checks what is left.
//!
//! Shared by the plain mode of `cargo xtask fuzz` and the libFuzzer program in `xtask/fuzz`.

use std::time::{Duration, Instant};

use wifibox_script::{
    Ecosystem, Effect, Entry, Files as _, Installed, Kind, MemoryFiles, Meta, Script, World,
    understand,
};

/// The longest time that one script may take. The bounds of the evaluator keep it far below.
const SLOW: Duration = Duration::from_secs(10);
/// The most bytes that the files of a tree may have afterwards: the evaluator's own bound, and the root.
const TREE_LIMIT: u64 = 65 << 20;
/// The most bytes of output, by the evaluator's own bound and one line.
const SAID_LIMIT: usize = 1 << 17;

/// A root, and the worlds that scripts are evaluated in.
pub struct Target {
    root: MemoryFiles,
    worlds: [(World, &'static [&'static str]); 3],
}

impl Target {
    /// A small system of each ecosystem.
    pub fn new() -> Self {
        let world = |ecosystem, architecture| {
            let mut world = World::new(ecosystem, architecture);
            world.kernel = Some("6.12.57+deb13-amd64".to_owned());
            world.day = 20_000;
            let files = ["/usr/bin/tool", "/etc/tool.conf"].map(str::to_owned).to_vec();
            for (name, configured) in [("tool", false), ("libc6", true)] {
                let (version, files) = ("1.2-3".to_owned(), files.clone());
                world.packages.insert(name.to_owned(), Installed { version, configured, files });
            }
            world
        };
        Target {
            root: root(),
            worlds: [
                (world(Ecosystem::Debian, "amd64"), &["preinst", "postinst"]),
                (world(Ecosystem::Alpine, "x86_64"), &["post-install", "trigger"]),
                (world(Ecosystem::OpenWrt, "x86_64"), &["postinst-pkg"]),
            ],
        }
    }

    /// Takes `bytes` for a script, and for debconf's templates; whether an ecosystem understands it.
    ///
    /// # Panics
    /// When it takes too long, or leaves a tree that cannot be.
    pub fn run(&self, bytes: &[u8]) -> bool {
        let mut any = false;
        let templates = String::from_utf8_lossy(bytes);
        let paths = ["/lib/modules/6.12".to_owned(), "/usr/bin".to_owned()];
        for (world, names) in &self.worlds {
            let mut files = self.root.clone();
            for name in *names {
                let mut script = Script::new("tool", "1.2-3", name, bytes);
                (script.paths, script.templates) = (&paths, Some(&*templates));
                let begin = Instant::now();
                let result = understand(&script, world, &mut files);
                assert!(begin.elapsed() < SLOW, "{name} takes {:?}", begin.elapsed());
                match result {
                    Ok(done) => {
                        assert!(done.said.len() <= SAID_LIMIT, "{} bytes said", done.said.len());
                        done.effects.iter().for_each(check_effect);
                        any = true;
                    }
                    Err(refused) => {
                        let said = refused.to_string();
                        assert!(
                            said.starts_with(&format!("package tool, {name}, line ")),
                            "{said}"
                        );
                    }
                }
            }
            check_tree(&files);
        }
        any
    }
}

fn root() -> MemoryFiles {
    let unit = "[Unit]\nDescription=x\n[Install]\nWantedBy=multi-user.target\nAlias=y.service\n";
    let init = "#!/bin/sh\n### BEGIN INIT INFO\n# Provides: tool\n# Default-Start: 2 3 4 5\n\
        # Default-Stop: 0 1 6\n### END INIT INFO\necho started\n";
    MemoryFiles::new()
        .with_directory("/tmp")
        .with_directory("/var/lib/dpkg/alternatives")
        .with_directory("/lib/modules/6.12/kernel")
        .with_file("/etc/passwd", "root:x:0:0:root:/root:/bin/sh\n", 0o644)
        .with_file("/etc/group", "root:x:0:\nusers:x:100:\nnogroup:x:65534:\n", 0o644)
        .with_file("/etc/shadow", "root:*:20000:0:99999:7:::\n", 0o640)
        .with_file("/etc/tool.conf", "[a]\nkey = value\n# key = other\nlist=1,2,3\n", 0o644)
        .with_file("/etc/init.d/tool", init, 0o755)
        .with_file("/usr/lib/systemd/system/tool.service", unit, 0o644)
        .with_file(
            "/usr/lib/sysusers.d/tool.conf",
            "u tool 70:80 \"A tool\" /var/lib/tool\n",
            0o644,
        )
        .with_file("/usr/lib/tmpfiles.d/tool.conf", "d /var/lib/tool 0750 root users -\n", 0o644)
        .with_file("/usr/bin/tool", "#!/bin/sh -e\nfor i; do echo \"$i\"; done\n", 0o755)
        .with_link("/usr/bin/other", "tool")
        .with_link("/etc/circle", "circle")
}

fn check_effect(effect: &Effect) {
    let said = effect.to_string();
    assert!(!said.contains('\n') || !matches!(effect, Effect::Nothing { .. }), "{said}");
}

/// Every path is one that the trait allows, and its parent is a directory.
fn check_tree(files: &MemoryFiles) {
    let mut size = 0u64;
    for (path, Entry { kind, meta: Meta { mode, .. } }) in files.iter() {
        assert!(mode <= 0o7777, "{path} has the mode {mode:o}");
        if let Kind::File(bytes) = kind {
            size += bytes;
        }
        let Some(rest) = path.strip_prefix('/') else { panic!("{path:?} is not absolute") };
        if rest.is_empty() {
            continue;
        }
        assert!(rest.split('/').all(|part| !matches!(part, "" | "." | "..")), "{path:?}");
        let parent = path.rsplit_once('/').map_or("/", |(parent, _)| parent);
        let parent = files.lookup(if parent.is_empty() { "/" } else { parent });
        let is_directory = parent.is_some_and(|entry| entry.kind == Kind::Directory);
        assert!(is_directory, "{path:?} is in no directory");
    }
    assert!(size <= TREE_LIMIT, "{size} bytes of files");
}
