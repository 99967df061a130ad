// The session's id: in the address, to be opened elsewhere; in localStorage, for `/` to find it again.

import { nanoid } from './vendor/nanoid.js';

const STORED = 'rejoin.session';
const PARAMETER = 'session';

/** The id in the address, else the one used last, else a new one; address and storage then hold it. */
export function current() {
  const id = [fromAddress(), fromStorage()].find(isSession) ?? nanoid();
  history.replaceState(null, '', address(id));
  store(id);
  return id;
}

/** A new id, a step further in the browser's history: Back returns to the conversation that was left. */
export function begin() {
  const id = nanoid();
  history.pushState(null, '', address(id));
  store(id);
  return id;
}

function isSession(id) {
  return /^[A-Za-z0-9_-]{8,64}$/.test(id ?? '');
}

function fromAddress() {
  return new URLSearchParams(location.search).get(PARAMETER);
}

function address(id) {
  const url = new URL(location.href);
  url.searchParams.set(PARAMETER, id);
  return url;
}

function fromStorage() {
  try {
    return localStorage.getItem(STORED);
  } catch {
    return null; // storage is forbidden here; the address alone still carries the session
  }
}

function store(id) {
  try {
    localStorage.setItem(STORED, id);
  } catch {
    // as above
  }
}
