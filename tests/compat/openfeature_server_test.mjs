// SPDX-License-Identifier: MIT
// OpenFeature's server SDK with its remote evaluation provider.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { OFREPProvider } from '@openfeature/ofrep-provider';
import { OpenFeature } from '@openfeature/server-sdk';

import { post, startDaemon, vectorDatafile } from './daemon.mjs';
import { openReference } from './reference.mjs';
import { remoteFlags } from './remote_flags.mjs';

let daemon;
let client;
const user = { targetingKey: 'user-1' };

async function connect(name, options) {
  await OpenFeature.setProviderAndWait(name, new OFREPProvider(options));
  return OpenFeature.getClient(name);
}

/** The value of a key, asked for as what `like` is. */
function valueOf(remote, key, like, context) {
  if (typeof like === 'boolean') return remote.getBooleanValue(key, !like, context);
  if (typeof like === 'number') return remote.getNumberValue(key, like + 1, context);
  if (typeof like === 'string') return remote.getStringValue(key, `${like}?`, context);
  return remote.getObjectValue(key, {}, context);
}

before(async () => {
  daemon = await startDaemon({ datafile: remoteFlags() });
  client = await connect('flags', { baseUrl: daemon.url });
});

after(async () => {
  await OpenFeature.close();
  await daemon.stop();
});

test('a flag is a boolean with variant, reason and metadata', async () => {
  const details = await client.getBooleanDetails('switch', false, user);

  assert.equal(details.value, true);
  assert.equal(details.variant, 'on');
  assert.equal(details.reason, 'STATIC');
  assert.deepEqual(details.flagMetadata, {
    flagKey: 'switch', ruleKey: 'rule-1', ruleType: 'rollout', experimentId: 'rule-1', variationId: '91', enabled: true,
    revision: '1',
  });
});

test('variables are values of their types', async () => {
  assert.equal(await client.getStringValue('banner', 'none', user), 'hello');
  assert.equal(await client.getNumberValue('banner.size', 0, user), 12);
  assert.equal(await client.getNumberValue('banner.ratio', 0, user), 0.25);
  assert.equal(await client.getBooleanValue('banner.loud', false, user), true);
  assert.deepEqual(await client.getObjectValue('banner.look', {}, user), { color: 'blue', rows: [1, 2] });
  assert.equal(await client.getNumberValue('banner', 0, { ...user, variableKey: 'size' }), 12);
});

test('targeting, experiments and lists of users have their reasons', async () => {
  assert.equal((await client.getBooleanDetails('pro/only', false, { ...user, plan: 'pro' })).reason, 'TARGETING_MATCH');
  assert.equal((await client.getBooleanDetails('pro/only', true, user)).reason, 'DISABLED');
  assert.equal((await client.getBooleanDetails('experiment', false, user)).reason, 'SPLIT');
  const listed = await client.getBooleanDetails('experiment', false, { targetingKey: 'listed' });
  assert.deepEqual([listed.reason, listed.variant], ['TARGETING_MATCH', 'b']);
});

test('what goes wrong arrives as the error code of OpenFeature', async () => {
  const details = async (key, fallback, context) => {
    const { value, reason, errorCode } = await client.getNumberDetails(key, fallback, context);
    return { value, reason, errorCode };
  };

  assert.deepEqual(await details('ghost', 7, user), { value: 7, reason: 'ERROR', errorCode: 'FLAG_NOT_FOUND' });
  assert.deepEqual(await details('switch', 7, {}), { value: 7, reason: 'ERROR', errorCode: 'TARGETING_KEY_MISSING' });
  assert.deepEqual(await details('switch', 7, user), { value: 7, reason: 'ERROR', errorCode: 'TYPE_MISMATCH' });
  assert.deepEqual(await details('banner.broken', 7, user), { value: 7, reason: 'ERROR', errorCode: 'PARSE_ERROR' });
});

test('a decision sees the event that was answered before it', async () => {
  const spender = { targetingKey: 'spender' };
  assert.equal(await client.getBooleanValue('for_spenders', true, spender), false);

  const answer = await post(daemon, '/cdp/identify', { userId: 'spender', traits: { revenue: 25000 } });

  assert.equal(answer.status, 200);
  assert.equal(await client.getBooleanValue('for_spenders', false, spender), true);
});

test('every flag has the value that the JavaScript SDK gives it', async () => {
  const datafile = vectorDatafile('starter');
  const reference = await openReference(datafile);
  const other = await startDaemon({ datafile });
  const remote = await connect('starter', { baseUrl: other.url });
  let compared = 0;

  for (let i = 0; i < 40; ++i) {
    const attributes = { plan: i % 2 ? 'pro' : 'free', country: i % 3 ? 'US' : 'DE', age: i };
    const decisions = reference.plain.createUserContext(`user-${i}`, attributes).decideAll();
    for (const [key, { enabled, variationKey, variables }] of Object.entries(decisions)) {
      const context = { targetingKey: `user-${i}`, ...attributes };
      const details = await remote.getBooleanDetails(key, !enabled, context);
      assert.deepEqual([details.value, details.variant], [enabled, variationKey ?? undefined], key);
      for (const [name, value] of Object.entries(variables)) {
        assert.deepEqual(await valueOf(remote, `${key}.${name}`, value, context), value);
        compared += 1;
      }
      compared += 1;
    }
  }
  await other.stop();

  console.log(`vectors ofrep-starter: ${compared} values as the SDK has them`);
  assert.ok(compared > 400);
});

test('credentials are asked for when they are wanted', async () => {
  const closed = await startDaemon({ datafile: remoteFlags(), config: '[ofrep]\npublic = false\n' });
  const nobody = await connect('nobody', { baseUrl: closed.url });
  const somebody = await connect('somebody', {
    baseUrl: closed.url, headersFactory: () => [['Authorization', `Bearer ${closed.key}`]],
  });

  const refused = await nobody.getBooleanDetails('switch', false, user);

  assert.deepEqual([refused.value, refused.reason], [false, 'ERROR']);
  assert.equal(await somebody.getBooleanValue('switch', false, user), true);
  await closed.stop();
});
