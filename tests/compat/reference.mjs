// SPDX-License-Identifier: MIT
// Optimizely's JavaScript SDK as the reference of decisions: static datafile, synchronous calls, no network, no log.
import { createInstance, createStaticProjectConfigManager } from '@optimizely/optimizely-sdk';

/** A profile store that holds what `stored` says and keeps what was saved in `saved`. */
class ProfileStore {
  stored = {};
  saved = null;
  lookup(userId) { return { user_id: userId, experiment_bucket_map: structuredClone(this.stored) }; }
  save(profile) { this.saved = profile.experiment_bucket_map; }
}

async function open(datafile, userProfileService) {
  const client = createInstance({
    projectConfigManager: createStaticProjectConfigManager({ datafile }), userProfileService,
  });
  await client.onReady();
  return client;
}

/** Clients with and without a profile store, or null when the SDK refuses the datafile. */
export async function openReference(datafile) {
  const profiles = new ProfileStore();
  try {
    return { profiles, plain: await open(datafile), sticky: await open(datafile, profiles) };
  } catch {
    return null;
  }
}

function decide(user, record) {
  const options = record.options ?? [];
  if (record.key !== undefined) return { [record.key]: user.decide(record.key, options) };
  return record.keys ? user.decideForKeys(record.keys, options) : user.decideAll(options);
}

function printed({ flagKey, enabled, variationKey, ruleKey, variables, reasons }) {
  return { flagKey, enabled: Boolean(enabled), variationKey, ruleKey, variables, reasons };
}

/** The answer to a batch record as `edgectl decide --batch` prints it. */
export function decideAsReference({ plain, sticky, profiles }, record) {
  const client = record.userProfile === undefined ? plain : sticky;
  profiles.stored = record.userProfile ?? {};
  profiles.saved = null;
  const overrides = record.forcedVariations ?? [];
  try {
    for (const { experimentKey, variationKey } of overrides) client.setForcedVariation(experimentKey, record.userId, variationKey);
    const user = client.createUserContext(record.userId, record.attributes);
    user.qualifiedSegments = record.qualifiedSegments ?? null;
    for (const { flagKey, ruleKey, variationKey } of record.forcedDecisions ?? []) {
      user.setForcedDecision({ flagKey, ruleKey }, { variationKey });
    }
    const decisions = Object.entries(decide(user, record)).map(([key, decision]) => [key, printed(decision)]);
    return JSON.parse(JSON.stringify({ decisions: Object.fromEntries(decisions), savedProfile: profiles.saved }));
  } catch (error) {
    if (!/^Invalid (identifier|attributes)/.test(error.message)) throw error;
    return { error: 'invalid_input' };
  } finally {
    for (const { experimentKey } of overrides) client.setForcedVariation(experimentKey, record.userId, null);
  }
}
