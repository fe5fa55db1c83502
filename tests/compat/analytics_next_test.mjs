// SPDX-License-Identifier: MIT
// @segment/analytics-next, the client of browsers, in a document without a screen: settings, preflights, sending.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Window } from 'happy-dom';
import { startDaemon } from './daemon.mjs';
import { storedEvents } from './stored_events.mjs';

let daemon;
let window;
before(async () => {
  daemon = await startDaemon({
    config: '[[sources]]\nname = "shop"\nkey = "WK_WEB"\nkind = "browser"\norigins = ["https://shop.example"]\n',
  });
  window = new Window({ url: 'https://shop.example/cart?utm_source=mail&utm_campaign=summer' });
  const userAgent = 'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.0.0 Safari/537.36';
  Object.defineProperty(window.navigator, 'userAgent', { value: userAgent });
  const name = (key, value) => Object.defineProperty(globalThis, key, { value, configurable: true, writable: true });
  for (const key of ['document', 'localStorage', 'sessionStorage', 'location', 'navigator', 'screen', 'history']) {
    name(key, window[key]);
  }
  name('window', globalThis);
  for (const key of ['addEventListener', 'removeEventListener', 'dispatchEvent']) name(key, window[key].bind(window));
  // What a browser adds by itself: the origin, and a preflight where the request is not simple.
  const send = globalThis.fetch;
  name('fetch', (url, options = {}) =>
    send(url, { ...options, headers: { ...options.headers, origin: 'https://shop.example', 'user-agent': userAgent } }));
});
after(async () => {
  await window.happyDOM.close();
  await daemon.stop();
});

test('settings are fetched, events arrive with the page, the campaign and the browser', async () => {
  const { AnalyticsBrowser } = await import('@segment/analytics-next');
  const host = new URL(daemon.url).host;
  const analytics = AnalyticsBrowser.load(
    { writeKey: 'WK_WEB', cdnURL: daemon.url },
    {
      integrations: { 'Segment.io': { apiHost: `${host}/v1`, protocol: 'http' } },
      disableClientPersistence: true,
    });
  await analytics.ready();

  await analytics.identify('w-1', { email: 'w@shop.example' });
  await analytics.page('Cart');
  await analytics.track('Added', { price: 12 });

  const events = await storedEvents(daemon);
  const byType = Object.fromEntries(events.map((event) => [event.type, event]));
  assert.deepEqual(Object.keys(byType).sort(), ['identify', 'page', 'track']);
  assert.equal(byType.track.properties.price, 12);
  assert.equal(byType.track.channel, 'browser');
  assert.equal(byType.track.context.campaign.source, 'mail');
  assert.equal(byType.track.context.browser.name, 'Chrome');
  assert.equal(byType.page.context.page.path, '/cart');
  assert.equal(byType.identify.traits.email, 'w@shop.example');
});

test('a preflight as browsers make it is answered for the origin of the source', async () => {
  const answer = await fetch(`${daemon.url}/v1/t`, {
    method: 'OPTIONS',
    headers: { 'Access-Control-Request-Method': 'POST', 'Access-Control-Request-Headers': 'authorization,content-type' },
  });
  assert.equal(answer.status, 204);
  assert.equal(answer.headers.get('access-control-allow-origin'), 'https://shop.example');
  assert.equal(answer.headers.get('access-control-allow-headers'), 'authorization,content-type');
});
