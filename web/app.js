// The page: shows one conversation, and turns keys and clicks into questions and stops.

import { Conversation } from './conversation.js';
import { Models } from './models.js';
import * as session from './session.js';
import { Status } from './status.js';
import { Turns } from './turns.js';

const NEAR_THE_END_PX = 80;

const by = (id) => document.getElementById(id);
const prompt = by('prompt');
const turns = new Turns(by('turns'), by('turn'));
const models = new Models(by('models'), by('model'));
const status = new Status(by('connection'), by('notice'));

let conversation = null;
let following = true; // the reader is at the end of the page, and stays there while it grows
let drawing = 0;

function enter(id) {
  conversation?.close();
  conversation = new Conversation(id, draw);
  following = true;
  draw();
}

/** Draw at the screen's next frame, once, however many chunks arrive before it. */
function draw() {
  drawing ||= requestAnimationFrame(() => {
    drawing = 0;
    const { view, state } = conversation;
    turns.show(view.answers);
    status.show(conversation);
    by('hint').hidden = state !== 'connected' || view.answers.size > 0;
    drawButtons();
    if (following) window.scrollTo(0, document.documentElement.scrollHeight);
  });
}

function drawButtons() {
  const { running, stopping, asking, view } = conversation;
  by('stop').hidden = !running;
  by('stop').disabled = running && stopping === view.last.generation;
  by('send').disabled = asking || !prompt.value.trim();
}

async function send() {
  const asked = prompt.value;
  const here = conversation;
  if (here.asking || !asked.trim()) return;
  following = true;
  const taken = await here.ask(asked, models.chosen());
  // The reader may have gone elsewhere or typed on while the question was on its way.
  if (!taken || here !== conversation || prompt.value !== asked) return;
  prompt.value = '';
  draw();
}

by('ask').addEventListener('submit', (event) => {
  event.preventDefault();
  send();
});
prompt.addEventListener('input', draw);
prompt.addEventListener('keydown', (event) => {
  // While an input method composes, Enter takes its suggestion and must not send.
  if (event.key !== 'Enter' || event.shiftKey || event.isComposing) return;
  event.preventDefault();
  send();
});
by('stop').addEventListener('click', () => conversation.stop());
by('new').addEventListener('click', () => {
  enter(session.begin());
  prompt.focus();
});
window.addEventListener('popstate', () => enter(session.current()));
window.addEventListener('resize', draw);
window.addEventListener('scroll', () => {
  const { scrollHeight, scrollTop, clientHeight } = document.documentElement;
  following = scrollHeight - scrollTop - clientHeight < NEAR_THE_END_PX;
}, { passive: true });

models.load();
enter(session.current());
