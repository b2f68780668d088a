//! `wifibox-build config-disk`: makes the disk that carries a guest's configuration where the host has
//! no 9P for it.

use std::io::Write as _;
use std::path::PathBuf;

use clap::Args;

use crate::cli::answers;
use crate::cli::context::Context;
use crate::cli::render::failure::Failure;
use wifibox_ground::output::NewFile;
use wifibox_host::config_disk::Content;

/// `config-disk`.
#[derive(Debug, Clone, Args)]
pub struct ConfigDiskArgs {
    /// Where the configuration is: an output folder, the host's etc/wifibox, or a folder with the
    /// shares' folders `config`, `app_config` and `var` in it
    #[arg(long, value_name = "DIR")]
    pub from: PathBuf,
    /// The image to write
    #[arg(long, value_name = "FILE")]
    pub out: PathBuf,
    /// How long it is, in bytes or with K, M or G behind the number [default: as long as it needs, and
    /// at least 4M]
    #[arg(long, value_name = "SIZE", value_parser = parse_size)]
    pub size: Option<u64>,
}

/// Writes the image; it appears whole or not at all.
///
/// # Errors
/// There is no configuration, it does not fit, or the image cannot be written.
pub fn run(context: &Context, args: &ConfigDiskArgs) -> Result<(), Failure> {
    let content = Content::find(&args.from).map_err(Failure::failed)?;
    let out = args.out.display();
    let failed = |error| Failure::failed(format!("cannot write {out}: {error}"));
    // Only its owner may read it: there are passwords in it.
    let mut file = NewFile::beside(&args.out).map_err(failed)?;
    let mut writer = std::io::BufWriter::new(file.file_mut());
    let length = content.write(args.size, &mut writer).map_err(Failure::failed)?;
    writer.flush().map_err(failed)?;
    drop(writer);
    file.keep().map_err(failed)?;
    let left_out: Vec<String> =
        content.left_out.iter().map(|path| path.display().to_string()).collect();
    for path in &left_out {
        let why = "FAT holds files and folders only";
        context.printer.status("Left out", &format!("{path}: {why}"));
    }
    let what = format!("{out} ({} KiB, {} files)", length >> 10, content.files);
    context.printer.status("Made", &what);
    let config_disk =
        answers::Disk { file: &args.out, bytes: length, files: content.files, left_out: &left_out };
    context.printer.result(|| answers::ConfigDisk { config_disk }, String::new)
}

/// A number of bytes: `4194304`, `4096K`, `4M`.
fn parse_size(text: &str) -> Result<u64, String> {
    let (digits, unit) = match text.strip_suffix(['K', 'k', 'M', 'm', 'G', 'g']) {
        Some(digits) => {
            let power = match text.as_bytes().last() {
                Some(b'K' | b'k') => 10,
                Some(b'M' | b'm') => 20,
                _ => 30,
            };
            (digits, 1u64 << power)
        }
        None => (text, 1),
    };
    let size = digits.parse::<u64>().ok().and_then(|count| count.checked_mul(unit));
    match size {
        Some(size) if size > 0 && size % 512 == 0 => Ok(size),
        Some(_) => Err("expected a multiple of 512 bytes".to_owned()),
        None => Err("expected a number of bytes, or one with K, M or G behind it".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_have_units() {
        assert_eq!(parse_size("4M"), Ok(4 << 20));
        assert_eq!(parse_size("64k"), Ok(64 << 10));
        assert_eq!(parse_size("1024"), Ok(1024));
        for bad in ["", "M", "4T", "0", "1000", "-1", "99999999999999999999", "99999999999G"] {
            assert!(parse_size(bad).is_err(), "{bad}");
        }
    }
}
