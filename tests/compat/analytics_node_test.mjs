// SPDX-License-Identifier: MIT
// @segment/analytics-node against the daemon. EDGE_KILL_CYCLES: how often it is killed (5).
import assert from 'node:assert/strict';
import { setMaxListeners } from 'node:events';
import { after, before, test } from 'node:test';
import { Analytics } from '@segment/analytics-node';
import { startDaemon } from './daemon.mjs';
import { countById, killWhile, storedEvents } from './stored_events.mjs';

const kKills = Number(process.env.EDGE_KILL_CYCLES ?? 5);

let daemon;
before(async () => {
  daemon = await startDaemon({ config: '[[sources]]\nname = "backend"\nkey = "WK_NODE"\nkind = "server"\n' });
});
after(() => daemon.stop());

const client = (settings = {}) => new Analytics({ writeKey: 'WK_NODE', host: daemon.url, ...settings });

test('every type of event arrives as it was sent', async () => {
  const analytics = client();
  const who = { userId: 'u-node', context: { ip: '203.0.113.9' } };
  analytics.identify({ ...who, traits: { plan: 'pro', revenue: 12_000 } });
  analytics.track({ ...who, event: 'Order Completed', properties: { total: 99.5, items: [1, 'zwei'] } });
  analytics.page({ ...who, name: 'Home', category: 'Docs', properties: { url: 'https://x.example/?utm_source=s' } });
  analytics.screen({ ...who, name: 'Start' });
  analytics.group({ ...who, groupId: 'g-1', traits: { name: 'ACME' } });
  analytics.alias({ userId: 'u-node', previousId: 'u-before' });

  await analytics.closeAndFlush();

  const events = await storedEvents(daemon);
  const byType = Object.fromEntries(events.map((event) => [event.type, event]));
  assert.deepEqual(Object.keys(byType).sort(), ['alias', 'group', 'identify', 'page', 'screen', 'track']);
  assert.deepEqual(byType.track.properties, { total: 99.5, items: [1, 'zwei'] });
  assert.equal(byType.identify.traits.plan, 'pro');
  assert.equal(byType.page.context.campaign.source, 's');
  assert.equal(byType.group.groupId, 'g-1');
  assert.equal(byType.alias.previousId, 'u-before');
  assert.equal(byType.track.context.ip, '203.0.113.0');
  assert.equal(byType.track.context.library.name, '@segment/analytics-node');
});

test('an event above the limit spoils no other', async () => {
  const analytics = client({ flushAt: 3 });
  analytics.track({ userId: 'u-big', event: 'Small 1' });
  analytics.track({ userId: 'u-big', event: 'Large', properties: { text: 'x'.repeat(32_500) } });
  analytics.track({ userId: 'u-big', event: 'Small 2' });

  await analytics.closeAndFlush();

  const names = (await storedEvents(daemon)).filter((event) => event.userId === 'u-big').map((event) => event.event);
  assert.deepEqual(names.sort(), ['Small 1', 'Small 2']);
});

test(`nothing is lost or stored twice through ${kKills} kills`, async () => {
  setMaxListeners(0);  // the client adds one for each batch that waits
  const analytics = client({ flushAt: 10, maxRetries: 100, httpRequestTimeout: 2_000 });
  const acknowledged = new Set();
  const failed = [];

  const sent = await killWhile(daemon, kKills, (i) => analytics.track(
    { userId: `u-${i % 7}`, event: 'Killed', properties: { i } },
    (error, context) => (error ? failed.push(error) : acknowledged.add(context.event.messageId))));
  await analytics.closeAndFlush({ timeout: 60_000 });

  const counts = countById((await storedEvents(daemon)).filter((event) => event.event === 'Killed'));
  assert.deepEqual(failed, []);
  assert.equal(acknowledged.size, sent);
  assert.deepEqual([...acknowledged].filter((id) => counts.get(id) !== 1), []);
  assert.equal(counts.size, sent);
});
