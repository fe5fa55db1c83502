// SPDX-License-Identifier: MIT
// Clients → daemon → destinations whose receivers fail, throttle, hang, cut connections or refuse: nothing is lost, what comes
// twice has the same dedupe id, and the destination that works waits for none of them.
import assert from 'node:assert/strict';
import { setMaxListeners } from 'node:events';
import { after, before, test } from 'node:test';
import Rudder from '@rudderstack/rudder-sdk-node';
import { Analytics } from '@segment/analytics-node';
import { loadAnalytics, openPage } from './browser.mjs';
import { post, startDaemon } from './daemon.mjs';
import { answers, cuts, hangs, startReceiver, well } from './receiver.mjs';
import { killWhile, until } from './stored_events.mjs';

const kEvents = 20;
const kOrigin = 'https://shop.example';
setMaxListeners(0);  // clients add one for each batch that waits

/** Pairs of (number, dedupe id) of what one request carried. */
const kInHook = ({ headers, body }) => [[body.properties.i, headers['webhook-id']]];
const kInSegment = ({ body }) => body.batch.map((event) => [event.properties.i, event.messageId]);
const kInAmplitude = ({ body }) => body.events.map((event) => [event.event_properties.i, event.insert_id]);
const kInMixpanel = ({ body }) => body.map((event) => [event.properties.i, event.properties.$insert_id]);

/** Destinations by name: type, what the receiver does until it is told otherwise, and whether it may have taken what failed. */
const kDestinations = {
  fine: { type: 'webhook', pairs: kInHook, reaction: well },
  failing: { type: 'amplitude', pairs: kInAmplitude, reaction: answers(500) },
  throttling: { type: 'segment', pairs: kInSegment, reaction: answers(429, { 'Retry-After': '1' }) },
  hanging: { type: 'mixpanel', pairs: kInMixpanel, reaction: hangs },
  cutting: { type: 'webhook', pairs: kInHook, reaction: cuts },
  refusing: { type: 'webhook', pairs: kInHook, reaction: answers(400) },
};
const kBad = Object.keys(kDestinations).filter((name) => name !== 'fine');

let daemon;
let closePage;
const receivers = {};
before(async () => {
  daemon = await startDaemon({
    config: '[outbound]\nallow_http = true\nallow_private = ["127.0.0.1"]\n' +
      '[[sources]]\nname = "backend"\nkey = "WK"\nkind = "server"\n' +
      `[[sources]]\nname = "shop"\nkey = "WK_WEB"\nkind = "browser"\norigins = ["${kOrigin}"]\n`,
  });
  closePage = openPage(kOrigin, '/');
  for (const [name, { type }] of Object.entries(kDestinations)) {
    receivers[name] = await startReceiver();
    const made = await post(daemon, '/cdp/destinations', {
      name, type, config: { url: receivers[name].url, ...(type !== 'webhook' && { token: 'TEST' }) },
      lingerMs: type === 'webhook' ? 0 : 20, timeoutMs: 300, retry: { baseMs: 20, capMs: 100 },
    });
    assert.equal(made.status, 200, JSON.stringify(made.body));
  }
});
after(async () => {
  for (const receiver of Object.values(receivers)) receiver.close();
  await closePage();
  await daemon.stop();
});

/** Each takes `send(i)` for the event of that number and `end()`. */
const kClients = {
  '@segment/analytics-node': () => {
    const analytics = new Analytics({ writeKey: 'WK', host: daemon.url, flushAt: 5, maxRetries: 100, httpRequestTimeout: 2_000 });
    return {
      send: (i) => analytics.track({ userId: `u-${i % 3}`, event: 'Bought', properties: { i } }),
      end: () => analytics.closeAndFlush({ timeout: 60_000 }),
    };
  },
  '@segment/analytics-next': async () => {
    const { analytics } = await loadAnalytics(daemon, 'WK_WEB');
    const sent = [];
    return { send: (i) => sent.push(analytics.track('Bought', { i })), end: () => Promise.all(sent) };
  },
  '@rudderstack/rudder-sdk-node': () => {
    const rudder = new Rudder('WK', { dataPlaneUrl: daemon.url, logLevel: 'none', errorHandler: () => {}, flushInterval: 50 });
    return {
      send: (i) => rudder.track({ userId: `u-${i % 3}`, event: 'Bought', properties: { i } }),
      end: () => new Promise((resolve) => rudder.flush(resolve)),
    };
  },
};

