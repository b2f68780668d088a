//! The build: the kernel's own Makefile, with everything said that would else come from the machine, the clock or the
//! place (Documentation/kbuild/reproducible-builds.rst of the kernel).

use std::fs::{self, File};
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::config::Fragments;
use super::source::{Source, Tree};
use super::{Failure, Machine, Variant, text_of};

/// How many of the last lines of a build that failed are printed.
const LAST_LINES: usize = 30;

/// Programs whose versions decide what comes out. Debian's packages have the same names.
const TOOLS: [&str; 6] = ["make", "flex", "bison", "bc", "zstd", "tar"];

/// A kernel's tree, and the folder that it is built in.
pub struct Build<'a> {
    /// The source.
    pub tree: &'a Tree,
    /// Where it is built.
    pub folder: PathBuf,
    machine: Machine,
    jobs: NonZeroUsize,
    version: String,
}

impl<'a> Build<'a> {
    /// A build in `folder`.
    pub fn new(
        tree: &'a Tree,
        folder: &Path,
        variant: Variant,
        source: &Source,
        jobs: Option<NonZeroUsize>,
    ) -> Result<Self, Failure> {
        let lacking = programs(variant.machine).into_iter();
        let lacking: Vec<String> =
            lacking.filter(|program| version_of(program).is_none()).collect();
        if !lacking.is_empty() {
            let list = lacking.join(", ");
            return Err(format!("the kernel's build needs what is not here: {list}").into());
        }
        fs::create_dir_all(folder)?;
        let here = std::thread::available_parallelism().unwrap_or(NonZeroUsize::MIN);
        Ok(Build {
            tree,
            // make is told to go elsewhere first.
            folder: folder.canonicalize()?,
            machine: variant.machine,
            jobs: jobs.unwrap_or(here),
            version: source.version.clone(),
        })
    }

    /// The machine, as the kernel's Makefile calls it.
    fn arch(&self) -> &'static str {
        match self.machine {
            Machine::X86_64 => "x86_64",
            Machine::Aarch64 => "arm64",
        }
    }

    /// The kernel image, below the build folder.
    pub fn image(&self) -> PathBuf {
        self.folder.join(match self.machine {
            Machine::X86_64 => "arch/x86/boot/bzImage",
            Machine::Aarch64 => "arch/arm64/boot/vmlinuz.efi",
        })
    }

    /// Runs make for `targets`; what it says goes to `LOG`, and the end of that to the error.
    fn make(&self, targets: &[&str]) -> Result<(), Failure> {
        let log = self.folder.join("make.log");
        let out = File::create(&log)?;
        let source = &self.tree.folder.canonicalize()?;
        // No path of this machine in what __FILE__ and the debugger's notes say.
        let map = format!(
            "-ffile-prefix-map={}=. -ffile-prefix-map={}=.",
            self.folder.display(),
            source.display()
        );
        let mut make = Command::new("make");
        make.arg("-C").arg(source).arg(format!("O={}", self.folder.display()));
        make.arg(format!("-j{}", self.jobs)).arg(format!("ARCH={}", self.arch()));
        make.arg(format!("CROSS_COMPILE={}", compilers(self.machine)));
        make.arg(format!("KCFLAGS={map}")).arg(format!("KAFLAGS={map}"));
        make.args(targets);
        // The user's own settings are none of the recipe's.
        for name in ["MAKEFLAGS", "MFLAGS", "KBUILD_OUTPUT", "CFLAGS", "LDFLAGS", "LOCALVERSION"] {
            make.env_remove(name);
        }
        make.env("LC_ALL", "C").env("TZ", "UTC");
        make.env("KBUILD_BUILD_TIMESTAMP", format!("@{}", self.tree.time));
        make.env("SOURCE_DATE_EPOCH", self.tree.time.to_string());
        make.env("KBUILD_BUILD_USER", "wifibox-build").env("KBUILD_BUILD_HOST", "slim");
        make.env("KBUILD_BUILD_VERSION", &self.version);
        make.env("KCONFIG_ALLCONFIG", self.folder.join("all.config"));
        make.stdin(Stdio::null()).stdout(out.try_clone()?).stderr(out);
        let status = make.status().map_err(|error| format!("make: {error}"))?;
        if status.success() {
            return Ok(());
        }
        let text = String::from_utf8_lossy(&fs::read(&log)?).into_owned();
        let lines: Vec<&str> = text.lines().collect();
        let last = lines[lines.len().saturating_sub(LAST_LINES)..].join("\n");
        Err(format!("make {}: {status}\n{last}\n(all of it: {})", targets.join(" "), log.display())
            .into())
    }

    /// Makes the configuration of the fragments, and checks that it is what they ask for.
    pub fn configure(&self, fragments: &Fragments) -> Result<(), Failure> {
        fs::write(self.folder.join("all.config"), fragments.text())?;
        self.make(&["allnoconfig"])?;
        fragments.check(&self.config()?)
    }

    /// The configuration that the kernel is made with.
    pub fn config(&self) -> Result<String, Failure> {
        text_of(&self.folder.join(".config"))
    }

    /// Makes the kernel and its modules, without what only debuggers read; gives back sizes in words.
    pub fn kernel_and_modules(&self) -> Result<String, Failure> {
        let image = match self.machine {
            Machine::X86_64 => "bzImage",
            Machine::Aarch64 => "vmlinuz.efi",
        };
        self.make(&[image, "modules"])?;
        let stage = self.stage();
        if stage.exists() {
            fs::remove_dir_all(&stage)?;
        }
        // The builder writes indexes for the modules that a guest has.
        let into = format!("INSTALL_MOD_PATH={}", stage.display());
        self.make(&["modules_install", &into, "INSTALL_MOD_STRIP=1", "DEPMOD=true"])?;
        Ok(format!("kernel image: {} bytes", fs::metadata(self.image())?.len()))
    }

    /// Where the modules are installed.
    pub fn stage(&self) -> PathBuf {
        self.folder.join("stage")
    }

    /// The toolchain, by what each program says of its version, in order.
    pub fn toolchain(&self) -> Vec<String> {
        programs(self.machine).iter().filter_map(|program| version_of(program)).collect()
    }
}

/// The prefix of the compiler's name: that of Debian's cross compilers, where `machine` is another one than this.
fn compilers(machine: Machine) -> &'static str {
    match machine {
        Machine::Aarch64 if std::env::consts::ARCH != "aarch64" => "aarch64-linux-gnu-",
        Machine::X86_64 if std::env::consts::ARCH != "x86_64" => "x86_64-linux-gnu-",
        _ => "",
    }
}

/// What a build for `machine` runs.
fn programs(machine: Machine) -> Vec<String> {
    let prefix = compilers(machine);
    let compilers = ["gcc", "ld", "as"].map(|name| format!("{prefix}{name}"));
    // An image that unpacks itself under UEFI has the size of its content in its head.
    let of_machine = (machine == Machine::Aarch64).then_some("hexdump");
    let others = TOOLS.into_iter().chain(of_machine).map(str::to_owned);
    compilers.into_iter().chain(others).collect()
}

/// The first line that a program says of its version; `None` where there is no such program.
fn version_of(program: &str) -> Option<String> {
    let output = Command::new(program).arg("--version").env("LC_ALL", "C").output().ok()?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    text.lines().next().map(|line| line.trim().to_owned())
}
