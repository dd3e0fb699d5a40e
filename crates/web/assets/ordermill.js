// Files can be dropped where they can be chosen, and are sent at once. Without this, the field and its button do.
"use strict";

const dropOf = (event) => (event.target instanceof Element ? event.target.closest(".drop") : null);

const say = (drop, text) => {
  drop.querySelector("[role=status]").textContent = text;
};

document.addEventListener("dragover", (event) => {
  const drop = dropOf(event);
  if (drop && event.dataTransfer.types.includes("Files")) {
    event.preventDefault();
    drop.classList.add("over");
  }
});

document.addEventListener("dragleave", (event) => {
  const drop = dropOf(event);
  if (drop && !drop.contains(event.relatedTarget)) {
    drop.classList.remove("over");
  }
});

document.addEventListener("drop", (event) => {
  const drop = dropOf(event);
  if (!drop) {
    return;
  }
  event.preventDefault();
  drop.classList.remove("over");
  const { files } = event.dataTransfer;
  if (files.length !== 1) {
    say(drop, "One file at a time, please.");
    return;
  }
  const input = drop.querySelector("input[type=file]");
  input.files = files;
  input.form.requestSubmit();
});

document.addEventListener("change", (event) => {
  if (dropOf(event) && event.target.files.length === 1) {
    event.target.form.requestSubmit();
  }
});

document.addEventListener("submit", (event) => {
  const drop = event.target.querySelector(".drop");
  if (drop) {
    const [file] = drop.querySelector("input[type=file]").files;
    say(drop, `Sending ${file.name} …`);
  }
});

// Whoever comes back to a page finds it as it was left.
window.addEventListener("pageshow", () => {
  document.querySelectorAll(".drop").forEach((drop) => say(drop, ""));
});
