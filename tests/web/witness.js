/** What happens in a page, for the tests: how its connection stood, what the content policy refused. */
{
  const witness = { connections: [], refused: [] };
  globalThis.witness = witness;

  new MutationObserver(() => {
    const state = document.querySelector('[data-connection]')?.dataset.connection;
    if (state && state !== witness.connections.at(-1)) witness.connections.push(state);
  }).observe(document, { subtree: true, childList: true, attributes: true, attributeFilter: ['data-connection'] });

  document.addEventListener('securitypolicyviolation', ({ effectiveDirective, blockedURI, sample }) => {
    witness.refused.push(`${effectiveDirective} ${blockedURI} ${sample}`);
  });
}
