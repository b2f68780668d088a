//! What was pulled from a registry, for people.

use super::verify;
use wifibox_pipeline::transfer::PullReport;

/// A guest that was pulled.
pub fn text(report: &PullReport) -> String {
    let mut text = verify::text(&report.out, &report.verify);
    let cosign: usize = report.cosign.iter().map(|one| one.signatures).sum();
    match cosign {
        0 => {}
        1 => text += "  1 signature of cosign is beside it, which was not checked\n",
        more => {
            text +=
                &format!("  {more} signatures of cosign are beside it, which were not checked\n")
        }
    }
    let (reference, digest) = (&report.reference, report.digest);
    text + &format!("  {}\n  {reference}: digest sha256:{digest}\n", moved(report))
}

/// How much came, and how much was here.
pub fn moved(report: &PullReport) -> String {
    let (fetched, here) = (report.fetched, report.here);
    format!(
        "{} files fetched, {} bytes; {} files, {} bytes, were here",
        fetched.count, fetched.bytes, here.count, here.bytes
    )
}
