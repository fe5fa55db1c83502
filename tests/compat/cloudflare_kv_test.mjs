// SPDX-License-Identifier: MIT
// The key-value store of the daemon through the npm client `cloudflare`, unchanged but for its address.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import Cloudflare, { toFile } from 'cloudflare';
import { startDaemon } from './daemon.mjs';

const account_id = '023e105f4ecef8ad9ca31a8372d0c353';

let daemon;
let kv;
before(async () => {
  daemon = await startDaemon();
  kv = client(daemon.key).kv.namespaces;
});
after(() => daemon.stop());

function client(apiToken) {
  return new Cloudflare({ apiToken, baseURL: `${daemon.url}/client/v4`, maxRetries: 0 });
}

/** A fresh namespace with `put`, `get` and so on bound to it. */
let made = 0;
async function fresh() {
  const { id: namespace_id } = await kv.create({ account_id, title: `compat ${made++}` });
  const at = { account_id, namespace_id };
  return {
    id: namespace_id,
    put: (key, value, more = {}) => kv.values.update(key, { ...at, value, ...more }),
    get: (key) => kv.values.get(key, at),
    text: async (key) => (await kv.values.get(key, at)).text(),
    metadata: (key) => kv.metadata.get(key, at),
    remove: (key) => kv.values.delete(key, at),
    keys: async (query = {}) => {
      const all = [];
      for await (const key of kv.keys.list(namespace_id, { account_id, ...query })) all.push(key);
      return all;
    },
  };
}

/** Status and code of the error that a call ends with. */
async function failure(call) {
  const error = await call.then(() => assert.fail('it should have failed'), (reason) => reason);
  return [error.status, error.errors?.[0]?.code];
}

test('namespaces are made, found, renamed, listed page by page and removed', async () => {
  const one = await kv.create({ account_id, title: 'first' });
  assert.match(one.id, /^[0-9a-f]{32}$/);
  assert.equal(one.supports_url_encoding, true);
  assert.deepEqual(await kv.get(one.id, { account_id }), one);
  assert.equal((await kv.update(one.id, { account_id, title: 'renamed' })).title, 'renamed');
  const titles = [];
  for await (const { title } of kv.list({ account_id, order: 'title', direction: 'asc', per_page: 1 })) titles.push(title);
  assert.deepEqual(titles.filter((title) => !title.startsWith('compat')), ['cache', 'renamed', 'sessions']);
  assert.deepEqual(await failure(kv.create({ account_id, title: 'renamed' })), [400, 10014]);
  await kv.delete(one.id, { account_id });
  assert.deepEqual(await failure(kv.get(one.id, { account_id })), [404, 10013]);
});

test('values of every kind come back as they were', async () => {
  const store = await fresh();
  const octets = Buffer.from(Array.from({ length: 70_000 }, (_, i) => (i * 7) % 256));
  await store.put('text', 'héllo\r\n--boundary');
  await store.put('empty', '');
  await store.put('file', await toFile(octets, 'x.bin', { type: 'application/octet-stream' }));
  assert.equal(await store.text('text'), 'héllo\r\n--boundary');
  assert.equal(await store.text('empty'), '');
  assert.deepEqual(Buffer.from(await (await store.get('file')).arrayBuffer()), octets);
  await store.remove('text');
  await store.remove('text');
  assert.deepEqual(await failure(store.get('text')), [404, 10009]);
});

test('a value of 25 MiB is kept, one octet more is refused', async () => {
  const store = await fresh();
  const largest = Buffer.alloc(26_214_400, 'v');
  await store.put('k', await toFile(largest, 'v'));
  assert.deepEqual(Buffer.from(await (await store.get('k')).arrayBuffer()), largest);
  const larger = await toFile(Buffer.concat([largest, Buffer.from('v')]), 'v');
  assert.deepEqual(await failure(store.put('k', larger)), [413, 10035]);
});

