/*
 * What a decision costs as the rules grow: `npm run bench:rules`.
 *
 * Each rule covers one repository of a registry of its own, or one of 100 namespaces, and asks for a
 * digest; the reviews name images that two rules touch, whatever the number of rules. The columns to
 * look at are the ratios to the first row: absolute figures are those of the machine.
 */
import { Buffer } from 'node:buffer';
import { performance } from 'node:perf_hooks';
import { decideReview } from '../../dist/decide/decide-review.js';
import { parseImageReview } from '../../dist/parse/image-review.js';
import { parsePolicy } from '../../dist/rules/load.js';
import { readCall } from './call.js';

readCall(`usage: npm run bench:rules

Decisions by 10 to 10,000 rules, and how long rules take to load; half a minute. It takes no options.`);

const NAMESPACES = 100;
const DECISIONS = 20_000;
const ROUNDS = 5;

const header = `apiVersion: image-checker/v1
kind: ImagePolicy
metadata: { name: bench }
spec:
  rules:
    - name: everywhere
      require: { explicitRegistry: true }
`;

/** Half of the rules name a registry, half a repository of one big registry. */
function manyRules(count) {
  const rules = Array.from({ length: count - 1 }, (_, index) => {
    const image =
      index % 2 === 0 ? `r${index}.example.com/**` : `registry.example.com/team-${index}/app`;
    return `    - name: rule-${index}
      match: { images: ['${image}'], namespaces: [ns-${index % NAMESPACES}, shared] }
      require: { digest: true }
`;
  });
  return header + rules.join('');
}

/** One rule with that many patterns, as JSON: how a generated file would look. */
function manyPatterns(count) {
  const images = Array.from(
    { length: count },
    (_, index) => `registry.example.com/team-${index % 1000}/app-${index}`,
  );
  return JSON.stringify({
    apiVersion: 'image-checker/v1',
    kind: 'ImagePolicy',
    metadata: { name: 'bench' },
    spec: { rules: [{ name: 'listed', require: { images } }] },
  });
}

function reviewsFor(count) {
  return Array.from({ length: 1000 }, (_, index) => {
    const rule = (index * 7919) % (count - 1);
    const image =
      rule % 2 === 0 ? `r${rule}.example.com/app:1` : `registry.example.com/team-${rule}/app:1`;
    return parseImageReview(
      Buffer.from(
        JSON.stringify({
          apiVersion: 'imagepolicy.k8s.io/v1alpha1',
          kind: 'ImageReview',
          spec: { containers: [{ image }], namespace: 'shared' },
        }),
      ),
    );
  });
}

function timeDecisions(policy, reviews) {
  const times = new Float64Array(DECISIONS);
  const started = performance.now();
  for (let index = 0; index < DECISIONS; index++) {
    const before = performance.now();
    const decision = decideReview(reviews[index % reviews.length], policy, { containers: 1000 });
    times[index] = performance.now() - before;
    if (decision.allowed || decision.violations.length !== 1) throw new Error('a wrong verdict');
  }
  const seconds = (performance.now() - started) / 1000;
  times.sort();
  return { perSecond: DECISIONS / seconds, p99: times[Math.floor(DECISIONS * 0.99)] * 1000 };
}

const median = (values) => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)];

const cases = [10, 100, 1000, 10_000].map((count) => {
  const text = manyRules(count);
  const started = performance.now();
  const policy = parsePolicy({ file: 'bench.yaml', text });
  return { count, load: performance.now() - started, policy, reviews: reviewsFor(count), runs: [] };
});

// In turn, so that a change of the machine's speed meets all of them.
for (let round = 0; round < ROUNDS + 1; round++) {
  for (const each of cases) {
    const run = timeDecisions(each.policy, each.reviews);
    if (round > 0) each.runs.push(run);
  }
}

const base = median(cases[0].runs.map((run) => run.perSecond));
console.log('|  rules | load, ms | decisions/s | cost against 10 rules | p99, µs |');
console.log('|-------:|---------:|------------:|----------------------:|--------:|');
for (const { count, load, runs } of cases) {
  const perSecond = median(runs.map((run) => run.perSecond));
  const p99 = median(runs.map((run) => run.p99));
  const cells = [
    String(count).padStart(6),
    load.toFixed(0).padStart(8),
    perSecond.toFixed(0).padStart(11),
    (base / perSecond).toFixed(2).padStart(21),
    p99.toFixed(1).padStart(7),
  ];
  console.log(`| ${cells.join(' | ')} |`);
}

for (const [name, text] of [
  ['JSON', manyPatterns(100_000)],
  ['YAML, a pattern a line', yamlPatterns(100_000)],
]) {
  const started = performance.now();
  parsePolicy({ file: 'bench', text });
  console.log(
    `100,000 patterns in one rule (${name}): ${(performance.now() - started).toFixed(0)} ms`,
  );
}

function yamlPatterns(count) {
  const { spec } = JSON.parse(manyPatterns(count));
  const lines = spec.rules[0].require.images.map((image) => `          - ${image}\n`);
  return `${header}    - name: listed\n      require:\n        images:\n${lines.join('')}`;
}
