// Keeps JupyterLab's shortcuts off the controls of a view, says in words what buttons are, keeps folds open and the focus
// where it is while parts are drawn anew, halts without the kernel's help, and tells the kernel whether the view can be
// seen. The view works without it, by Tab, Space and Enter.

function render({ model, el }) {
  const view = Math.random().toString(36).slice(2); // one widget may be shown twice
  let killAddress = null; // comes by message only: what is a trait would be saved with the notebook
  let root = null;
  let beat = false;
  let focusing = null;
  let held = null; // what has the focus, and which fold of which part it is
  const openFolds = new WeakMap(); // the numbers of the folds of a part that a person opened
  const justPressed = new WeakSet();
  const undo = [];

  const tell = (content) => { try { model.send({ view, ...content }); } catch { /* The kernel is gone. */ } };
  const news = () => root.querySelector(".hy-news");
  const isOld = () => getComputedStyle(news()).visibility === "visible";
  const listen = (target, name, handler) => {
    target.addEventListener(name, handler, true);
    undo.push(() => target.removeEventListener(name, handler, true));
  };

  // A live figure fits itself to its place only when the window says that sizes have changed.
  let resizing = null;
  const sizes = new ResizeObserver(() => {
    clearTimeout(resizing);
    resizing = setTimeout(() => window.dispatchEvent(new Event("resize")), 50);
  });
  undo.push(() => { sizes.disconnect(); clearTimeout(resizing); });

  // A part that is drawn anew is new to the page: its folds, and the focus, would be as if nobody had touched them.
  const partOf = (node) => node.closest(".widget-html");
  const foldsOf = (part) => [...(part?.querySelectorAll("details") ?? [])];

  // At the press, before the page turns the fold round: what is told of it afterwards may come after a drawing.
  function folding({ target }) {
    const fold = target.closest("summary")?.parentElement;
    const part = fold && partOf(fold);
    if (!part) return;
    const numbers = openFolds.get(part) ?? new Set();
    openFolds.set(part, numbers);
    const number = foldsOf(part).indexOf(fold);
    if (fold.open) numbers.delete(number);
    else numbers.add(number);
  }

  function focused({ target: node }) {
    const part = partOf(node);
    held = { node, part, number: foldsOf(part).indexOf(node.parentElement) };
  }

  function left({ target: node }) {
    // One that was taken away is still to be given back, and one in a window that a person left keeps its focus there.
    queueMicrotask(() => {
      if (held?.node === node && node.isConnected && root.ownerDocument.activeElement !== node) held = null;
    });
  }

  function restore() {
    for (const part of new Set([...root.querySelectorAll("details")].map(partOf))) {
      const numbers = openFolds.get(part);
      if (numbers) foldsOf(part).forEach((fold, number) => { if (numbers.has(number)) fold.open = true; });
    }
    if (!held || held.node.isConnected) return;
    const fold = foldsOf(held.part)[held.number];
    held = null;
    if (root.ownerDocument.activeElement !== root.ownerDocument.body) return;
    (fold?.querySelector("summary") ?? root).focus({ preventScroll: true });
  }

  function mark() {
    restore();
    for (const one of root.querySelectorAll("button, summary, select")) {
      one.setAttribute("data-lm-suppress-shortcuts", "true");
      if (one.tagName !== "BUTTON") continue;
      const words = one.textContent.replace(/^[^\p{L}\p{N}]+/u, "").trim();
      if (words) one.setAttribute("aria-label", words);
      if (one.matches(".widget-toggle-button")) one.setAttribute("aria-pressed", one.matches(".mod-active"));
    }
    for (const group of root.querySelectorAll(".widget-toggle-buttons")) {
      group.setAttribute("role", "group");
      group.setAttribute("aria-label", group.querySelector(".widget-label")?.textContent ?? "");
    }
    for (const plot of root.querySelectorAll(".js-plotly-plot")) sizes.observe(plot);
    if (beat !== news().matches(".hy-beat-b")) {
      beat = !beat;
      news().classList.remove("hy-again");
    }
    // A control that is disabled, or hidden, while it has the focus would leave the next letter to the notebook.
    if (root.ownerDocument.activeElement?.matches?.(":disabled, .hy-hidden")) root.focus({ preventScroll: true });
  }

  // What is typed reaches the kernel a piece at a time, and a press overtakes it: the answer goes with the press, whole.
  function answered(event) {
    event.preventDefault();
    event.stopPropagation();
    const field = root.querySelector(".hy-question input");
    tell({ answer: field.value });
    field.value = ""; // also in the widget, whose value a notebook would save
    field.dispatchEvent(new Event("input", { bubbles: true }));
    root.focus({ preventScroll: true });
  }

  // What gets the focus may be drawn some time after the message that asks for it; a person who goes elsewhere, or who is
  // there by then, comes first: the message reaches every view of the widget, also those that the person is not in.
  function focus(selector) {
    clearInterval(focusing);
    const page = el.ownerDocument;
    const held = page.activeElement;
    if (held !== page.body && !root?.contains(held)) return;
    let looks = 20;
    focusing = setInterval(() => {
      const isElsewhere = () => ![held, root, page.body].includes(page.activeElement);
      if (!isElsewhere()) root?.querySelector(selector)?.focus();
      if (--looks === 0 || isElsewhere()) clearInterval(focusing);
    }, 50);
  }
  undo.push(() => clearInterval(focusing));

  const isOwn = (event) => event.target.closest(".hy-frame") === root; // a ticket may hold the view of its order

  function clicked(event) {
    const button = event.target.closest("button");
    if (!button || !isOwn(event)) return;
    if (button.matches(".hy-kill")) {
      if (killAddress) fetch(killAddress, { method: "POST", mode: "no-cors", keepalive: true }).catch(() => {});
    } else if (isOld() || justPressed.has(button)) {
      event.preventDefault();
      event.stopImmediatePropagation();
    } else if (button.matches(".hy-answer")) {
      answered(event);
    } else if (button.matches(".hy-once")) {
      justPressed.add(button); // until it is disabled, which must wait until the press itself has gone its way
      setTimeout(() => { button.disabled = true; justPressed.delete(button); mark(); });
    }
  }

  function pressed(event) {
    if (!isOwn(event)) return;
    if (event.key === "Escape") {
      const back = root.querySelector(".hy-question:not(.hy-hidden) .hy-back");
      (back ?? root.querySelector(".hy-arm.mod-active:enabled"))?.click();
      root.querySelector(".hy-kill")?.focus();
      event.preventDefault();
      event.stopPropagation();
    } else if (["ArrowUp", "ArrowDown"].includes(event.key) && event.target.closest(".hy-tick")) {
      tell({ ticks: event.key === "ArrowUp" ? 1 : -1 }); // the kernel knows the tick
      event.preventDefault();
    } else if (["Enter", " "].includes(event.key) && isOld() && !event.target.closest(".hy-kill")) {
      event.preventDefault();
      event.stopPropagation();
    } else if (event.key === "Enter" && event.target.matches(".hy-question input")) {
      answered(event);
    }
  }

  function guard() {
    root.tabIndex = -1;
    root.setAttribute("data-lm-suppress-shortcuts", "true");
    root.querySelector(".hy-state-line")?.setAttribute("aria-live", "polite");
    listen(root, "click", clicked);
    listen(root, "keydown", pressed);
    listen(root, "click", folding);
    listen(root, "focusin", focused);
    listen(root, "focusout", left);
    const marks = new MutationObserver(mark);
    const watched = { subtree: true, childList: true, attributes: true, attributeFilter: ["class", "disabled"] };
    marks.observe(root, watched);
    mark();
    let onScreen = true;
    let wasSeen = true;
    const say = () => {
      const seen = onScreen && !document.hidden;
      if (seen && !wasSeen) news().classList.add("hy-again"); // a view that was not seen got no beats: ask before alarm
      wasSeen = seen;
      tell({ visible: seen });
    };
    const sight = new IntersectionObserver((entries) => { onScreen = entries.at(-1).isIntersecting; say(); });
    sight.observe(root);
    listen(document, "visibilitychange", say);
    undo.push(() => { marks.disconnect(); sight.disconnect(); tell({ visible: null }); });
  }

  function heard(message) {
    if ("kill_address" in message) killAddress = message.kill_address;
    if ("focus" in message) focus(message.focus);
  }

  model.on("msg:custom", heard);
  undo.push(() => model.off("msg:custom", heard));
  tell({ ask: "kill_address" });
  const wait = setInterval(() => {
    root = el.closest(".hy-frame");
    if (root) { clearInterval(wait); guard(); }
  }, 50);
  undo.push(() => clearInterval(wait));
  return () => undo.forEach((one) => one());
}

export default { render };
