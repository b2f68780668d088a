#!/usr/bin/env python3
"""corpus.py FOLDER: files as people write them for xl, vm-bhyve, bhyve -k, rc.conf, loader.conf and devd, all sound.

Combinations of what the programs' manuals show: old and new spellings, quotation marks or none, blanks, comments,
several values in a line. The programs' own readers judge them where they can be had (corpus.sh).
"""

import itertools
import pathlib
import sys

FOLDER = pathlib.Path(sys.argv[1])


def write(name, text):
    path = FOLDER / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def numbered(name, texts):
    for number, text in enumerate(texts):
        write(name.format(number), text)


def xl():
    kinds = {
        "pv": 'type = "pv"\nkernel = "/boot/vmlinuz"\nramdisk = "/boot/initrd"\nextra = "root=/dev/xvda1 ro"\n',
        "old-pv": "kernel='/boot/vmlinuz'\nroot = '/dev/xvda1 ro'\nbootloader = 'pygrub'\n",
        "hvm": 'type = "hvm"\nserial = "pty"\nboot = "dc"\nvnc = 1\nusbdevice = [ "tablet" ]\n',
        "old-hvm": "builder = 'hvm'; vcpus = '2'\nvga = 'stdvga'\nusb = 1\nacpi = 1\nserial = [ 'pty' ]\n",
        "pvh": 'type = "pvh"\nkernel = "/boot/vmlinuz"\ncmdline = "console=hvc0"\np9 = [ "tag=s,path=/s,security_model=none" ]\n',
    }
    disks = {
        "new": "disk = [ 'format=raw, vdev=xvda, access=rw, target=/dev/vg/a' ]\n",
        "old": "disk = [ 'phy:/dev/vg/a,xvda,w',\n         'file:/iso/x.iso,hdc:cdrom,r' ] # two\n",
        "added": 'disk = [ "/dev/vg/a,raw,xvda,rw" ]\ndisk += [ "/dev/vg/b,raw,xvdb,rw", ]\n',
    }
    nets = {
        "bridge": "vif = [ 'mac=00:16:3e:00:00:01,bridge=xenbr0,script=vif-bridge' ]\n",
        "none": 'vif = [ "" ]\n',
    }
    cards = {
        "one": "pci = [ '03:00.0' ]\n",
        "all": 'pci = [ "0000:03:00.*,permissive=1", "02:00.0@6" ]\nrdm = "strategy=host,policy=relaxed"\n',
        "no": "",
    }
    for kind, disk, net, card in itertools.product(kinds, disks, nets, cards):
        if kind == "pvh" and card != "no":
            continue
        # Every third one is enough.
        if (sum(map(ord, kind + disk + net + card))) % 3:
            continue
        text = f'name = "{kind}-{disk}"\nmemory = 512\n' + kinds[kind] + disks[disk] + nets[net] + cards[card]
        write(f"xl/{kind}-{disk}-{net}-{card}.cfg", text)


def vm_bhyve():
    loaders = {
        "uefi": 'loader="uefi"\ngraphics="yes"\nxhci_mouse="yes"\n',
        "bhyveload": 'loader="bhyveload"\n',
        "grub": 'loader="grub"\ngrub_install0="linux /boot/vmlinuz"\ngrub_run_partition="1"\n',
        "old": 'uefi="yes"\n',
    }
    disks = {
        "image": 'disk0_type="virtio-blk"\ndisk0_name="disk0.img"\n',
        "zvol": 'disk0_type="nvme"\ndisk0_dev="sparse-zvol"\ndisk0_name="disk0"\ndisk0_opts="maxq=16,ser=A1"\n',
        "many": "".join(f'disk{n}_type="ahci-hd"\ndisk{n}_name="d{n}.img"\n' for n in range(5)),
    }
    more = {
        "plain": "",
        "card": 'passthru0="3/0/0"\nwired_memory="yes"\n',
        "placed": 'passthru0="1/0/0=8:0"\npassthru1="1/0/1=8:1"\n# cards keep their functions\nbhyve_options="-K de"\n',
        "limits": 'limit_pcpu="200"\nvirt_random="yes"\nutctime="no"\nzfs_zvol_opts="volblocksize=128k"\n',
    }
    for loader, disk, rest in itertools.product(loaders, disks, more):
        if (sum(map(ord, loader + disk + rest))) % 2:
            continue
        net = 'network0_type="virtio-net"\nnetwork0_switch="public"\n'
        text = loaders[loader] + "cpu=2\nmemory=2G\n" + net + disks[disk] + more[rest]
        write(f"vm-bhyve/{loader}-{disk}-{rest}.conf", text)


