// SPDX-License-Identifier: MIT
// The datafile that the OpenFeature clients are tested with.

const everybody = (id) => [{ entityId: id, endOfRange: 10000 }];

/** `revision` names it; `isOn`: whether the flag `switch` is on. */
export function remoteFlags(revision = '1', isOn = true) {
  const delivery = (id, enabled, more = {}) => ({
    id: `rollout-${id}`,
    experiments: [{
      id: `rule-${id}`, key: `rule-${id}`, status: 'Running', layerId: '', audienceIds: [], forcedVariations: {},
      variations: [{ id: `9${id}`, key: enabled ? 'on' : 'off', featureEnabled: enabled }],
      trafficAllocation: everybody(`9${id}`), ...more,
    }],
  });
  const variable = (id, key, type, defaultValue) => ({ id, key, type, defaultValue });
  return {
    version: '4', revision, accountId: '1', projectId: '2', audiences: [], events: [], groups: [], attributes: [],
    typedAudiences: [
      { id: 'a1', name: 'pros', conditions: ['or', { type: 'custom_attribute', name: 'plan', match: 'exact', value: 'pro' }] },
      { id: 'a2', name: 'spenders', conditions: ['or', { type: 'third_party_dimension', match: 'qualified', value: 'high_value' }] },
    ],
    experiments: [{
      id: '50', key: 'test', status: 'Running', layerId: '5', audienceIds: [], forcedVariations: { listed: 'b' },
      variations: [{ id: '51', key: 'a', featureEnabled: true }, { id: '52', key: 'b', featureEnabled: true }],
      trafficAllocation: [{ entityId: '51', endOfRange: 5000 }, { entityId: '52', endOfRange: 10000 }],
    }],
    rollouts: [delivery('1', isOn), delivery('2', true, { audienceIds: ['a1'] }), delivery('3', true, { audienceIds: ['a2'] })],
    featureFlags: [
      { id: '1', key: 'switch', rolloutId: 'rollout-1', experimentIds: [], variables: [] },
      { id: '2', key: 'banner', rolloutId: 'rollout-1', experimentIds: [], variables: [
        variable('21', 'value', 'string', 'hello'), variable('22', 'size', 'integer', '12'),
        variable('23', 'ratio', 'double', '0.25'), variable('24', 'look', 'json', '{"color":"blue","rows":[1,2]}'),
        variable('25', 'loud', 'boolean', 'true'), variable('26', 'broken', 'integer', 'many')] },
      { id: '3', key: 'experiment', rolloutId: '', experimentIds: ['50'], variables: [] },
      { id: '4', key: 'pro/only', rolloutId: 'rollout-2', experimentIds: [], variables: [] },
      { id: '5', key: 'for_spenders', rolloutId: 'rollout-3', experimentIds: [], variables: [] },
    ],
  };
}
