// SPDX-License-Identifier: MIT
// Tokens and keys between edgectl, npm's jose and Debian's jose: each reads what the others made, for every algorithm,
// with keys as JWK and as PEM. Debian's jose takes part when it is installed, with the algorithms that it knows.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { chmodSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, test } from 'node:test';
import * as jose from 'jose';

import { binDir, sourceDir, temporaryFolder } from './daemon.mjs';

const kKinds = {
  HS256: 'hs256', HS384: 'hs384', HS512: 'hs512', RS256: 'rs256', RS384: 'rs384', RS512: 'rs512', PS256: 'ps256',
  PS384: 'ps384', PS512: 'ps512', ES256: 'es256', ES384: 'es384', ES512: 'es512', EdDSA: 'ed25519',
};
const kClaims = { iss: 'https://id.example', aud: 'us', sub: 'ada', n: 1.5, names: ['ä', '€', '😀'] };
const isSecret = (algorithm) => algorithm.startsWith('HS');
/** What others may know of a JWK. */
const publicPart = ({ d, p, q, dp, dq, qi, ...rest }) => rest;

const folder = temporaryFolder();
after(() => folder.remove());
const at = (name) => join(folder.path, name);
const write = (name, text) => {
  writeFileSync(at(name), text);
  chmodSync(at(name), 0o600);
};
const read = (name) => readFileSync(at(name), 'utf8');

function run(program, args, input = '') {
  const { status, stdout, stderr } = spawnSync(program, args, {
    input, encoding: 'utf8', env: { PATH: process.env.PATH, HOME: folder.path, XDG_RUNTIME_DIR: folder.path },
  });
  return { status, stdout, stderr };
}

function edgectl(args, input) {
  const done = run(join(binDir, 'edgectl'), [...args, '--config', 'none'], input);
  assert.equal(done.status, 0, `edgectl ${args.join(' ')}: ${done.stderr}`);
  return done.stdout;
}

/** Claims of a token by edgectl with the key of a file. */
const verifiedByEdgectl = (token, file, algorithm) => JSON.parse(edgectl(
  ['token', 'verify', '-', '--key', file, '--alg', algorithm, '--iss', kClaims.iss, '--aud', kClaims.aud, '--json'],
  token)).claims;

const mintedByEdgectl = (file, algorithm) => edgectl(
  ['token', 'mint', '--key', file, '--alg', algorithm, '--payload', '-'], JSON.stringify(kClaims)).trim();

const expectClaims = (claims) => assert.deepEqual(
  Object.fromEntries(Object.keys(kClaims).map((name) => [name, claims[name]])), kClaims);

const signedByNpm = (key, algorithm) => new jose.SignJWT(kClaims)
  .setProtectedHeader({ alg: algorithm }).setIssuedAt().setExpirationTime('5m').sign(key);

const verifyOptions = (algorithm) => ({ issuer: kClaims.iss, audience: kClaims.aud, algorithms: [algorithm] });

const hasDebianJose = run('jose', ['alg']).status === 0;
const knownToDebian = hasDebianJose ? new Set(run('jose', ['alg']).stdout.split('\n')) : new Set();

/** Why Debian's jose takes no part with an algorithm; false when it does. */
const reasonToSkip = (algorithm) => (!hasDebianJose ? 'optional: needs the Debian package jose (apt-get install jose)'
  : !knownToDebian.has(algorithm) && "Debian's jose does not know this algorithm");

let exchanged = 0;

