// SPDX-License-Identifier: MIT
// The part of Optimizely's JavaScript SDK that talks to its data platform, which is the daemon here: the datafile's
// integration points to it.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { createInstance, createOdpManager, createStaticProjectConfigManager } from '@optimizely/optimizely-sdk';

import { post, startDaemon } from './daemon.mjs';
import { remoteFlags } from './remote_flags.mjs';

let daemon;
let client;

before(async () => {
  daemon = await startDaemon({ config: '[[sources]]\nname = "site"\nkey = "public_key"\n' });
  const datafile = {
    ...remoteFlags(), integrations: [{ key: 'odp', host: daemon.url, publicKey: 'public_key', pixelUrl: '' }],
  };
  client = createInstance({
    projectConfigManager: createStaticProjectConfigManager({ datafile: JSON.stringify(datafile) }),
    odpManager: createOdpManager({ eventBatchSize: 1, eventFlushInterval: 10, segmentsCacheSize: 0 }),
  });
  await client.onReady({ timeout: 10_000 });
});

after(async () => {
  await client.close();
  await daemon.stop();
});

test('segments of the daemon qualify users in the SDK', async () => {
  const answer = await post(daemon, '/cdp/identify', { userId: 'spender', traits: { revenue: 25000, plan: 'pro' } });
  assert.equal(answer.status, 200);
  const user = client.createUserContext('spender');

  assert.equal(await user.fetchQualifiedSegments(), true);

  assert.deepEqual(user.qualifiedSegments, ['high_value']);  // of those that the datafile names
  assert.equal(user.decide('for_spenders').enabled, true);
});

test('a user in no segment gets an empty list, an unknown one none', async () => {
  await post(daemon, '/cdp/identify', { userId: 'saver', traits: { revenue: 5 } });
  const saver = client.createUserContext('saver');
  const stranger = client.createUserContext('stranger-without-events');

  assert.equal(await saver.fetchQualifiedSegments(), true);
  assert.deepEqual(saver.qualifiedSegments, []);

  const answer = await fetch(`${daemon.url}/v3/graphql`, {
    method: 'POST', headers: { 'Content-Type': 'application/json', 'x-api-key': 'public_key' },
    body: JSON.stringify({ query: 'query {customer(fs_user_id : "nobody") {audiences(subset: ["high_value"]) {edges {node {name state}}}}}' }),
  });
  assert.equal((await answer.json()).errors[0].extensions.code, 'INVALID_IDENTIFIER_EXCEPTION');
  assert.equal(stranger.isQualifiedFor('high_value'), false);
});

/** The events of a user, as soon as there are any. */
async function eventsOf(user) {
  for (;;) {
    const answer = await fetch(`${daemon.url}/cdp/events?userId=${user}`, { headers: { Authorization: `Bearer ${daemon.key}` } });
    const { items } = await answer.json();
    if (items.length > 0) return items;
  }
}

test('events of the SDK become events of the daemon', { timeout: 20_000 }, async () => {
  client.sendOdpEvent('purchased', 'shop', new Map([['fs_user_id', 'buyer'], ['email', 'buyer@example.com']]),
    new Map([['total', 12.5]]));

  const [event] = await eventsOf('buyer');

  assert.equal(event.type, 'track');
  assert.equal(event.event, 'shop.purchased');
  assert.equal(event.properties.total, 12.5);
  assert.equal(event.messageId, event.properties.idempotence_id);
  assert.equal(event.context.traits.email, 'buyer@example.com');
  const profile = await post(daemon, '/cdp/profile', { email: 'buyer@example.com' });
  assert.equal(profile.body.userId, 'buyer');
});

test('identification joins the two names of a person', { timeout: 20_000 }, async () => {
  client.sendOdpEvent('identified', 'fullstack', new Map([['fs_user_id', 'known'], ['vuid', 'vuid_1']]));

  const [event] = await eventsOf('known');

  assert.equal(event.type, 'identify');
  const profile = await post(daemon, '/cdp/profile', { anonymousId: 'vuid_1' });
  assert.equal(profile.body.userId, 'known');
});

test('another key is refused', async () => {
  for (const path of ['/v3/graphql', '/v3/events']) {
    const answer = await fetch(daemon.url + path, {
      method: 'POST', headers: { 'Content-Type': 'application/json', 'x-api-key': 'another' }, body: '[]',
    });
    assert.equal(answer.status, 401, path);
  }
});