/** Lets the bad receivers be bad and forgets what all have received. */
function misbehave() {
  for (const [name, { reaction }] of Object.entries(kDestinations)) {
    receivers[name].requests.length = 0;
    receivers[name].behave(reaction);
  }
}

/** How often each number was taken (answered 2xx), and under which dedupe ids it was ever sent. */
function seen(name) {
  const taken = new Map();
  const ids = new Map();
  for (const request of receivers[name].requests) {
    for (const [i, id] of kDestinations[name].pairs(request)) {
      ids.set(i, (ids.get(i) ?? new Set()).add(id));
      if (request.status === 200) taken.set(i, (taken.get(i) ?? 0) + 1);
    }
  }
  return { taken, ids };
}

const takes = (name, count) => until(`${name} has ${count} events`, () => seen(name).taken.size >= count);
const deadLetters = async () => {
  const answer = await fetch(`${daemon.url}/cdp/dead-letters?limit=200`, { headers: { Authorization: `Bearer ${daemon.key}` } });
  return answer.json();
};

/** What must hold of `count` events once everybody has taken them; `once`: by whom exactly once. */
function checkAll(count, once) {
  for (const name of Object.keys(kDestinations)) {
    const { taken, ids } = seen(name);
    assert.deepEqual([...taken.keys()].sort((a, b) => a - b), [...Array(count).keys()], name);
    assert.deepEqual([...ids.values()].filter((all) => all.size !== 1), [], `${name}: one dedupe id per event`);
    assert.equal(new Set([...ids.values()].map((all) => [...all][0])).size, count, `${name}: an id of its own per event`);
    if (once.includes(name)) assert.deepEqual([...taken.values()].filter((times) => times !== 1), [], `${name}: each once`);
  }
}

/** The refused ones lie there as dead letters until they are replayed. */
async function replayDeadLetters(count) {
  await until(`${count} dead letters`, async () => (await deadLetters()).total >= count);
  const { total, items } = await deadLetters();
  assert.equal(total, count);
  assert.deepEqual([...new Set(items.map((item) => `${item.destination} ${item.status}`))], ['refusing 400']);
  receivers.refusing.behave(well);
  const replay = await post(daemon, '/cdp/dead-letters/replay', { destination: 'refusing' });
  assert.equal(replay.body.replayed, count);
  await takes('refusing', count);
  await until('no dead letter is left', async () => (await deadLetters()).total === 0);
}

for (const [name, open] of Object.entries(kClients)) {
  test(`${name}: bad receivers lose nothing and hold up nobody`, async () => {
    misbehave();
    const client = await open();
    for (let i = 0; i < kEvents; ++i) client.send(i);
    await client.end();

    await takes('fine', kEvents);  // while all others are bad
    await Promise.all(kBad.map((bad) =>
      until(`${bad} is asked again`, () => receivers[bad].requests.length > (bad === 'refusing' ? 0 : 2))));
    for (const bad of kBad) assert.equal(seen(bad).taken.size, 0, bad);
    await replayDeadLetters(kEvents);
    for (const bad of kBad) receivers[bad].behave(well);
    await Promise.all(kBad.map((bad) => takes(bad, kEvents)));

    checkAll(kEvents, Object.keys(kDestinations));
  });
}

test('kills between clients and bad receivers lose nothing', async () => {
  misbehave();
  const client = await kClients['@segment/analytics-node']();
  const sent = await killWhile(daemon, 3, client.send, 50);
  await client.end();
  await takes('fine', sent);
  await daemon.killAndRestart();  // with everything else undelivered, some of it in flight
  await replayDeadLetters(sent);
  for (const bad of kBad) receivers[bad].behave(well);
  await Promise.all(kBad.map((bad) => takes(bad, sent)));

  checkAll(sent, []);
});
