// SPDX-License-Identifier: MIT
// A receiver of forwarded events on a free loopback port that does what it is told, well or badly.
import { createServer } from 'node:http';
import { once } from 'node:events';
import { gunzipSync } from 'node:zlib';

/** What a receiver may do with a request; `answer` goes with the same status each time. */
export const well = () => ({ status: 200 });
export const answers = (status, headers = {}) => () => ({ status, headers });
/** Never answers. */
export const hangs = () => ({ hang: true });
/** Closes the connection in turn after the request was read and in the middle of the answer. */
export const cuts = ({ number }) => ({ cut: number % 2 === 0 ? 'before' : 'within' });

/**
 * Resolves with a receiver: `url`; `requests`, each `{path, headers, body, status?}` with the body parsed and the status that
 * was answered in full; `behave(reaction)` from the next request on; `close()`.
 */
export async function startReceiver(reaction = well) {
  const requests = [];
  const server = createServer(async (request, response) => {
    const parts = [];
    try {
      for await (const part of request) parts.push(part);
    } catch {
      return;  // the sender went away
    }
    const bytes = Buffer.concat(parts);
    const text = (request.headers['content-encoding'] === 'gzip' ? gunzipSync(bytes) : bytes).toString();
    const number = requests.length;
    const one = { path: request.url, headers: request.headers, body: JSON.parse(text) };
    requests.push(one);
    const { status, headers = {}, hang, cut } = reaction({ number });
    if (hang) return;
    if (cut === 'before') {
      request.socket.destroy();
    } else if (cut === 'within') {
      response.writeHead(200, { 'Content-Length': 1_000 });
      response.write('{"half', () => request.socket.destroy());
    } else {
      response.writeHead(status, { 'Content-Type': 'application/json', ...headers }).end('{"code":200,"status":1}');
      one.status = status;
    }
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${server.address().port}`,
    requests,
    behave: (next) => { reaction = next; },
    close() {
      server.closeAllConnections();
      server.close();
    },
  };
}
