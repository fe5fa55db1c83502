// SPDX-License-Identifier: MIT
// OpenFeature's web SDK with its remote evaluation provider, which asks for all flags at once, keeps them by their ETag
// and listens for changes.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { OFREPWebProvider } from '@openfeature/ofrep-web-provider';
import { OpenFeature, ProviderEvents } from '@openfeature/web-sdk';

import { startDaemon } from './daemon.mjs';
import { EventSource } from './event_source.mjs';
import { remoteFlags } from './remote_flags.mjs';

globalThis.EventSource = EventSource;

let daemon;
let requests = [];

/** Notes what the provider asks and what it gets. */
async function watchedFetch(request, options) {
  const answer = await fetch(request, options);
  requests.push({ url: request.url, status: answer.status, condition: request.headers.get('If-None-Match'), etag: answer.headers.get('ETag') });
  return answer;
}

const provider = () => new OFREPWebProvider({ baseUrl: daemon.url, cacheMode: 'disabled', fetchImplementation: watchedFetch });
const event = (client, name) => new Promise((resolve) => { client.addHandler(name, resolve); });

before(async () => { daemon = await startDaemon({ datafile: remoteFlags() }); });

after(async () => {
  await OpenFeature.close();
  await daemon.stop();
});

test('all flags and variables are there after one request', async () => {
  await OpenFeature.setContext('page', { targetingKey: 'user-1' });
  await OpenFeature.setProviderAndWait('page', provider());
  const client = OpenFeature.getClient('page');

  assert.equal(requests.filter(({ status }) => status === 200).length, 1);
  assert.equal(client.getBooleanValue('switch', false), true);
  assert.equal(client.getStringValue('banner', 'none'), 'hello');
  assert.equal(client.getNumberValue('banner.size', 0), 12);
  assert.deepEqual(client.getObjectValue('banner.look', {}), { color: 'blue', rows: [1, 2] });
  assert.equal(client.getBooleanDetails('switch', false).reason, 'STATIC');
  assert.equal(client.getNumberDetails('banner.broken', 3).errorCode, 'PARSE_ERROR');
  assert.equal(client.getBooleanDetails('ghost', true).errorCode, 'FLAG_NOT_FOUND');
});

test('another context gets other values and another tag', async () => {
  const client = OpenFeature.getClient('page');
  const before = requests.at(-1).etag;

  await OpenFeature.setContext('page', { targetingKey: 'user-1', plan: 'pro' });

  assert.equal(client.getBooleanDetails('pro/only', false).value, true);
  assert.notEqual(requests.at(-1).etag, before);
});

test('a new datafile reaches the client by the stream', async () => {
  const client = OpenFeature.getClient('page');
  const changed = event(client, ProviderEvents.ConfigurationChanged);

  daemon.writeDatafile(remoteFlags('2', false));
  await changed;

  assert.equal(client.getBooleanValue('switch', true), false);
  assert.equal(client.getBooleanDetails('switch', true).flagMetadata.revision, '2');
  assert.match(requests.at(-1).url, /flagConfigEtag=[0-9a-f]{32}.*flagConfigLastModified=\d+/);
});

test('what did not change is answered without a body', async () => {
  requests = [];
  await OpenFeature.setContext('polled', { targetingKey: 'user-2' });
  const polled = new OFREPWebProvider({
    baseUrl: daemon.url, cacheMode: 'disabled', pollInterval: 50, changeDetection: 'polling', fetchImplementation: watchedFetch,
  });
  const answered = new Promise((resolve) => {
    const watch = setInterval(() => {
      if (requests.length > 2) resolve(clearInterval(watch));
    }, 20);
  });
  await OpenFeature.setProviderAndWait('polled', polled);

  await answered;

  const [first, second] = requests;
  assert.equal(first.status, 200);
  assert.deepEqual([second.status, second.condition, second.etag], [304, first.etag, first.etag]);
  assert.equal(OpenFeature.getClient('polled').getBooleanValue('switch', true), false);
});

test('a context without targeting key is an error of the provider', async () => {
  await OpenFeature.setContext('nobody', { plan: 'pro' });

  await assert.rejects(OpenFeature.setProviderAndWait('nobody', provider()), /status: 400/);
});
