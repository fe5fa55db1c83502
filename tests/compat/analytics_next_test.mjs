// SPDX-License-Identifier: MIT
// @segment/analytics-next, the client of browsers, in a document without a screen: settings, preflights, sending.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { loadAnalytics, openPage } from './browser.mjs';
import { startDaemon } from './daemon.mjs';
import { storedEvents } from './stored_events.mjs';

let daemon;
let closePage;
before(async () => {
  daemon = await startDaemon({
    config: '[[sources]]\nname = "shop"\nkey = "WK_WEB"\nkind = "browser"\norigins = ["https://shop.example"]\n',
  });
  closePage = openPage('https://shop.example', '/cart?utm_source=mail&utm_campaign=summer');
});
after(async () => {
  await closePage();
  await daemon.stop();
});

test('settings are fetched, events arrive with the page, the campaign and the browser', async () => {
  const { analytics } = await loadAnalytics(daemon, 'WK_WEB');

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
