// Run by `node --test web/*.test.js`. The cases in tests/contract are shared with the Python fold.

import assert from 'node:assert/strict';
import { readFileSync, readdirSync } from 'node:fs';
import { test } from 'node:test';

import { View } from './fold.js';

const started = (generation, more = {}) => (
  { type: 'metadata', status: 'started', generation, attempt: 1, ...more }
);
const chunk = (generation, content) => ({ type: 'chunk', generation, content });
const ended = (status, generation, more = {}) => ({ type: 'metadata', status, generation, ...more });

const STORY = [
  ['1767225600000-0', started(1, { prompt: 'Why?', provider: 'demo', model: 'demo' })],
  ['1767225600000-1', { type: 'reasoning', generation: 1, content: 'Hm. ' }],
  ['1767225600000-2', { type: 'reasoning', generation: 1, content: 'Well.' }],
  ['1767225600000-3', chunk(1, 'Be')],
  ['1767225600000-9', chunk(1, 'cau')],
  ['1767225600000-10', chunk(1, 'se \u0000\u2028👩‍🚀.')],
  ['1767225600000-11', ended('completed', 1, { chunks: 3, ttftMs: 412 })],
  ['1767225700000-0', started(2, { prompt: 'And then?' })],
  ['1767225700000-1', chunk(2, 'Half an ')],
  ['1767225700000-2', ended('stopped', 2)],
  ['1767225800000-0', started(3, { prompt: 'Once more', replaces: 2 })],
  ['1767225800000-1', ended('failed', 3, { code: 'provider_cut', error: 'The provider hung up.' })],
];

const fold = (frames, view = new View()) => {
  for (const [id, event] of frames) view.apply(id, event);
  return view;
};
const shown = ({ cursor, answers }) => (
  { cursor, answers: [...answers.values()].map((answer) => ({ ...answer })) }
);

const CONTRACT = new URL('../tests/contract/', import.meta.url);
const cases = readdirSync(CONTRACT).filter((name) => name.endsWith('.json')).sort();

test('there are shared cases', () => assert.ok(cases.length > 5));

for (const name of cases) {
  const { about, frames, cursor, answers } = JSON.parse(readFileSync(new URL(name, CONTRACT), 'utf8'));
  test(`${name}: ${about}`, () => assert.deepEqual(shown(fold(frames)), { cursor, answers }));
}

test('a story folds to its prompts, words and ends', () => {
  const [first, second, third] = fold(STORY).answers.values();
  assert.equal(first.prompt, 'Why?');
  assert.equal(first.reasoning, 'Hm. Well.');
  assert.equal(first.text, 'Because \u0000\u2028👩‍🚀.');
  assert.equal(first.status, 'completed');
  assert.equal(first.end.ttftMs, 412);
  assert.equal(second.text, 'Half an ');
  assert.equal(second.status, 'stopped');
  assert.equal(third.replaces, 2);
  assert.equal(third.end.code, 'provider_cut');
});

test('a viewer cut at any entry, and sent any of it again, ends with the same', () => {
  const whole = shown(fold(STORY));
  for (let cut = 0; cut <= STORY.length; cut++) {
    for (let again = 0; again <= cut; again++) {
      assert.deepEqual(shown(fold(STORY.slice(again), fold(STORY.slice(0, cut)))), whole, `${cut}, ${again}`);
    }
  }
});

test('positions are compared as numbers, beyond what a double holds', () => {
  const view = fold([
    ['9007199254740993-9', chunk(1, 'a')],
    ['9007199254740993-10', chunk(1, 'b')],
    ['9007199254740992-11', chunk(1, 'x')],
    ['9007199254740993-9', chunk(1, 'x')],
    ['18446744073709551615-18446744073709551615', chunk(1, 'c')],
  ]);
  assert.equal(view.last.text, 'abc');
  assert.equal(view.cursor, '18446744073709551615-18446744073709551615');
});

test('a new attempt voids what an earlier one said, and keeps its place', () => {
  const view = fold([
    ['1-0', started(1, { prompt: 'one' })],
    ['1-1', chunk(1, 'lost')],
    ['2-0', started(1, { prompt: 'one', attempt: 2 })],
    ['2-1', chunk(1, 'kept')],
    ['2-2', ended('completed', 1)],
    ['3-0', started(2)],
  ]);
  assert.deepEqual([...view.answers.keys()], [1, 2]);
  assert.equal(view.answers.get(1).text, 'kept');
  assert.equal(view.answers.get(1).attempt, 2);
});

test('a reset forgets everything, the cursor too, though EventSource repeats the last id on it', () => {
  const view = fold([...STORY, ['1767225800000-1', { type: 'reset', reason: 'gone' }]]);
  assert.deepEqual(shown(view), { cursor: '', answers: [] });
  assert.equal(view.last, undefined);
  assert.deepEqual(shown(fold(STORY, view)), shown(fold(STORY)));
});

test('an unknown type moves the position only', () => {
  const view = fold([['1-0', started(1)], ['1-1', { type: 'weather', generation: 7, content: 'rain' }]]);
  assert.equal(view.cursor, '1-1');
  assert.deepEqual([...view.answers.keys()], [1]);
  assert.equal(view.last.text, '');
});

test('words of a foreign writer that names no generation belong to the one that runs', () => {
  const start = { type: 'metadata', status: 'started' };
  const view = fold([['1-0', start], ['1-1', { type: 'chunk', content: 'hi' }]]);
  assert.equal(view.answers.get(1).text, 'hi');
});

test('an id that is none is refused and changes nothing', () => {
  const view = fold([['1-0', started(1)]]);
  const before = shown(view);
  for (const id of ['1', '1-', '-1', '1-1-1', 'a-b', '1-1 ', '0x1-1']) {
    assert.throws(() => view.apply(id, chunk(1, 'x')), SyntaxError, id);
  }
  assert.deepEqual(shown(view), before);
});
