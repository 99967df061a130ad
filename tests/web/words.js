/** Every text that each answer has been painted with, in order and without white space, by generation. */
{
  const words = {};
  globalThis.words = words;

  const look = () => {
    for (const answer of document.querySelectorAll('article[data-generation] .answer')) {
      const texts = words[answer.closest('article').dataset.generation] ??= [];
      const text = answer.textContent.replace(/\s+/g, '');
      if (text !== texts.at(-1)) texts.push(text);
    }
    requestAnimationFrame(look);
  };
  requestAnimationFrame(look);
}
