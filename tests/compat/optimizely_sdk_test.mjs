// SPDX-License-Identifier: MIT
// Optimizely's JavaScript SDK as it is, polling the daemon for its datafile.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { createInstance, createPollingProjectConfigManager } from '@optimizely/optimizely-sdk';

import { post, startDaemon, vectorDatafile } from './daemon.mjs';

let daemon;
let client;

before(async () => {
  daemon = await startDaemon({ datafile: vectorDatafile('starter') });
  client = createInstance({
    projectConfigManager: createPollingProjectConfigManager({
      sdkKey: 'any', urlTemplate: `${daemon.url}/optimizely/datafile`, datafileAccessToken: daemon.key, autoUpdate: false,
    }),
  });
  await client.onReady({ timeout: 10_000 });
});

after(async () => {
  await client.close();
  await daemon.stop();
});

test('the SDK decides by the datafile of the daemon as the daemon does', async () => {
  assert.equal(client.getOptimizelyConfig().revision, '42');

  for (let i = 0; i < 100; ++i) {
    const attributes = { plan: i % 2 ? 'pro' : 'free', age: i };
    const decisions = client.createUserContext(`user-${i}`, attributes).decideAll();
    const features = Object.keys(decisions);
    const { body } = await post(daemon, '/optimizely/decisions', { userId: `user-${i}`, userAttributes: attributes, features });
    for (const key of features) {
      assert.deepEqual(body.features[key], { enabled: decisions[key].enabled, variables: decisions[key].variables }, key);
    }
  }
});
