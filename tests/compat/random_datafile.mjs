// SPDX-License-Identifier: MIT
// Random datafiles: every feature of the format, and the odd things that are found in real ones or in none. Names come
// from small pools, so that ids and keys meet: rules share keys, variations share ids, audiences go missing.
import { audienceTree, ruleConditions } from './random_audience.mjs';

/** A number written as given; JSON.stringify could not write it. */
const raw = (text) => `@raw:${text}@`;
export const jsonText = (value) => JSON.stringify(value).replace(/"@raw:([^"@]*)@"/g, '$1');

const kVariationKeys = ['on', 'off', 'a', 'b', 'control', 'treatment', '', 'ключ'];
const kRuleKeys = ['rule_1', 'rule_2', 'exp', 'ab', 'default-1', 'shared', 'gate', '', '日本'];
const kFlagKeys = ['flag_a', 'flag_b', 'flag_c', 'flag_d', 'flag_e', 'new_checkout', 'ß', 'a.b', '', '42', '7'];
const kVariableKeys = ['price', 'title', 'limit', 'is_new', 'config', 'value', '', '1'];
const kTypes = ['boolean', 'integer', 'double', 'string', 'json', 'strange'];
const kValues = {
  boolean: ['true', 'false', 'TRUE', '1', '', ' true', 'yes'],
  integer: ['1', '-7', '12abc', '1e3', '0x10', '3.9', '1_000', '', ' 42', '9007199254740993', '+5', '-0', 'abc', '１２',
    '\u00a08', '00012', '99999999999999999999999'],
  double: ['1.5', '-0.25', '1e3', '1e400', 'Infinity', '-Infinity', '.5', '5.', '1.5abc', '', 'NaN', '0x10', ' 2.5',
    '-0', '1e', '1e+', '9007199254740993', '5e-324', 'infinity', '\ufeff3.5', '--1', '1.2.3'],
  json: ['{}', '{"a":1,"b":[true,null,"x"]}', '[1,2.50,1e3]', '"text"', 'null', 'true', '{"a":1,"a":2}', '{bad', '', '01',
    '{"n":9007199254740993,"z":-0.0,"e":1E2}', '{"u":"\\ud83d\\ude00 \\u0000"}', ' 7 ', '{"b":1,"2":2,"1":3}'],
  string: ['hello', '', 'a"b\\c', 'ünïcödé 😀', 'true', '42'],
};
kValues.strange = kValues.string;

class Maker {
  constructor(random) {
    this.random = random;
    this.oddness = random.pick([0, 0.03, 0.15]);  // one third of the datafiles is tidy
    this.variationIds = random.chance(0.5)
      ? Array.from({ length: 14 }, (_, i) => String(random.pick([i, 1000 + i, 4294967290 + i])))
      : Array.from({ length: 14 }, (_, i) => random.pick([`v${i}`, `${i}`, `0${i}`, `é${i}`]));
    this.nextRule = 0;
    this.sharing = random.pick([0, 0.1, 0.4]);  // how often an id or key is used again
    this.variableIds = [];
    this.usedVariations = [];
    this.holdoutRules = [];
    this.ruleIds = [];
    this.ruleKeys = [];
  }

  odd() { return this.random.chance(this.oddness); }

  /** Sets a member, or leaves it out, or spoils it with one of `spoilt`. */
  member(object, name, value, spoilt = []) {
    if (!this.odd()) object[name] = value;
    else if (spoilt.length > 0 && this.random.chance(0.6)) object[name] = this.random.pick(spoilt);
  }

  ruleId() {
    if (this.ruleIds.length > 0 && this.random.chance(this.sharing / 3)) return this.random.pick(this.ruleIds);
    const number = ++this.nextRule;
    const id = this.random.pick([String(9000 + number), String(9000 + number), `rule-${number}`, `ü${number}`]);
    this.ruleIds.push(id);
    return id;
  }

  ruleKey() {
    const key = this.random.chance(this.sharing) ? this.random.pick(kRuleKeys) : `key_${this.ruleIds.length}_${this.nextRule}`;
    this.ruleKeys.push(key);
    return key;
  }

  variation() {
    const { random } = this;
    const variation = { id: random.pick(this.variationIds), key: random.pick(kVariationKeys) };
    this.usedVariations.push(variation.id);
    this.member(variation, 'featureEnabled', random.chance(0.6), [null, 1, 0, 'yes', '']);
    if (random.chance(0.6)) {
      this.member(variation, 'variables', random.some(this.variableIds, 0.5).map(({ id, type }) => {
        const value = { id };
        this.member(value, 'value', random.pick(kValues[type]), [null, 'x']);
        return value;
      }), [null, []]);
    }
    if (random.chance(0.05)) variation.variables = [{ id: 'ghost', value: '1' }];
    return variation;
  }

  allocation(variations) {
    const { random } = this;
    if (variations.length === 0) return [];
    if (random.chance(0.4)) {
      return [{ entityId: random.pick(variations).id, endOfRange: random.pick([10000, 10000, 5000, 0, 1]) }];
    }
    let end = 0;
    return random.list(0, 5, () => {
      end += random.between(0, 4000);
      const range = {};
      this.member(range, 'entityId', random.pick(variations).id,
        ['', null, 'ghost', random.pick(this.variationIds), random.pick(this.variationIds)]);
      this.member(range, 'endOfRange', end,
        [2500.5, '5000', 'abc', null, true, -1, raw('1e400'), random.between(0, 10000), ' 7000 ', '0x1000', '']);
      return range;
    });
  }

