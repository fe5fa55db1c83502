// SPDX-License-Identifier: MIT
// Tokens per second of processor time of npm's jose on one thread, for comparison with bench_token:
//   BUILD/tests/bench_token && (cd BUILD/compat && node --preserve-symlinks --preserve-symlinks-main ../../tests/bench/token_peer.mjs)
// after `tests/compat/run jose_test.mjs BUILD/compat` has installed it there.
import { createRequire } from 'node:module';
import { join } from 'node:path';

const jose = await import(createRequire(join(process.cwd(), 'package.json')).resolve('jose'));
const claims = {
  iss: 'edge-platform', aud: 'edge-platform-api', sub: '8f6f2c1e-1c0b-4f3e-9a57-0d8a0f4b9a11', client_id: 'edged',
  jti: '6a5f2c1e-1c0b-4f3e-9a57-0d8a0f4b9a13', sid: '6a5f2c1e-1c0b-4f3e-9a57-0d8a0f4b9a12', email: 'ada@example.com',
  name: 'Ada', roles: ['admin'], permissions: ['*'], scope: '*',
};

async function perSecond(operation) {
  let best = 0;
  for (let run = 0; run < 3; ++run) {
    const begin = process.cpuUsage();
    const seconds = () => { const { user, system } = process.cpuUsage(begin); return (user + system) / 1e6; };
    let done = 0;
    while (seconds() < 0.5) {
      for (let i = 0; i < 50; ++i) await operation();
      done += 50;
    }
    best = Math.max(best, done / seconds());
  }
  return best;
}

async function run(name, signer, verifier) {
  const mint = () => new jose.SignJWT(claims).setProtectedHeader({ alg: name, typ: 'at+jwt' })
    .setIssuedAt().setExpirationTime('15m').sign(signer);
  const token = await mint();
  const options = { issuer: claims.iss, audience: claims.aud, algorithms: [name], typ: 'at+jwt' };
  const line = (what, rate) => console.log(`${`${name} ${what}`.padEnd(14)} ${rate.toFixed(0).padStart(9)} per second, npm jose`);
  line('mint', await perSecond(mint));
  line('verify', await perSecond(() => jose.jwtVerify(token, verifier, options)));
}

const secret = new TextEncoder().encode('0123456789abcdef0123456789abcdef');
await run('HS256', secret, secret);
for (const name of ['EdDSA', 'ES256']) {
  const { privateKey, publicKey } = await jose.generateKeyPair(name);
  await run(name, privateKey, publicKey);
}
