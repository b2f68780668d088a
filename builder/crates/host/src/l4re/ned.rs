//! `wifibox.ned`: the Lua script by which ned starts the scenario.

use std::fmt::Write as _;

use super::{DirectBoot, Guest, Machine, Volume, lua_string};

/// The text.
pub fn text(
    guest: &Guest,
    machine: Machine,
    direct: &DirectBoot,
    volumes: &[Volume<'_>],
) -> String {
    let mut partitions = String::new();
    let mut capabilities = String::new();
    for Volume { disk, capability, label } in volumes {
        let (mode, access) =
            if disk.read_only { (", \"read-only\"", "read-only") } else { ("", "read-write") };
        let _ = writeln!(partitions, "--     {label:<16} {} ({access})", disk.file);
        let _ =
            writeln!(capabilities, "    {capability} = partition({}{mode}),", lua_string(label));
    }
    let ramdisk = direct.initramfs.as_ref();
    let ramdisk = ramdisk.map(|file| format!("\n  rd = {},", rom(file))).unwrap_or_default();
    let cpus = (1u128 << guest.vcpus) - 1;
    format!(
        r#"-- vi:ft=lua
-- wifibox.ned: starts {title} under uvmm, with what it needs:
-- io (hardware), {server} (disks), cons (consoles), l4vio_net_p2p (a cable between two guests).
-- Goes into a folder of MODULE_SEARCH_PATH (conf/Makeconf.boot); modules.list beside it names it.
--
-- The disk has a GPT with these partitions, each with the bytes of the file:
{partitions}
package.path = "rom/?.lua";

local L4 = require "L4";
local vmm = require "vmm";

-- Consoles: one for each server and guest. Keys: Ctrl-E, then h for help.
vmm.loader.log_fab = L4.default_loader:new_channel();
L4.default_loader:start({{
  scheduler = vmm.new_sched(0x40),
  log = L4.Env.log,
  caps = {{ cons = vmm.loader.log_fab:svr() }},
}}, "rom/cons -a");

-- Hardware: the card for the guest (rom/wifi.vbus), the disks' controller for its server (rom/storage.vbus).
local buses = {{ wifi = 1, storage = 1 }};
vmm.start_io(buses, "rom/io.cfg", {{ scheduler = vmm.new_sched(0x65) }});

-- Disks. Other servers take the same calls: nvme-drv, ahci-drv, emmc-drv; storage.vbus says which controller they get.
local disks = L4.default_loader:new_channel();
vmm.loader:start({{
  scheduler = vmm.new_sched(0x62),
  log = {{ "disks", "g" }},
  caps = {{ vbus = buses.storage, svr = disks:svr() }},
}}, "rom/{server}");

local function partition(label, ...)
  return disks:create(0, "ds-max=5", "device=partlabel:" .. label, ...);
end

-- The network behind the radio: hand ports.client to the guest that uses it, as its `net`.
local ports = {{ wifibox = 1, client = 1 }};
vmm.start_virtio_switch(ports, 0x64, nil, "p2p");

vmm.start_vm({{
  id = 1,
  mem = {memory},
  cpus = 0x{cpus:x},
  prio = 0x10,
  kernel = {kernel},{ramdisk}
  fdt = "rom/wifibox.dtb",
  bootargs = {bootargs},
  vbus = buses.wifi,
  net = ports.wifibox,
  ext_caps = {{
{capabilities}    -- The power button: connect to this console and press p.
    power = vmm.loader.log_fab:create(L4.Proto.Log, "power", "y"),
  }},
}});

-- The guest behind it, such as a router's own system, gets no hardware and no disk of these, only the cable:
-- vmm.start_vm({{
--   id = 2, mem = 256, cpus = 0x1, prio = 0x10,
--   kernel = "rom/router-kernel", rd = "rom/router-initramfs", fdt = "rom/router.dtb", bootargs = "console=...",
--   net = ports.client,
-- }});
"#,
        title = guest.title(),
        server = machine.disk_server(),
        memory = guest.memory,
        kernel = rom(&direct.kernel),
        bootargs = lua_string(&direct.cmdline),
    )
}

/// A boot module, as a string of Lua.
fn rom(file: &str) -> String {
    lua_string(&format!("rom/{}", file.rsplit('/').next().unwrap_or(file)))
}
