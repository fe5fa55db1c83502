// SPDX-License-Identifier: MIT
// @rudderstack/rudder-sdk-node against the daemon: gzip, originalTimestamp alone, traits in the context.
// EDGE_KILL_CYCLES: how often the daemon is killed (5).
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import Rudder from '@rudderstack/rudder-sdk-node';
import { startDaemon } from './daemon.mjs';
import { countById, killWhile, storedEvents, until } from './stored_events.mjs';

const kKills = Number(process.env.EDGE_KILL_CYCLES ?? 5);

let daemon;
before(async () => {
  daemon = await startDaemon({ config: '[[sources]]\nname = "backend"\nkey = "WK_RUDDER"\nkind = "server"\n' });
});
after(() => daemon.stop());

const client = (settings = {}) =>
  new Rudder('WK_RUDDER', { dataPlaneUrl: daemon.url, logLevel: 'none', errorHandler: () => {}, flushInterval: 50, ...settings });
const flush = (rudder) => new Promise((resolve) => rudder.flush(resolve));

/** Waits until the daemon has stored what `isThere` looks for. */
async function stored(isThere) {
  let events;
  await until(`stored:\n${daemon.log()}`, async () => {
    events = await storedEvents(daemon).catch(() => []);
    return isThere(events);
  });
  return events;
}

test('every type of event arrives as it was sent', async () => {
  const rudder = client();
  const who = { userId: 'r-1', anonymousId: 'anon-r' };
  rudder.identify({ ...who, traits: { plan: 'free' } });
  rudder.track({ ...who, event: 'Opened', properties: { depth: 2 } });
  rudder.page({ ...who, name: 'Home' });
  rudder.screen({ ...who, name: 'Start' });
  rudder.group({ ...who, groupId: 'g-r', traits: { seats: 4 } });
  rudder.alias({ userId: 'r-1', previousId: 'r-0' });
  await flush(rudder);

  const events = await stored((all) => all.length >= 6);

  const byType = Object.fromEntries(events.map((event) => [event.type, event]));
  assert.deepEqual(Object.keys(byType).sort(), ['alias', 'group', 'identify', 'page', 'screen', 'track']);
  assert.equal(byType.track.properties.depth, 2);
  assert.equal(byType.identify.traits.plan, 'free');
  assert.ok(Math.abs(Date.parse(byType.track.timestamp) - Date.now()) < 60_000);
});

test(`nothing is lost or stored twice through ${kKills} kills`, async () => {
  const rudder = client({
    flushAt: 10,
    axiosRetryConfig: { retries: 200, retryDelay: () => 50, retryCondition: () => true },
  });
  const sent = await killWhile(daemon, kKills, (i) =>
    rudder.track({ userId: `r-${i % 7}`, event: 'Killed', messageId: `kill-${i}`, properties: { i } }));
  await flush(rudder);

  const events = await stored((all) => all.filter((event) => event.event === 'Killed').length >= sent);

  const counts = countById(events.filter((event) => event.event === 'Killed'));
  assert.equal(counts.size, sent);
  assert.deepEqual([...counts.values()].filter((count) => count !== 1), []);
});
