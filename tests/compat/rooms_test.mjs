// SPDX-License-Identifier: MIT
// Rooms of the daemon through the npm client `ws`, and segments that reach them.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { after, before, test } from 'node:test';
import WebSocket from 'ws';
import { post, startDaemon } from './daemon.mjs';

const segments = `
[[segments]]
name = "buyers"
when = 'did("Bought")'
`;

let daemon;
before(async () => { daemon = await startDaemon({ config: segments }); });
after(() => daemon.stop());

/** Opens a socket; `next` gives its frames one by one, `nextOf` those of one type. */
async function enter(path) {
  const socket = new WebSocket(daemon.url.replace('http', 'ws') + path, ['edge.v1'], {
    headers: { Authorization: `Bearer ${daemon.key}` },
  });
  const frames = [];
  const waiting = [];
  const closed = once(socket, 'close').then(([code, reason]) => ({ code, reason: reason.toString() }));
  socket.on('error', () => {});
  socket.on('message', (text) => {
    frames.push(JSON.parse(text));
    waiting.splice(0).forEach((wake) => wake());
  });
  await once(socket, 'open');
  const next = async () => {
    while (frames.length === 0) await new Promise((wake) => waiting.push(wake));
    return frames.shift();
  };
  const nextOf = async (type) => {
    for (;;) {
      const frame = await next();
      if (frame.type === type) return frame;
    }
  };
  return { socket, next, nextOf, closed, say: (frame) => socket.send(JSON.stringify(frame)) };
}

const publish = async (room, data, more = {}) => {
  const { status, body } = await post(daemon, `/api/rooms/${room}/publish`, { event: 'note', data, ...more });
  assert.equal(status, 200);
  return body;
};

test('members hear each other in one order, and who is there', async () => {
  const ada = await enter('/api/rooms/hall/ws');
  assert.equal(ada.socket.protocol, 'edge.v1');
  const welcome = await ada.next();
  assert.deepEqual([welcome.type, welcome.room, welcome.seq, welcome.members.length], ['welcome', 'hall', 0, 1]);
  const bob = await enter('/api/rooms/hall/ws');
  assert.equal((await ada.nextOf('presence')).action, 'join');

  for (let i = 0; i < 50; i++) {
    ada.say({ type: 'publish', event: 'a', data: i, echo: true });
    bob.say({ type: 'publish', event: 'b', data: i, echo: true, id: i });
  }

  const heard = [];
  for (let seq = 1; seq <= 100; seq++) {
    const event = await ada.nextOf('event');
    assert.equal(event.seq, seq);
    heard.push([event.event, event.data]);
  }
  const events = [];
  const acks = [];
  while (events.length < 100 || acks.length < 50) {
    const frame = await bob.next();
    if (frame.type === 'event') events.push([frame.event, frame.data]);
    if (frame.type === 'ack') acks.push(frame.id);
  }
  assert.deepEqual(events, heard);
  assert.deepEqual(acks, Array.from({ length: 50 }, (_, i) => i));
  bob.socket.close(4001, 'done');
  assert.deepEqual(await bob.closed, { code: 4001, reason: '' });
  assert.equal((await ada.nextOf('presence')).action, 'leave');
  ada.socket.close();
  await ada.closed;
});

test('after a kill of the daemon a client goes on where it was', async () => {
  const before = await enter('/api/rooms/durable/ws');
  await publish('durable', 1);
  const { seq } = await before.nextOf('event');
  await publish('durable', 2);

  await daemon.killAndRestart();
  await before.closed;
  await publish('durable', 3);
  const again = await enter(`/api/rooms/durable/ws?after=${seq}`);

  assert.equal((await again.next()).type, 'welcome');
  for (const data of [2, 3]) {
    const event = await again.nextOf('event');
    assert.deepEqual([event.seq, event.data], [data, data]);
  }
  again.socket.close();
});

test('a reader that does not read is closed with 1013 and comes back; others go on', async () => {
  const fast = await enter('/api/rooms/busy/ws');
  const slow = await enter('/api/rooms/busy/ws');
  await slow.nextOf('welcome');
  slow.socket.pause();
  const text = 'x'.repeat(500_000);
  let last = 0;
  let gone;
  const left = (async () => {
    do gone = await fast.nextOf('presence');
    while (gone.action !== 'leave');
  })();
  for (let i = 0; gone?.action !== 'leave' && i < 200; i++) last = (await publish('busy', text)).seq;
  await left;
  assert.ok(last < 200, 'the slow reader was never closed');

  slow.socket.resume();

  assert.deepEqual(await slow.closed, { code: 1013, reason: 'slow consumer' });
  const back = await enter(`/api/rooms/busy/ws?after=0`);
  for (let seq = 1; seq <= last; seq++) assert.equal((await back.nextOf('event')).seq, seq);
  back.socket.close();
  fast.socket.close();
});

test('what a client identified by its user id does changes its segments, and its socket hears it', async () => {
  const client = await enter('/realtime/ws?userId=ada');
  const connected = await client.next();
  assert.deepEqual([connected.type, connected.userId], ['connected', 'ada']);
  client.say({ type: 'heartbeat' });
  assert.equal((await client.next()).type, 'heartbeat_response');

  const track = async (event) => assert.equal((await post(daemon, '/track/event', event)).status, 200);
  await track({ type: 'identify', userId: 'ada', traits: { name: 'Ada' } });
  await track({ type: 'track', userId: 'ada', event: 'Bought', properties: { price: 1 } });

  const update = await client.nextOf('segment_update');
  assert.equal(update.userId, 'ada');
  assert.deepEqual([update.data.entered, update.data.exited], [['buyers'], []]);
  assert.ok(update.data.segments.includes('buyers'));
  assert.equal(typeof update.serverTimestamp, 'number');
  const shown = await fetch(`${daemon.url}/realtime/connections/ada`, { headers: { Authorization: `Bearer ${daemon.key}` } });
  assert.deepEqual(await shown.json(), { userId: 'ada', connections: 1, connected: true });
  client.socket.close();
  await client.closed;
});

test('a stopping daemon says when to come back', async () => {
  const other = await startDaemon();
  const socket = new WebSocket(other.url.replace('http', 'ws') + '/api/rooms/hall/ws', [`bearer.${other.key}`, 'edge.v1']);
  const texts = [];
  socket.on('message', (text) => texts.push(JSON.parse(text)));
  await once(socket, 'message');
  const closed = once(socket, 'close');

  await other.stop();

  assert.equal((await closed)[0], 1001);
  assert.deepEqual(texts.at(-1), { type: 'closing', reason: 'shutdown', retryAfterMs: 1000 });
});