  rule(audiences, kind) {
    const { random } = this;
    const variations = random.list(this.odd() ? 0 : 1, 4, () => this.variation());
    const rule = { id: this.ruleId(), key: this.ruleKey() };
    this.member(rule, 'layerId', random.pick(['l1', '12', '']));
    rule.status = random.chance(kind === 'rollout' ? 0.6 : 0.9) ? 'Running'
      : random.pick(['Draft', 'Paused', 'Not started', 'running', '', 'Archived']);
    rule.variations = variations;
    rule.trafficAllocation = this.allocation(variations);
    ruleConditions(random, rule, audiences, this.oddness);
    if (kind === 'holdout') return rule;
    rule.forcedVariations = {};
    if (random.chance(0.3)) {
      for (const user of random.some(kUsers, 0.2)) {
        rule.forcedVariations[user] = random.pick([...variations.map(({ key }) => key), 'ghost']) ?? 'ghost';
      }
    }
    if (random.chance(0.5)) rule.type = random.pick(['ab', 'fr', 'fr', 'mab', 'cmab', 'td', 'FR', null]);
    if (random.chance(0.06)) rule.cmab = random.pick([{ attributeIds: ['1'], trafficAllocation: 5000 }, {}, null]);
    return rule;
  }

  flag(experiments, rollouts) {
    const { random } = this;
    const flag = { id: String(random.between(1, 99)), key: random.pick(kFlagKeys) };
    this.member(flag, 'rolloutId', rollouts.length > 0 ? random.pick(rollouts).id : '', ['', 'ghost', null]);
    flag.experimentIds = random.some(experiments, 0.3).map(({ id }) => id);
    if (random.chance(0.1) && flag.experimentIds.length > 1) flag.experimentIds.reverse();
    flag.variables = random.some(this.variableIds, 0.4).map(({ id, type }) => {
      const variable = { id, key: random.pick(kVariableKeys), type };
      if (type === 'json' && random.chance(0.7)) Object.assign(variable, { type: 'string', subType: 'json' });
      variable.defaultValue = random.pick(kValues[type]);
      return variable;
    });
    return flag;
  }

  group(audiences, number) {
    const { random } = this;
    const experiments = random.list(0, 3, () => this.rule(audiences, 'experiment'));
    let end = 0;
    const trafficAllocation = random.some([...experiments, ...experiments], 0.6).map(({ id }) => {
      end += random.between(0, 5000);
      return { entityId: this.odd() ? random.pick(['', 'ghost', null]) : id, endOfRange: end };
    });
    return {
      id: `g${number}`, trafficAllocation, experiments,
      policy: random.pick(['random', 'random', 'random', 'overlapping', 'Random', '']),
    };
  }

  holdouts(audiences) {
    const { random } = this;
    return random.list(1, 3, () => {
      const holdout = this.rule(audiences, 'holdout');
      this.member(holdout, 'includedRules', random.some(this.ruleIds, 0.3), [null, [], 'ghost', ['ghost']]);
      if (random.chance(0.3)) holdout.excludeTargetedDeliveries = random.pick([true, true, false, null, 1]);
      return holdout;
    });
  }

  audiences(ids, kind) {
    return this.random.some(ids, 0.6).map((id) => {
      const tree = audienceTree(this.random, this.oddness);
      return { id, name: this.random.pick([`Audience ${id}`, '', 'beta']), conditions: kind === 'typed' ? tree : JSON.stringify(tree) };
    });
  }

  datafile() {
    const { random } = this;
    const ids = Array.from({ length: random.between(0, 9) }, (_, i) => random.pick([String(100 + i), `aud-${i}`]));
    this.variableIds = Array.from({ length: random.between(0, 8) }, (_, i) => ({ id: String(i + 1), type: random.pick(kTypes) }));
    const datafile = {
      version: random.pick(['4', '4', '4', '4', '3', '2']),
      revision: random.pick(['1', '42', '', 7, null]),
      accountId: '1', projectId: '2',
      audiences: random.chance(0.5) ? this.audiences(ids, 'text') : [],
      typedAudiences: random.chance(0.8) ? this.audiences(ids, 'typed') : [],
      attributes: [{ id: '1', key: 'plan' }, { id: '2', key: 'age' }],
      experiments: random.list(0, 5, () => this.rule(ids, 'experiment')),
      groups: random.chance(0.6) ? random.list(1, 2, (i) => this.group(ids, i)) : [],
      rollouts: random.list(0, 4, (i) => ({ id: `ro${i}`, experiments: random.list(0, 4, () => this.rule(ids, 'rollout')) })),
    };
    const experiments = [...datafile.experiments, ...datafile.groups.flatMap((group) => group.experiments)];
    datafile.featureFlags = random.list(1, 7, () => this.flag(experiments, datafile.rollouts));
    if (random.chance(0.25)) datafile.holdouts = this.holdouts(ids);
    if (random.chance(0.25)) datafile.localHoldouts = this.holdouts(ids);
    if (random.chance(0.2)) delete datafile.typedAudiences;
    if (random.chance(0.1)) datafile.anonymizeIP = true;
    if (random.chance(0.1)) datafile.sendFlagDecisions = true;
    return datafile;
  }
}

/** Who the cases are about. */
export const kUsers = ['user-1', 'user-2', 'u', '', ' ', 'Ünïcode', '用户', '😀', 'a'.repeat(300), '0', 'undefined ', 'null',
  'tab\there', '\ud800'];

/** `{datafile, experimentIds, experimentKeys, flagKeys, variationKeys, variationIds}`. */
export function randomDatafile(random) {
  const maker = new Maker(random);
  const datafile = maker.datafile();
  return {
    datafile,
    ruleIds: maker.ruleIds,
    ruleKeys: maker.ruleKeys,
    flagKeys: datafile.featureFlags.map(({ key }) => key),
    variationKeys: kVariationKeys,
    variationIds: maker.variationIds,
  };
}