test('metadata and expiry belong to the value', async () => {
  const store = await fresh();
  const expiration = Math.floor(Date.now() / 1000) + 1000;
  await store.put('k', 'v', { metadata: JSON.stringify({ plan: 'pro', n: [1, 2.5] }), expiration });
  assert.deepEqual(await store.metadata('k'), { plan: 'pro', n: [1, 2.5] });
  assert.equal((await store.get('k')).headers.get('expiration'), String(expiration));
  assert.deepEqual(await store.keys(), [{ name: 'k', expiration, metadata: { plan: 'pro', n: [1, 2.5] } }]);
  await store.put('k', 'v');
  assert.equal(await store.metadata('k'), null);
  assert.equal((await store.get('k')).headers.get('expiration'), null);
  assert.deepEqual(await failure(store.put('k', 'v', { expiration_ttl: 59 })), [400, 10034]);
  assert.deepEqual(await failure(store.put('k', 'v', { metadata: { plan: 'pro' } })), [400, 10400]);
  assert.deepEqual(await failure(store.put('k', 'v', { metadata: JSON.stringify('m'.repeat(1023)) })), [400, 10036]);
  assert.deepEqual(await failure(store.metadata('none')), [404, 10009]);
});

test('keys hold what URLs escape, and are listed in order of their octets', async () => {
  const store = await fresh();
  const names = ['a b', 'a%2Fb', 'a/b', 'a?b#c&d=e', 'é', '\u{1f600}', '..a', '"\\\n'];
  for (const name of names) await store.put(name, encodeURIComponent(name));
  for (const name of names) assert.equal(await store.text(name), encodeURIComponent(name));
  const listed = (await store.keys({ limit: 10 })).map(({ name }) => name);
  assert.deepEqual(listed, [...names].sort((x, y) => Buffer.compare(Buffer.from(x), Buffer.from(y))));
  assert.deepEqual((await store.keys({ prefix: 'a/' })).map(({ name }) => name), ['a/b']);
  assert.deepEqual(await failure(store.put('k'.repeat(513), 'v')), [400, 10033]);
});

test('thousands of keys are written, listed, read and removed in bulks', async () => {
  const store = await fresh();
  const name = (i) => `k${String(i).padStart(5, '0')}`;
  const body = Array.from({ length: 10_000 }, (_, i) => ({ key: name(i), value: String(i), metadata: { i } }));
  const written = await kv.bulkUpdate(store.id, { account_id, body });
  assert.deepEqual(written, { successful_key_count: 10_000, unsuccessful_keys: [] });

  const pages = await store.keys({ limit: 999 });

  assert.deepEqual(pages.map((key) => key.name), body.map(({ key }) => key));
  assert.deepEqual(pages[9_999].metadata, { i: 9_999 });
  assert.deepEqual(
    await kv.bulkGet(store.id, { account_id, keys: [name(7), 'none'], type: 'json', withMetadata: true }),
    { values: { [name(7)]: { value: 7, metadata: { i: 7 } }, none: null } });
  const coded = [{ key: 'octets', value: '/wA=', base64: true }];
  await kv.bulkUpdate(store.id, { account_id, body: coded });
  assert.deepEqual(Buffer.from(await (await store.get('octets')).arrayBuffer()), Buffer.from([255, 0]));
  await kv.bulkDelete(store.id, { account_id, body: body.map(({ key }) => key) });
  assert.deepEqual((await store.keys()).map((key) => key.name), ['octets']);
});

test('what was answered is there after a kill; a deleted namespace is not', async () => {
  const store = await fresh();
  const gone = await fresh();
  await store.put('k', 'v');
  await store.put('large', await toFile(Buffer.alloc(9_000_000, 'x'), 'x'));
  await gone.put('k', 'v');
  await kv.delete(gone.id, { account_id });

  await daemon.killAndRestart();
  kv = client(daemon.key).kv.namespaces;

  assert.equal(await store.text('k'), 'v');
  assert.equal((await store.text('large')).length, 9_000_000);
  assert.deepEqual(await failure(gone.get('k')), [404, 10013]);
});

test('who is not known or may not is told so', async () => {
  const stranger = client('edk_nobody').kv.namespaces;
  assert.deepEqual(await failure(stranger.create({ account_id, title: 'x' })), [403, 10000]);
  assert.deepEqual(await failure(client(daemon.key).get('/accounts/x/storage/nothing')), [404, 7003]);
});
