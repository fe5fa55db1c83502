// SPDX-License-Identifier: MIT
// The queues of the daemon through the npm client `cloudflare`, unchanged but for its address.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import Cloudflare from 'cloudflare';
import { startDaemon } from './daemon.mjs';

const account_id = '023e105f4ecef8ad9ca31a8372d0c353';

let daemon;
let queues;
before(async () => {
  daemon = await startDaemon();
  queues = new Cloudflare({
    apiToken: daemon.key, baseURL: `${daemon.url}/client/v4`, maxRetries: 0,
  }).queues;
});
after(() => daemon.stop());

const at = { account_id };
const decoded = (body) => Buffer.from(body, 'base64').toString();

/** A fresh queue with what one does with its messages. */
let made = 0;
async function fresh(consumer) {
  const { queue_id: id, queue_name: name } = await queues.create({ ...at, queue_name: `compat-${made++}` });
  if (consumer) await queues.consumers.create(id, { ...at, ...consumer });
  return {
    id,
    name,
    push: (body, more = {}) => queues.messages.push(id, { ...at, body, ...more }),
    pull: async (more = {}) => (await queues.messages.pull(id, { ...at, batch_size: 100, ...more })).messages,
    ack: (acks, retries = []) => queues.messages.ack(id, { ...at, acks, retries }),
    waiting: async () => (await queues.messages.pull(id, { ...at, batch_size: 1, visibility_timeout_ms: 1 })).message_backlog_count,
  };
}

/** Status and code of the error that a call ends with. */
async function failure(call) {
  const error = await call.then(() => assert.fail('it should have failed'), (reason) => reason);
  return [error.status, error.errors?.[0]?.code];
}

test('queues are made, listed, changed and removed', async () => {
  const one = await queues.create({ ...at, queue_name: 'first' });
  assert.match(one.queue_id, /^[0-9a-f]{32}$/);
  assert.deepEqual((await queues.get(one.queue_id, at)).settings, one.settings);
  const names = [];
  for await (const { queue_name } of queues.list(at)) names.push(queue_name);
  assert.ok(names.includes('first'));
  const edited = await queues.edit(one.queue_id, { ...at, settings: { delivery_delay: 5 } });
  assert.equal(edited.settings.delivery_delay, 5);
  const updated = await queues.update(one.queue_id, { ...at, settings: { message_retention_period: 60 } });
  assert.deepEqual(updated.settings, { delivery_delay: 0, delivery_paused: false, message_retention_period: 60 });
  assert.deepEqual(await failure(queues.create({ ...at, queue_name: 'first' })), [409, 11009]);
  await queues.delete(one.queue_id, at);
  assert.deepEqual(await failure(queues.get(one.queue_id, at)), [404, 10104]);
});

test('messages of every kind are sent, pulled and acknowledged', async () => {
  const queue = await fresh();
  await queue.push({ n: 1 }, { content_type: 'json' });
  await queue.push('tä', { content_type: 'text' });
  await queues.messages.bulkPush(queue.id, {
    ...at,
    messages: [{ body: [3], content_type: 'json' }, { body: 'later', content_type: 'text', delay_seconds: 60 }],
  });
  const pulled = await queue.pull();
  assert.deepEqual(pulled.map(({ metadata }) => metadata['CF-Content-Type']), ['json', 'text', 'json']);
  assert.deepEqual([decoded(pulled[0].body), pulled[1].body, decoded(pulled[2].body)], ['{"n":1}', 'tä', '[3]']);
  assert.deepEqual(pulled.map(({ attempts }) => attempts), [1, 1, 1]);
  assert.ok(Math.abs(pulled[0].timestamp_ms - Date.now()) < 60_000);
  assert.deepEqual(await queue.pull(), []);
  const done = await queue.ack(pulled.map(({ lease_id }) => ({ lease_id })));
  assert.equal(done.ackCount, 3);
  assert.equal(done.retryCount, 0);
  assert.equal(await queue.waiting(), 1);
});

test('what is retried comes back, and dies in the dead-letter queue', async () => {
  const graves = await fresh();
  const queue = await fresh({ type: 'http_pull', dead_letter_queue: graves.name, settings: { max_retries: 1 } });
  await queue.push('x', { content_type: 'text' });
  const [first] = await queue.pull();
  assert.equal((await queue.ack([], [{ lease_id: first.lease_id }])).retryCount, 1);
  const [second] = await queue.pull();
  assert.equal(second.attempts, 2);
  assert.equal(second.id, first.id);
  assert.equal((await queue.ack([], [{ lease_id: second.lease_id, delay_seconds: 60 }])).retryCount, 1);
  assert.deepEqual(await queue.pull(), []);
  const [letter] = await graves.pull();
  assert.deepEqual(
    [letter.id, letter.body, letter.timestamp_ms, letter.attempts],
    [first.id, 'x', first.timestamp_ms, 1]);
  assert.equal(letter.metadata['CF-dead-letter-source'], queue.name);
  assert.equal(letter.metadata['CF-dead-letter-attempts'], '2');
});

test('a pull waits for what is sent meanwhile', async () => {
  const queue = await fresh();
  const waiting = queue.pull({ wait_ms: 20_000 });
  await queue.push('now', { content_type: 'text' });
  assert.equal((await waiting)[0].body, 'now');
});

test('a queue is purged, and a consumer shown', async () => {
  const queue = await fresh({ type: 'http_pull', settings: { batch_size: 7 } });
  await queue.push(1);
  await queues.purge.start(queue.id, { ...at, delete_messages_permanently: true });
  assert.ok((await queues.purge.status(queue.id, at)).started_at);
  assert.deepEqual(await queue.pull(), []);
  const consumers = [];
  for await (const consumer of queues.consumers.list(queue.id, at)) consumers.push(consumer);
  assert.equal(consumers.length, 1);
  assert.equal(consumers[0].settings.batch_size, 7);
  await queues.consumers.delete(consumers[0].consumer_id, { ...at, queue_id: queue.id });
  assert.equal((await queues.get(queue.id, at)).consumers_total_count, 0);
});

test('refusals have the numbers of the API', async () => {
  const queue = await fresh();
  assert.deepEqual(await failure(queue.push('x'.repeat(128_000))), [413, 10204]);
  assert.deepEqual(await failure(queue.push(1, { delay_seconds: 86_401 })), [400, 10202]);
  assert.deepEqual(await failure(queue.push(1, { content_type: 'v8' })), [400, 10203]);
  await queues.edit(queue.id, { ...at, settings: { delivery_paused: true } });
  const error = await queue.pull().catch((reason) => reason);
  assert.equal(error.status, 409);
  assert.equal(error.errors[0].message, 'queue_delivery_paused');
});
