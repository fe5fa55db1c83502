// SPDX-License-Identifier: MIT
// What a daemon has stored, and kills while a client sends.

/** All stored events, oldest first. */
export async function storedEvents(daemon) {
  const items = [];
  let cursor = '';
  do {
    const page = await fetch(`${daemon.url}/cdp/events?limit=500${cursor && `&cursor=${encodeURIComponent(cursor)}`}`, {
      headers: { Authorization: `Bearer ${daemon.key}` },
    });
    if (page.status !== 200) throw new Error(`GET /cdp/events: ${page.status} ${await page.text()}`);
    const body = await page.json();
    items.push(...body.items);
    cursor = body.next ?? '';
  } while (cursor !== '');
  return items.reverse();
}

/** How often each messageId was stored. */
export function countById(events) {
  const counts = new Map();
  for (const { messageId } of events) counts.set(messageId, (counts.get(messageId) ?? 0) + 1);
  return counts;
}

/**
 * Calls `send` with 0, 1, 2 … all the time, ten times and then a pause in ms, while the daemon is killed `times` times at
 * random moments; resolves with how often it was called.
 */
export async function killWhile(daemon, times, send, pause = 15) {
  let killing = true;
  const sender = (async () => {
    let i = 0;
    for (; killing || i % 10 !== 0; ++i) {
      send(i);
      if (i % 10 === 9) await new Promise((resolve) => setTimeout(resolve, pause));
    }
    return i;
  })();
  for (let kill = 0; kill < times; ++kill) {
    await new Promise((resolve) => setTimeout(resolve, 40 + Math.random() * 160));
    await daemon.killAndRestart();
  }
  killing = false;
  return sender;
}

/** Asks until it is so; fails after a minute, naming what was waited for. */
export async function until(what, isSo) {
  for (const end = Date.now() + 60_000; Date.now() < end;) {
    if (await isSo()) return;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  throw new Error(`never happened: ${what}`);
}
