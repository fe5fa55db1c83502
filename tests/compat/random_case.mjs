// SPDX-License-Identifier: MIT
// Random decide calls on a random datafile, as records of `edgectl decide --batch`.
import { randomAttributes, randomSegments } from './random_audience.mjs';
import { kUsers } from './random_datafile.mjs';

const kOptions = ['DISABLE_DECISION_EVENT', 'ENABLED_FLAGS_ONLY', 'IGNORE_USER_PROFILE_SERVICE', 'INCLUDE_REASONS',
  'EXCLUDE_VARIABLES', 'IGNORE_CMAB_CACHE', 'include_reasons', 'NONSENSE'];

function bucketMap(random, world) {
  const map = {};
  for (const id of random.some(world.ruleIds, 0.4)) {
    map[id] = { variation_id: random.chance(0.9) ? random.pick(world.variationIds) : 'ghost' };
  }
  return map;
}

function forcedDecision(random, world) {
  const forced = { flagKey: random.chance(0.95) ? random.pick(world.flagKeys) : 'ghost', variationKey: random.pick([...world.variationKeys, 'ghost']) };
  if (random.chance(0.6)) forced.ruleKey = random.pick([...world.ruleKeys, 'ghost', '', '$opt_null_rule_key']);
  return forced;
}

/** One record; `id` is echoed in the answer. */
export function randomCase(random, world, id) {
  const record = { id, userId: random.chance(0.5) ? `user-${random.below(100000)}` : random.pick(kUsers) };
  if (random.chance(0.01)) record.userId = random.pick(['undefined', 5, null, {}]);
  record.attributes = random.chance(0.99) ? randomAttributes(random) : random.pick([null, false, 0, '', [], 'text', 5, true]);
  if (random.chance(0.1) && record.attributes?.constructor === Object) {
    record.attributes.$opt_bucketing_id = random.pick(['other', '', 5, null, 'user-1', '用户']);
  }
  if (random.chance(0.08) && record.attributes?.constructor === Object) {
    record.attributes.$opt_experiment_bucket_map = random.chance(0.9) ? bucketMap(random, world) : random.pick([{}, null, 5]);
  }
  if (random.chance(0.6)) record.key = random.chance(0.97) ? random.pick(world.flagKeys) : 'ghost';
  else if (random.chance(0.3)) record.keys = random.list(0, 4, () => random.pick([...world.flagKeys, 'ghost']));
  if (random.chance(0.3)) record.options = random.some(kOptions, 0.25);
  if (random.chance(0.2)) record.forcedDecisions = random.list(1, 3, () => forcedDecision(random, world));
  if (random.chance(0.4)) record.qualifiedSegments = random.chance(0.9) ? randomSegments(random) : null;
  if (random.chance(0.2)) record.userProfile = random.chance(0.8) ? bucketMap(random, world) : {};
  if (random.chance(0.1) && record.userId !== '') {  // the SDK never takes back an override of the empty user
    record.forcedVariations = random.list(1, 2, () => ({
      experimentKey: random.chance(0.9) ? random.pick(world.ruleKeys) ?? 'ghost' : 'ghost',
      variationKey: random.pick([...world.variationKeys, 'ghost']),
    }));
  }
  return record;
}
