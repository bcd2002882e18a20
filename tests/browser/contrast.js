// Every piece of text on the page with its contrast to what lies behind it.
() => {
  const parts = (colour) => colour.match(/[\d.]+/g).map(Number);
  const linear = (v) => (v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
  const light = (colour) => {
    const [r, g, b] = parts(colour).slice(0, 3).map((v) => linear(v / 255));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const back = (item) => {
    for (; item; item = item.parentElement) {
      const colour = getComputedStyle(item).backgroundColor;
      if ((parts(colour)[3] ?? 1) > 0) return colour;
    }
    return "rgb(255, 255, 255)";
  };
  const found = [];
  for (const item of document.querySelectorAll("body *")) {
    const own = [...item.childNodes].some((node) => node.nodeType === 3 && node.textContent.trim());
    if (!own || !item.checkVisibility() || item.closest("svg")) continue;
    const [one, other] = [light(getComputedStyle(item).color), light(back(item))].sort((a, b) => b - a);
    found.push([(one + 0.05) / (other + 0.05), item.outerHTML.slice(0, 80)]);
  }
  return found;
}
