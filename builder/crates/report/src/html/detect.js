// The flavor of a card from a pasted listing: the numbers that cards are known by, and the table below.
(() => {
  const known = new Map();
  for (const row of document.querySelectorAll("table.flavors tbody tr")) {
    const [flavor, summary] = [row.cells[0].textContent, row.cells[1].textContent];
    for (const id of row.dataset.ids.split(" ")) known.set(id, { flavor, summary, command: row.dataset.command });
  }
  const hex4 = "([0-9a-f]{4})";
  const pair = (line, pattern, turned) =>
    [...line.matchAll(new RegExp(pattern, "g"))].map((m) => (turned ? `${m[2]}:${m[1]}` : `${m[1]}:${m[2]}`));
  // lspci, ids; pciconf; its older form; Windows; aliases of Linux.
  const inLine = (line) => [
    ...pair(line, `(?<![0-9a-f:])${hex4}:${hex4}(?![0-9a-f]|:[0-9a-f]{2}\\.)`),
    ...pair(line, `\\bvendor[ =:]+(?:id[ =:]+)?(?:0x)?${hex4}\\b.*?\\b(?:device|dev|product)[ =:]+(?:id[ =:]+)?(?:0x)?${hex4}\\b`),
    ...pair(line, `\\bchip=0x${hex4}${hex4}`, true),
    ...pair(line, `ven_${hex4}&dev_${hex4}`),
    ...pair(line, `pci:v0000${hex4}d0000${hex4}`),
    // lshw leaves out zeros.
    ...[...line.matchAll(/\[([0-9a-f]{1,4}):([0-9a-f]{1,4})\]/g)].map((m) => m.slice(1).map((n) => n.padStart(4, "0")).join(":")),
  ];
  const place = (line) => {
    const linux = line.match(/(?:\b[0-9a-f]{4}:)?\b([0-9a-f]{2}):([0-9a-f]{2})\.([0-7])\b/);
    if (linux) return linux.slice(1).map((part) => parseInt(part, 16)).join("/");
    const bsd = line.match(/@pci\d+:(\d+):(\d+):(\d+)/);
    return bsd ? bsd.slice(1).join("/") : "";
  };
  const read = (text) => {
    const cards = new Map();
    let [seen, last] = [0, ""];
    // A listing that lost its line breaks has a board and the next device in the same line.
    const device = "(?:[0-9a-f]{4}:)?[0-9a-f]{2}:[0-9a-f]{2}\\.[0-7] [^[\\n]*\\[[0-9a-f]{4}\\]:";
    const lines = text.toLowerCase().replace(new RegExp(`[ \\t](?=subsystem:|kernel driver in use:|${device})`, "g"), "\n");
    for (const line of lines.split("\n")) {
      // Mail programs and inxi break lines between the place and the numbers.
      last = line.trim() ? place(line) || last : "";
      // Boards, and what a driver knows (modinfo).
      if (/subsystem|svendor|sdevice|^alias/.test(line)) continue;
      for (const id of inLine(line)) {
        seen += 1;
        if (!known.has(id)) continue;
        const at = last;
        if (![...cards.values()].some((card) => card.id === id && (card.at === at || !at))) cards.set(`${id} ${at}`, { id, at, ...known.get(id) });
      }
    }
    return { seen, cards: [...cards.values()] };
  };
  const box = document.getElementById("paste");
  const answer = document.getElementById("answer");
  const say = (tag, text, parent = answer) => {
    const element = document.createElement(tag);
    element.textContent = text;
    parent.append(element);
    return element;
  };
  const tell = () => {
    answer.replaceChildren();
    const { seen, cards } = read(box.value);
    for (const card of cards) {
      say("h3", `${card.flavor}: ${card.summary}`);
      say("p", `Card ${card.id}${card.at ? `, at ${card.at} (bus/slot/function)` : ""}`);
      const guests = [...document.querySelectorAll("table.guests tbody tr")].filter((row) => row.dataset.flavor === card.flavor);
      for (const row of guests) {
        const line = say("p", "Take ");
        line.append(row.cells[0].firstChild.cloneNode(true), ` (${row.cells[2].textContent}, ${row.cells[3].textContent})`);
      }
      if (!guests.length) say("code", `${card.command} --device ${card.id}`, say("p", ""));
      if (card.at) say("code", `pptdevs="${card.at}"`, say("p", "In FreeBSD's /boot/loader.conf: "));
    }
    if (cards.length || !box.value.trim()) return;
    say("p", seen
      ? "None of these numbers is a wireless card that a guest could drive. `wifibox-build detect` says why."
      : "There are no numbers of cards in it. Print them with pciconf -lv on FreeBSD, or lspci -nnk on Linux.");
  };
  document.getElementById("asks").hidden = false;
  box.addEventListener("input", tell);
  tell();
})();