def bhyve():
    head = "name=vm\ncpus=2\nmemory.size=1G\npci.0.0.0.device=hostbridge\npci.0.31.0.device=lpc\nlpc.com1.path=stdio\n"
    roms = ["lpc.bootrom=/BHYVE_UEFI.fd\n", "bootrom=/BHYVE_UEFI.fd\nbootvars=/vars.fd\n"]
    devices = [
        "pci.0.3.0.device=virtio-blk\npci.0.3.0.path=/vm/%(name).img\n",
        "pci.0.3.0.device=ahci\npci.0.3.0.port.0.type=cd\npci.0.3.0.port.0.path=/x.iso\n",
        "pci.0.3.0.device=nvme\npci.0.3.0.path=/dev/zvol/z/vm\npci.0.3.0.ser=A1\n",
    ]
    others = [
        "pci.0.4.0.device=virtio-net\npci.0.4.0.backend=tap0\n",
        "pci.0.4.0.device=e1000\npci.0.4.0.backend=tap0\npci.0.4.0.mac=58:9c:fc:00:00:01\n",
        "pci.0.5.0.device=fbuf\npci.0.5.0.tcp=127.0.0.1:5900\npci.0.6.0.device=xhci\npci.0.6.0.slot.1.device=tablet\n",
    ]
    numbered("bhyve/{}.config", (head + "".join(parts) for parts in itertools.product(roms, devices, others)))


def variables():
    rc = [
        'hostname="box"\nsendmail_enable="NONE"\nkld_list="${kld_list} i915kms"\nkld_list="${kld_list} acpi_video"\n',
        'wlans_iwm0="wlan0"\nifconfig_wlan0="WPA SYNCDHCP"\ncreate_args_wlan0="country DE regdomain ETSI"\n',
        "powerd_flags='-a hiadaptive'\nmoused_enable=NO # none\nsshd_enable=yes; ntpd_enable=YES\n",
        'cloned_interfaces="bridge0 tap0"\nifconfig_bridge0="inet 192.0.2.1/24 addm re0 \\\n\taddm tap0"\n',
        'if [ -f /etc/rc.conf.site ]; then\n\t. /etc/rc.conf.site\nfi\nlinux_enable="YES" dbus_enable="YES"\n',
        'hostname=$(kenv -q dhcp.host-name || echo box)\nexport PATH\nearly_late_divider="*"\n',
        'case "$(uname -m)" in\namd64) vm_enable="YES" ;;\n*) vm_enable="NO" ;;\nesac\nvm_dir="zfs:zroot/vm"\n',
        'wifibox_enable="YES"\nifconfig_wifibox0="SYNCDHCP"\nbackground_dhclient_wifibox0="YES"\n',
    ]
    numbered("rc/{}/rc.conf", rc)
    loader = [
        'vmm_load="YES"\nnmdm_load="YES"\npptdevs="3/0/0 0/20/3"\nhw.vmm.amdvi.enable=1\n',
        'kern.geom.label.gptid.enable="0"\nzfs_load="YES"\nkern.vty=vt\nautoboot_delay=-1\n',
        'geli_ada0p4_keyfile0_load="YES"\ngeli_ada0p4_keyfile0_type="ada0p4:geli_keyfile0"\n',
        'console="comconsole,vidconsole" # both\nboot_multicons="YES"\n\tcomconsole_speed="115200"\n',
        'module_path="/boot/kernel;/boot/modules"\nexec="echo hello"\nkernels="kernel kernel.old"\n',
        'hostuuid_load = "YES"\nhostuuid_name="/etc/hostid"\nloader_menu_title=""\nx="${kernel} and \\"more\\""\n',
    ]
    numbered("loader/{}/loader.conf", loader)
    devd = [
        'options {\n\tdirectory "/etc/devd";\n\tset wifi "(ath|iwm)[0-9]+";\n};\n',
        'detach 0 {\n\tdevice-name "$wifi";\n\taction "/etc/pccard_ether $device-name stop";\n};\n',
        'nomatch 10 { match "bus" "pci[0-9]+"; match "class" "0x0280"; action "logger card"; };\n',
        'notify 10 {\n\tmatch "system" "ACPI"; /* sleeps */\n\taction "wifibox suspend; sleep 1";\n};\n// end\n',
    ]
    numbered("devd/{}/devd.conf", devd)


for make in (xl, vm_bhyve, bhyve, variables):
    make()
