// SPDX-License-Identifier: MIT
// A real edged on a free loopback port, for the tests of this folder.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export const binDir = process.env.EDGE_BIN_DIR;
export const sourceDir = process.env.EDGE_SOURCE_DIR;

/** An empty folder that `remove` deletes. */
export function temporaryFolder() {
  const path = mkdtempSync(join(tmpdir(), 'edge-compat-'));
  return { path, remove: () => rmSync(path, { recursive: true, force: true }) };
}

/**
 * Starts edged. `datafile`: text or object, served as flags.json; `config`: text of edge.toml; `variables`: environment.
 * Resolves when it serves; rejects with what it wrote when it ends instead.
 */
export async function startDaemon({ datafile, config = '', variables = {} } = {}) {
  const folder = temporaryFolder();
  const at = (name) => join(folder.path, name);
  mkdirSync(at('data'), { mode: 0o700 });
  mkdirSync(at('run'), { mode: 0o700 });
  writeFileSync(at('edge.toml'), config, { mode: 0o600 });
  const writeDatafile = (content) =>
    writeFileSync(at('flags.json'), typeof content === 'string' ? content : JSON.stringify(content));
  if (datafile !== undefined) writeDatafile(datafile);

  const { ASAN_OPTIONS = '', UBSAN_OPTIONS = '', TSAN_OPTIONS = '' } = process.env;
  let log = '';
  let child;
  /** Starts the program; resolves with its URL. */
  const launch = (listen) => {
    child = spawn(
      join(binDir, 'edged'),
      ['--config', at('edge.toml'), '--data-dir', at('data'), '--listen', listen],
      {
        stdio: ['ignore', 'ignore', 'pipe'],
        env: {
          PATH: '/usr/bin:/bin', HOME: folder.path, XDG_RUNTIME_DIR: at('run'),
          ASAN_OPTIONS, UBSAN_OPTIONS, TSAN_OPTIONS, ...variables,
        },
      });
    log = '';
    return new Promise((resolve, reject) => {
      child.on('exit', (code) => reject(new Error(`edged ended with ${code}:\n${log}`)));
      child.on('error', reject);
      child.stderr.setEncoding('utf8').on('data', (text) => {
        log += text;
        const serving = /serving.*?url="?(http:[^\s"]+)/.exec(log);
        if (serving) resolve(serving[1]);
      });
    });
  };
  const readKey = () => readFileSync(at('run/edgectl/edged.key'), 'utf8').trim();
  const url = await launch('127.0.0.1:0');

  const daemon = {
    url,
    pid: child.pid,
    writeDatafile,
    /** The local key: a bearer credential with every permission. */
    key: readKey(),
    log: () => log,
    /** Kills it at once (SIGKILL) and starts it anew on the same data, port and address. */
    async killAndRestart() {
      const ended = once(child, 'exit');
      child.kill('SIGKILL');
      await ended;
      await launch(new URL(url).host);
      daemon.key = readKey();
      daemon.pid = child.pid;
    },
    /** Sends SIGHUP: the datafile is read anew. */
    reload: () => child.kill('SIGHUP'),
    async stop() {
      if (child.exitCode === null && child.signalCode === null) {
        const ended = once(child, 'exit');
        child.kill('SIGTERM');
        await ended;
      }
      folder.remove();
      if (child.exitCode !== 0) throw new Error(`edged ended with ${child.exitCode ?? child.signalCode}:\n${log}`);
    },
  };
  return daemon;
}

/** The datafile of the vectors of that name, as text. */
export function vectorDatafile(name) {
  return readFileSync(join(sourceDir, 'tests/vectors/decisions', `${name}.json`), 'utf8');
}

/** POSTs JSON with the local key of the daemon; resolves with status and parsed body. */
export async function post(daemon, path, body) {
  const answer = await fetch(daemon.url + path, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json', Authorization: `Bearer ${daemon.key}` },
    body: JSON.stringify(body),
  });
  const text = await answer.text();
  return { status: answer.status, body: text === '' ? undefined : JSON.parse(text) };
}
