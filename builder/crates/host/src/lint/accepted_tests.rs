//! Files that the programs themselves accept have no errors.

use super::*;

const MACHINE: &str = "cpus=1\nmemory.size=256M\npci.0.0.0.device=hostbridge\npci.0.31.0.device=lpc\n\
                       lpc.com1.path=/dev/nmdm0A\npci.0.4.0.device=virtio-blk\n";

#[test]
fn what_works_has_no_errors() {
    let bhyve = |more: &str| (Kind::Bhyve, format!("{MACHINE}{more}"));
    for (kind, text) in [
        bhyve("bootrom=/BHYVE_UEFI.fd\npci.0.4.0.path=/d.img\n"),
        bhyve("lpc.bootrom=/BHYVE_UEFI.fd\npci.0.4.0.path=/vm/%(name).img\n"),
        bhyve("lpc.bootrom=/b\npci.0.4.0.path=/d\npci.0.29.0.device=fbuf\npci.0.29.0.tcp=127.0.0.1:5900\n"),
        (
            Kind::Rc,
            "sendmail_enable=\"NONE\"\nkld_list=\"${kld_list} a\"\nkld_list=\"${kld_list} b\"\nx_enable=\"NO\"\nx_enable=\"NO\"\n".to_owned(),
        ),
        (
            Kind::VmBhyve,
            "loader=\"uefi\"\nxhci_mouse=\"yes\"\ncpu=2\nmemory=2G\nlimit_pcpu=\"200\"\ndisk0_type=\"ahci-hd\"\ndisk0_name=\"disk0.img\"\n".to_owned(),
        ),
        (Kind::Xl, "name = \"n\"\nbuilder = \"hvm\"\nmemory = 1024\ndisk = [ 'phy:/dev/vg0/n,xvda,w' ]\n".to_owned()),
        (Kind::Xl, "name = \"g\"\ntype = \"hvm\"\nmemory = \"512\"\nvcpus = '2'\n".to_owned()),
        (Kind::Xl, "name = \"g\"\ntype = \"hvm\"\ndisk = [ \"/a,raw,xvda,rw\" ]\ndisk += [ \"/b,raw,xvdb,rw\" ]\n".to_owned()),
        (Kind::Xl, "name = \"g\"\ntype = \"hvm\"\nmemory = 512; vcpus = 2\nvif = [ \"bridge=xenbr0\", ]\n".to_owned()),
    ] {
        let problems = lint(kind, text.as_bytes());
        let errors: Vec<&Problem> = problems.iter().filter(|p| p.level == Level::Error).collect();
        assert!(errors.is_empty(), "{kind}: {text}: {errors:?}");
        assert!(problems.iter().all(|problem| !problem.source.is_empty()));
        assert_eq!(Kind::guess("file", text.as_bytes()), Some(kind), "{text}");
    }
}
