// One session as it is shown: its feed, its view, and what is on its way to the server. No DOM.

import { ask, stop } from './api.js';
import { Feed } from './feed.js';
import { View } from './fold.js';

/** Lives while its session is shown. `changed` is called whenever the screen may have to look different. */
export class Conversation {
  view = new View();
  /** `connecting` until the first connection stands or fails; then `connected` or `reconnecting`. */
  state = 'connecting';
  /** What the reader should know, or nothing. */
  notice = '';
  /** A question is on its way. */
  asking = false;
  /** The generation whose stop is on its way, or 0. */
  stopping = 0;
  #changed;
  #feed;

  constructor(id, changed) {
    this.id = id;
    this.#changed = changed;
    this.#feed = new Feed(id, {
      cursor: () => this.view.cursor,
      frame: (frameId, event) => this.#take(frameId, event),
      state: (state) => this.#become({ state }),
    });
  }

  /** Whether the youngest answer is still being written, as far as is known here. */
  get running() {
    return this.view.last?.status === 'running';
  }

  /** Ask; answers whether the question was taken. If not, `notice` says why. */
  async ask(prompt, choice) {
    this.#become({ asking: true, notice: '' });
    try {
      await ask({ sessionId: this.id, prompt, ...choice }, () => {
        this.#become({ notice: 'The server is not ready; trying again …' });
      });
      this.#become({ asking: false, notice: '' });
      return true;
    } catch (refusal) {
      const busy = refusal.code === 'generation_running';
      this.#become({ asking: false, notice: busy ? 'An answer is still being written.' : refusal.message });
      return false;
    }
  }

  /** Stop the youngest answer. What it became is told by its terminal entry, not by the reply. */
  async stop() {
    const { generation } = this.view.last;
    this.#become({ stopping: generation, notice: '' });
    try {
      const { stopped } = await stop(this.id, generation);
      if (stopped === false) this.#become({ stopping: 0 });
    } catch (refusal) {
      this.#become({ stopping: 0, notice: refusal.message });
    }
  }

  /** Leave the session. What is on its way still arrives, and what runs goes on. */
  close() {
    this.#changed = () => {};
    this.#feed.close();
  }

  #take(id, event) {
    const ran = this.running;
    this.view.apply(id, event);
    // What was said of an answer that ran no longer holds when it has ended.
    if (ran && !this.running) this.notice = '';
    this.#changed();
  }

  #become(change) {
    Object.assign(this, change);
    this.#changed();
  }
}
