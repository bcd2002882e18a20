// One-key shortcuts: a key clicks the button or link that names it. Everything works without this file.
"use strict";
document.addEventListener("keydown", (event) => {
  if (!("shortcuts" in document.body.dataset)) return;
  if (event.ctrlKey || event.metaKey || event.altKey || event.repeat || event.isComposing) return;
  const at = event.target instanceof Element ? event.target : document.body;
  if (at.closest("input, textarea, select, [contenteditable]")) return;
  const wanted = [...document.querySelectorAll("[data-key]")].find((item) => item.dataset.key === event.key.toLowerCase());
  if (!wanted) return;
  event.preventDefault();
  wanted.click();
});
