// SPDX-License-Identifier: MIT
// A browser's document without a screen, as globals of this process: for the clients of browsers.
import { Window } from 'happy-dom';

/** Opens a page of `origin`; resolves with a function that closes it. */
export function openPage(origin, path) {
  const window = new Window({ url: origin + path });
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
    send(url, { ...options, headers: { ...options.headers, origin, 'user-agent': userAgent } }));
  return () => window.happyDOM.close();
}

/** Resolves with `{analytics}`, the client of browsers loaded from the daemon like a page does (it has a `then` of its own). */
export async function loadAnalytics(daemon, writeKey) {
  const { AnalyticsBrowser } = await import('@segment/analytics-next');
  const analytics = AnalyticsBrowser.load(
    { writeKey, cdnURL: daemon.url },
    {
      integrations: { 'Segment.io': { apiHost: `${new URL(daemon.url).host}/v1`, protocol: 'http' } },
      disableClientPersistence: true,
    });
  await analytics.ready();
  return { analytics };
}
