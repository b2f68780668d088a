//! `wifibox-build config-disk`: makes the disk that carries a guest's configuration where the host has
//! no 9P for it.

use std::io::Write as _;
use std::path::Path;

use super::args::ConfigDiskArgs;
use super::context::Context;
use super::failure::Failure;
use crate::host::config_disk::Content;

/// Writes the image; it appears whole or not at all.
///
/// # Errors
/// There is no configuration, it does not fit, or the image cannot be written.
pub fn run(context: &Context, args: &ConfigDiskArgs) -> Result<(), Failure> {
    let content = Content::find(&args.from).map_err(Failure::failed)?;
    let folder = match args.out.parent() {
        Some(folder) if folder != Path::new("") => folder,
        _ => Path::new("."),
    };
    let out = args.out.display();
    let failed = |error| Failure::failed(format!("cannot write {out}: {error}"));
    // Only its owner may read it: there are passwords in it.
    let mut file = tempfile::NamedTempFile::new_in(folder).map_err(failed)?;
    let mut writer = std::io::BufWriter::new(file.as_file_mut());
    let length = content.write(args.size, &mut writer).map_err(Failure::failed)?;
    writer.flush().map_err(failed)?;
    drop(writer);
    file.persist(&args.out).map_err(|error| failed(error.error))?;
    let left_out: Vec<String> =
        content.left_out.iter().map(|path| path.display().to_string()).collect();
    for path in &left_out {
        let why = "neither a file nor a folder, which is all that FAT has";
        context.printer.status("Left out", &format!("{path}: {why}"));
    }
    if context.printer.json {
        let value = serde_json::json!({
            "format": 1,
            "config_disk": {
                "file": args.out, "bytes": length, "files": content.files, "left_out": left_out,
            },
        });
        return context.printer.result(&(value.to_string() + "\n")).map_err(Failure::failed);
    }
    let what = format!("{out} ({} KiB, {} files)", length >> 10, content.files);
    context.printer.status("Made", &what);
    Ok(())
}
