// SPDX-License-Identifier: MIT
// Decisions of edgectl against those of Optimizely's JavaScript SDK on random datafiles and users.
//
// EDGE_DIFFERENTIAL_CASES: how many cases (10000). EDGE_SEED: repeats a run; every run prints its seed.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { isDeepStrictEqual } from 'node:util';

import { binDir, temporaryFolder } from './daemon.mjs';
import { decideAsReference, openReference } from './reference.mjs';
import { Random } from './random.mjs';
import { randomCase } from './random_case.mjs';
import { jsonText, randomDatafile } from './random_datafile.mjs';

const kCases = Number(process.env.EDGE_DIFFERENTIAL_CASES ?? 10_000);
const kCasesPerDatafile = 200;
const kMaxShown = 5;
const kRefusedDatafile = 3;  // exit code of edgectl

/** Runs `edgectl decide --batch`; resolves with its exit code and the answers by id. */
async function decideAsEdgectl(datafilePath, records) {
  const child = spawn(join(binDir, 'edgectl'), ['decide', '--config', 'none', '--datafile', datafilePath, '--batch', '-'],
    { stdio: ['pipe', 'pipe', 'pipe'] });
  let out = '';
  let problems = '';
  child.stdout.setEncoding('utf8').on('data', (text) => { out += text; });
  child.stderr.setEncoding('utf8').on('data', (text) => { problems += text; });
  child.stdin.on('error', () => {});  // one that refuses the datafile reads no records
  child.stdin.end(records.join('\n') + '\n');
  const code = await new Promise((resolve) => child.on('close', resolve));
  const answers = out.split('\n').filter(Boolean).map((line) => JSON.parse(line));
  return { code, problems, answers: new Map(answers.map((answer) => [answer.id, answer])) };
}

const withoutReasons = (decisions) => Object.fromEntries(
  Object.entries(decisions ?? {}).map(([key, { reasons, ...decision }]) => [key, decision]));

/** What both sides are compared by; reasons only where they are fixed. */
function comparable(answer, record) {
  const { decisions, savedProfile = null, error } = answer;
  if (error) return { error };
  const explains = record.options?.includes('INCLUDE_REASONS');
  return { decisions: explains ? withoutReasons(decisions) : decisions, savedProfile };
}

test('edgectl decides as the JavaScript SDK does', async () => {
  const seed = Number(process.env.EDGE_SEED ?? Date.now() % 2 ** 40);
  const random = new Random(seed);
  const folder = temporaryFolder();
  const keep = process.env.EDGE_KEEP_DIFFERENCES;  // a folder for the datafiles and records that differ
  const differences = [];
  const counts = { compared: 0, refused: 0, datafiles: 0 };
  try {
    while (counts.compared < kCases) {
      const world = randomDatafile(random);
      const text = jsonText(world.datafile);
      const path = join(folder.path, 'flags.json');
      writeFileSync(path, text);
      const lines = Array.from({ length: kCasesPerDatafile }, (_, id) => jsonText(randomCase(random, world, id)));
      const [reference, ours] = [await openReference(text), await decideAsEdgectl(path, lines)];
      ++counts.datafiles;
      if (!reference || ours.code === kRefusedDatafile) {
        ++counts.refused;
        if (Boolean(reference) === (ours.code === kRefusedDatafile)) {
          differences.push({ datafile: text, reference: reference ? 'accepted' : 'refused', edgectl: ours.problems });
        }
        continue;
      }
      assert.ok([0, 1].includes(ours.code), `edgectl ended with ${ours.code}: ${ours.problems}`);
      for (const [id, line] of lines.entries()) {
        const record = JSON.parse(line);
        const expected = decideAsReference(reference, record);
        ++counts.compared;
        const got = comparable(ours.answers.get(id), record);
        const wanted = comparable(expected, record);
        if (!isDeepStrictEqual(got, wanted)) differences.push({ datafile: text, record: line, got, wanted });
      }
    }
  } finally {
    folder.remove();
  }
  console.log(`vectors decide-differential: ${counts.compared} random cases on ${counts.datafiles} datafiles, ` +
    `${differences.length} differ, seed ${seed} (${counts.refused} datafiles refused)`);
  if (keep && differences.length > 0) {
    mkdirSync(keep, { recursive: true });
    differences.forEach((difference, i) => {
      writeFileSync(join(keep, `${i}.json`), difference.datafile);
      writeFileSync(join(keep, `${i}.txt`), JSON.stringify({ ...difference, datafile: undefined }, null, 1));
    });
  }
  const shown = differences.slice(0, kMaxShown).map(({ datafile, ...rest }) => JSON.stringify(rest, null, 1));
  assert.equal(differences.length, 0, shown.join('\n'));
});
