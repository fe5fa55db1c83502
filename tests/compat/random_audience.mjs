// SPDX-License-Identifier: MIT
// Random audience conditions, and users that come close to them: what is compared on both sides is drawn from the same
// small pools.

const raw = (text) => `@raw:${text}@`;
const kSegments = ['vip', 'high_value', 'seg-3', '', 'Ünï'];
const kVersions = ['2', '2.0', '2.1', '2.1.3', '2.1.0', '2.1.3-beta', '2.1.3-beta.2', '2.1.3-alpha', '2.1+build', '2.1.3+b-x',
  '2.1.3-b+x', '3.7.0', '3.7.1', '3.10', '1.', '', 'v1', '1.2.3.4', ' 2.1', '2.1\u00a0', '-1', '+', '2-', '0x2', '2.x',
  '99999999999999999999', '2.1.3-10', '2.1.3-9', '٢.1', '2.1.3-é'];
const kTexts = ['pro', 'free', '', 'pro plan', 'prö', 'PRO', 'true', '5', '😀', 'a\u0000b', '\ufffd'];
const kNumbers = [0, 1, -1, 5, 5.5, 30, 1e15, raw('-0.0'), raw('9007199254740992'), raw('9007199254740993'),
  raw('9007199254740994'), raw('-9007199254740993'), raw('1e400'), raw('5e0'), raw('0.1'), raw('5e-324'), raw('1e21')];
/** Attribute names with the values that fit them. */
const kAttributes = {
  plan: kTexts, age: kNumbers, app: kVersions, beta: [true, false], mixed: [...kTexts, ...kNumbers, true, false],
  '': kTexts, ключ: kTexts, '$opt_device': kTexts, 'a.b': kNumbers,
};
const kNames = Object.keys(kAttributes);
const kOrders = ['gt', 'ge', 'lt', 'le'];
const kSemvers = ['semver_eq', 'semver_gt', 'semver_ge', 'semver_lt', 'semver_le'];
const kMatches = ['exists', 'exact', 'substring', ...kOrders, ...kSemvers];
const kMatchesOf = { plan: ['exact', 'substring', 'exists'], age: ['exact', ...kOrders], app: kSemvers, beta: ['exact', 'exists'] };
const kOddValues = [null, [], ['pro'], {}, { a: 1 }];

function oddLeaf(random) {
  return random.pick([
    'text', 5, true, {}, { type: 'custom_attribute' }, { type: 'custom_attribute', match: 'exists' },
    { type: 'unknown', name: 'plan', value: 'pro' }, { name: 'plan', value: 'pro' },
    { type: 'custom_attribute', name: 'plan', match: null, value: 'pro' },
    { type: 'custom_attribute', name: 'plan', match: '', value: 'pro' },
    { type: 'custom_attribute', name: 'plan', match: 'EXACT', value: 'pro' },
    { type: 'custom_attribute', name: 'plan', match: 'qualified', value: 'vip' },
    { type: 'custom_attribute', name: 5, match: 'exact', value: 'pro' },
    { type: 'custom_attribute', name: 'plan', match: 'exact' },
    { type: 'custom_dimension', name: 'plan', value: 'pro' },
    { type: 'third_party_dimension', name: 'odp.audiences', match: 'exact', value: 'vip' },
    { type: 'third_party_dimension', name: 'odp.audiences', value: random.pick([5, null, true]) },
    ['and'], ['or'], ['not'], [], [{}], ['AND', { type: 'custom_attribute', name: 'plan', value: 'pro' }],
    [{ type: 'custom_attribute', name: 'plan', value: 'pro' }, { type: 'custom_attribute', name: 'age', value: 5 }],
  ]);
}

function leaf(random, oddness) {
  if (random.chance(oddness)) return oddLeaf(random);
  if (random.chance(0.15)) {
    const segment = { type: 'third_party_dimension', name: 'odp.audiences', value: random.pick(kSegments) };
    if (random.chance(0.8)) segment.match = 'qualified';
    return segment;
  }
  const name = random.pick(kNames);
  const match = random.pick(kMatchesOf[name] && random.chance(0.85) ? kMatchesOf[name] : kMatches);
  const condition = { type: 'custom_attribute', name, value: random.pick(kAttributes[name]) };
  if (match !== 'exact' || random.chance(0.6)) condition.match = match;
  if (match === 'exists') delete condition.value;
  if (random.chance(oddness)) condition.value = random.pick(kOddValues);
  return condition;
}

function tree(random, depth, makeLeaf) {
  if (depth === 0 || random.chance(0.35)) return makeLeaf();
  const operator = random.pick(['and', 'or', 'or', 'not']);
  const operands = random.list(operator === 'not' ? 1 : 0, operator === 'not' ? 1 : 4, () => tree(random, depth - 1, makeLeaf));
  if (random.chance(0.02)) operands.push(makeLeaf());
  return random.chance(0.08) ? operands : [operator, ...operands];
}

/** The conditions of an audience. */
export function audienceTree(random, oddness) {
  return tree(random, random.between(0, 3), () => leaf(random, oddness));
}

/** Gives a rule its audiences. */
export function ruleConditions(random, rule, audiences, oddness) {
  const id = () => (random.chance(oddness) || audiences.length === 0
    ? random.pick(['ghost', '', 5, true, {}, 'and', 'OR', null]) : random.pick(audiences));
  if (random.chance(0.3)) rule.audienceConditions = random.chance(0.05 + oddness)
    ? random.pick([null, '', 0, [], 'and', id(), ['and'], ['not'], [[]], ['or', []]])
    : tree(random, random.between(1, 3), id);
  if (random.chance(0.9)) rule.audienceIds = random.chance(0.5) || audiences.length === 0 ? [] : random.list(0, 3, id);
}

/** Attributes of a user: an object, or one of the other things that can be given. */
export function randomAttributes(random) {
  const attributes = {};
  for (const name of random.some(kNames, 0.55)) {
    attributes[name] = random.chance(0.06) ? random.pick(kOddValues) : random.pick(random.chance(0.9) ? kAttributes[name] : kAttributes.mixed);
  }
  return attributes;
}

export const randomSegments = (random) => random.some(kSegments, 0.4);
