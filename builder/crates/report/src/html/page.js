// Search and sorting; without this script the page says the same.
(() => {
  const tables = [...document.querySelectorAll("table.data")];
  const rows = tables.flatMap((table) => [...table.tBodies[0].rows]);
  const texts = new Map(rows.map((row) => [row, row.textContent.toLowerCase()]));
  const place = document.getElementById("search");
  if (place && rows.length) {
    const box = document.createElement("input");
    box.type = "search";
    box.placeholder = "Search in all tables";
    box.setAttribute("aria-label", box.placeholder);
    const count = document.createElement("p");
    count.className = "dim";
    count.setAttribute("role", "status");
    box.addEventListener("input", () => {
      const words = box.value.toLowerCase().split(/\s+/).filter(Boolean);
      let shown = 0;
      for (const [row, text] of texts) {
        row.hidden = !words.every((word) => text.includes(word));
        shown += row.hidden ? 0 : 1;
      }
      for (const part of document.querySelectorAll("details")) part.open = words.length > 0 || part.dataset.open === "";
      count.textContent = words.length ? `${shown} of ${rows.length} rows` : "";
    });
    place.append(box, count);
  }
  for (const table of tables) {
    [...table.tHead.rows[0].cells].forEach((head, column) => {
      head.classList.add("sorts");
      head.tabIndex = 0;
      head.title = "Sort by this";
      let down = head.classList.contains("number");
      const sort = () => {
        const key = (row) => {
          const cell = row.cells[column];
          return cell.dataset.value === undefined ? cell.textContent : Number(cell.dataset.value);
        };
        const order = (a, b) => (typeof a === "number" ? a - b : a.localeCompare(b));
        const sorted = [...table.tBodies[0].rows].sort((a, b) => order(key(a), key(b)) * (down ? -1 : 1));
        table.tBodies[0].append(...sorted);
        for (const other of table.tHead.rows[0].cells) other.removeAttribute("aria-sort");
        head.setAttribute("aria-sort", down ? "descending" : "ascending");
        down = !down;
      };
      head.addEventListener("click", sort);
      head.addEventListener("keydown", (event) => {
        if (event.key === "Enter" || event.key === " ") { event.preventDefault(); sort(); }
      });
    });
  }
})();
