//! How shares are mounted.

use wifibox_ground::guest::ShareTransport;
use wifibox_recipe::Recipe;

/// How the hypervisor offers shares, as the mount option says it.
pub(super) fn transport(recipe: &Recipe) -> &'static str {
    match recipe.hypervisor.share_transport.value {
        // From a disk what is listed here is put in its place when the mount fails.
        ShareTransport::Virtio | ShareTransport::Disk => "virtio",
        ShareTransport::Xen => "xen",
    }
}
