/** What a screen reader would say of the page by itself: every text that a live region takes on, in order. */
{
  const heard = [];
  globalThis.heard = heard;
  const REGIONS = '[aria-live], [role=status], [role=alert]';
  const last = new Map();

  const look = () => {
    for (const region of document.querySelectorAll(REGIONS)) {
      // A node that is replaced is told of anew, though it says the same.
      const [text, node] = [region.textContent, region.firstChild];
      const before = last.get(region);
      if (before?.text === text && before.node === node) continue;
      last.set(region, { text, node });
      if (text) heard.push(text);
    }
  };
  new MutationObserver(look).observe(document, { subtree: true, childList: true, characterData: true });
}
