// SPDX-License-Identifier: MIT
// What bench_decide measures, with Optimizely's JavaScript SDK. Run by tests/bench/decide.sh.
import { readFileSync } from 'node:fs';
import { basename } from 'node:path';

import { createInstance, createStaticProjectConfigManager } from '@optimizely/optimizely-sdk';

const kUsers = 1000;
const kAtLeastMs = 1000;
const kOptions = ['DISABLE_DECISION_EVENT'];  // as there: decisions alone

const cpuMs = () => { const { user, system } = process.cpuUsage(); return (user + system) / 1000; };

function rateOf(call) {
  for (let until = cpuMs() + kAtLeastMs / 2, i = 0; cpuMs() < until; ++i) call(i);  // the compiler warms up
  let calls = 0;
  const begin = cpuMs();
  let end = begin;
  while (end - begin < kAtLeastMs) {
    for (let i = 0; i < 64; ++i) call(calls++);
    end = cpuMs();
  }
  return (calls / (end - begin)) * 1000;
}

for (const path of process.argv.slice(2)) {
  const name = basename(path, '.json');
  const text = readFileSync(path, 'utf8');
  const loading = performance.now();
  const client = createInstance({ projectConfigManager: createStaticProjectConfigManager({ datafile: text }) });
  await client.onReady();
  const loadMs = performance.now() - loading;
  const keys = JSON.parse(text).featureFlags.map(({ key }) => key);
  const users = Array.from({ length: kUsers }, (_, i) => `user-${i}`);
  const context = (i) => client.createUserContext(users[i % kUsers],
    { plan: 'pro', country: i % 2 === 0 ? 'US' : 'DE', age: 30, app: '2.1.0', beta: true });

  const one = rateOf((i) => context(i).decide(keys[i % keys.length], kOptions));
  const all = rateOf((i) => context(i).decideAll(kOptions));

  console.log(`${name}\tload\t${(1000 / loadMs).toFixed(2)}`);
  console.log(`${name}\tone flag\t${one.toFixed(0)}`);
  console.log(`${name}\tall flags\t${all.toFixed(0)}`);
}
