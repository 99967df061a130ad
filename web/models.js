// The choice of provider and model.

import { models } from './api.js';

/** A select filled from the server; hidden until there is something to choose. */
export class Models {
  #field;
  #select;
  #choices = [];

  /** `field` is shown or hidden as a whole; `select` is inside it. */
  constructor(field, select) {
    this.#field = field;
    this.#select = select;
  }

  /** Fill the select; a failure leaves it hidden, and the server's default is used. */
  async load() {
    const answer = await models().catch(() => null);
    if (answer?.providers && !this.#choices.length) this.#fill(answer);
  }

  /** What goes along with a question: `{provider, model}`, or nothing. */
  chosen() {
    return this.#choices[this.#select.value] ?? {};
  }

  #fill(answer) {
    for (const { name, models: names } of answer.providers) {
      const group = document.createElement('optgroup');
      group.label = name;
      for (const model of names) group.append(this.#option({ provider: name, model }, answer.default));
      this.#select.append(group);
    }
    this.#field.hidden = !this.#choices.length;
  }

  #option(choice, preferred) {
    const option = document.createElement('option');
    option.value = this.#choices.push(choice) - 1;
    option.textContent = choice.model;
    option.selected = choice.provider === preferred?.provider && choice.model === preferred?.model;
    return option;
  }
}
