// Additions to pages that work without: filtering while typing, "/" to search, and copying an example.
const search = document.getElementById("q");
const count = document.getElementById("count");
const rows = [...document.querySelectorAll("[data-text]")];

// A page of search results holds only what was found, so a new search there goes to the server.
if (rows.length && !new URLSearchParams(location.search).get("q")) {
  const whole = count.textContent;
  search.addEventListener("input", () => {
    const words = search.value.toLowerCase().split(/\s+/).filter(Boolean);
    for (const row of rows) row.hidden = !words.every(word => row.dataset.text.includes(word));
    for (const service of document.querySelectorAll("[data-service]"))
      service.hidden = !service.querySelector("[data-text]:not([hidden])");
    document.querySelector(".intro").hidden = words.length > 0;
    const found = rows.filter(row => !row.hidden).length;
    count.textContent = words.length ? `${found} of ${rows.length} methods` : whole;
  });
  search.form.addEventListener("submit", event => event.preventDefault());
}

addEventListener("keydown", event => {
  const typing = event.target.closest("input, textarea, select, [contenteditable]");
  if (event.key !== "/" || typing || event.ctrlKey || event.metaKey || event.altKey) return;
  event.preventDefault();
  search.focus();
  search.select();
});

if (navigator.clipboard) for (const example of document.querySelectorAll("[data-copy]")) {
  const button = document.createElement("button");
  button.type = "button";
  button.className = "copy";
  button.textContent = "Copy";
  button.setAttribute("aria-label", example.getAttribute("aria-label").replace("Example", "Copy the example"));
  button.addEventListener("click", async () => {
    await navigator.clipboard.writeText(example.querySelector("code").textContent);
    button.textContent = "Copied";
    setTimeout(() => { button.textContent = "Copy"; }, 2000);
  });
  example.before(button);
}