for (const [algorithm, kind] of Object.entries(kKinds)) {
  test(`npm jose and edgectl understand each other: ${algorithm}`, async () => {
    edgectl(['key', 'generate', '--kind', kind, '--as', 'jwk', '-o', at('own.jwk')]);
    const own = JSON.parse(read('own.jwk'));
    assert.equal(await jose.calculateJwkThumbprint(own), own.kid);

    const token = mintedByEdgectl(at('own.jwk'), algorithm);
    const { payload } = await jose.jwtVerify(token, await jose.importJWK(publicPart(own), algorithm),
      verifyOptions(algorithm));
    expectClaims(payload);
    expectClaims(verifiedByEdgectl(await signedByNpm(await jose.importJWK(own, algorithm), algorithm), at('own.jwk'),
      algorithm));
    exchanged += 2;
    if (isSecret(algorithm)) return;

    // The same key as PEM, private and public, and in the published set.
    const pkcs8 = edgectl(['key', 'convert', at('own.jwk'), '--as', 'pem', '-o', '-']);
    const spki = edgectl(['key', 'public', at('own.jwk'), '--as', 'pem']);
    const published = JSON.parse(edgectl(['key', 'jwks', at('own.jwk')]));
    await jose.jwtVerify(token, await jose.importSPKI(spki, algorithm), verifyOptions(algorithm));
    await jose.jwtVerify(token, jose.createLocalJWKSet(published), verifyOptions(algorithm));
    write('own.pub.pem', spki);
    expectClaims(verifiedByEdgectl(await signedByNpm(await jose.importPKCS8(pkcs8, algorithm), algorithm),
      at('own.pub.pem'), algorithm));

    // A key that npm's jose made, as JWK and as PEM.
    const pair = await jose.generateKeyPair(algorithm, { extractable: true });
    write('npm.pem', await jose.exportPKCS8(pair.privateKey));
    write('npm.jwk', JSON.stringify({ ...await jose.exportJWK(pair.privateKey), alg: algorithm }));
    write('npm.pub.pem', await jose.exportSPKI(pair.publicKey));
    for (const file of ['npm.pem', 'npm.jwk']) {
      await jose.jwtVerify(mintedByEdgectl(at(file), algorithm), pair.publicKey, verifyOptions(algorithm));
      assert.equal(edgectl(['key', 'thumbprint', at(file)]).trim(),
        await jose.calculateJwkThumbprint(await jose.exportJWK(pair.publicKey)));
    }
    expectClaims(verifiedByEdgectl(await signedByNpm(pair.privateKey, algorithm), at('npm.pub.pem'), algorithm));
    exchanged += 6;
  });

  test(`Debian's jose and edgectl understand each other: ${algorithm}`,
    { skip: reasonToSkip(algorithm) }, () => {
      edgectl(['key', 'generate', '--kind', kind, '--as', 'jwk', '-o', at('own.jwk')]);
      const token = mintedByEdgectl(at('own.jwk'), algorithm);
      const verified = run('jose', ['jws', 'ver', '-i', '-', '-k', at('own.jwk'), '-O', '-'], token);
      assert.equal(verified.status, 0, verified.stderr);
      expectClaims(JSON.parse(verified.stdout));
      assert.equal(run('jose', ['jwk', 'thp', '-i', at('own.jwk'), '-a', 'S256']).stdout.trim(),
        JSON.parse(read('own.jwk')).kid);

      assert.equal(run('jose', ['jwk', 'gen', '-i', JSON.stringify({ alg: algorithm }), '-o', at('theirs.jwk')]).status, 0);
      const theirs = JSON.parse(read('theirs.jwk'));
      delete theirs.key_ops;  // it lists both operations on a private key
      write('theirs.jwk', JSON.stringify(theirs));
      const signed = run('jose',
        ['jws', 'sig', '-I', '-', '-s', JSON.stringify({ protected: { alg: algorithm } }), '-k', at('theirs.jwk'), '-c',
          '-o', '-'], JSON.stringify(kClaims));
      assert.equal(signed.status, 0, signed.stderr);
      expectClaims(verifiedByEdgectl(signed.stdout.trim(), at('theirs.jwk'), algorithm));
      const back = run('jose', ['jws', 'ver', '-i', '-', '-k', at('theirs.jwk')], mintedByEdgectl(at('theirs.jwk'), algorithm));
      assert.equal(back.status, 0, back.stderr);
      exchanged += 3;
    });
}

test('thumbprints of the vectors are those of npm jose', async () => {
  const folderOfKeys = join(sourceDir, 'tests/vectors/identity/keys');
  const expected = Object.fromEntries(JSON.parse(readFileSync(join(folderOfKeys, 'thumbprints.json'), 'utf8'))
    .map(({ kid, sha256 }) => [kid, sha256]));
  const { keys } = JSON.parse(readFileSync(join(folderOfKeys, 'public.jwks.json'), 'utf8'));
  for (const key of keys) {
    assert.equal(await jose.calculateJwkThumbprint(key), expected[key.kid]);
    write('vector.jwk', JSON.stringify(key));
    assert.equal(edgectl(['key', 'thumbprint', at('vector.jwk')]).trim(), expected[key.kid]);
  }
});

after(() => console.log(`jose: ${exchanged} exchanges, Debian's jose ${hasDebianJose ? 'took part' : 'is not installed'}`));
