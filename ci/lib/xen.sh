# domain NAME HYPERVISOR: builds one of the domains of Xen's tests beside the guests, from the recipes in ci/dom0, as
# guests are built, and with their initramfs. Of the program's own manifests none is meant. Uses tool, cache, folder.
# shellcheck shell=bash
domain() {
    mkdir -p "$folder/recipes/firmware-blobs"
    cp -r ci/dom0/. "$folder/recipes"
    cp -r overlays/initramfs "$folder/recipes/overlays/"
    # shellcheck disable=SC2154 # the caller's
    "$tool" --quiet --recipes "$folder/recipes" --flavor none --role "$1" --hypervisor "$2" --compression lz4 \
        --lock-file "$folder/dom0.lock" --cache-dir "$cache" --out "$folder/$1"
}
