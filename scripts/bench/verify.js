/*
 * What rules that ask a registry cost a review: `npm run bench:verify`.
 *
 * The way of a review without the network on our side, from the body to the answer and its log line,
 * against a real registry with a password on loopback, with signatures by real cosign. By turns, round
 * after round, so that a change of the machine's speed meets all of them; figures are medians.
 */
import { Buffer } from 'node:buffer';
import { execFile } from 'node:child_process';
import { createWriteStream } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { promisify } from 'node:util';
import { createCheckImage } from '../../dist/check-image.js';
import { registriesSchema } from '../../dist/config/registries.js';
import { createDecisionLog } from '../../dist/record/decision-log.js';
import { createLog } from '../../dist/record/logger.js';
import { openRegistries } from '../../dist/registries.js';
import { parsePolicy } from '../../dist/rules/load.js';
import { readCall } from './call.js';

readCall(`usage: npm run bench:verify

A review by rules that ask a registry against one by rules that ask none; half a minute, after the
lab's registry is there. It takes no options.`);

const ROUNDS = 15;
/** Reviews a round of what takes microseconds. */
const BATCH = 2000;
const BURST = { reviews: 200, images: 50 };

const lab = (name) => new URL(`../lab/registry/${name}`, import.meta.url).pathname;
const run = promisify(execFile);
const median = (values) => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)];

const state = await mkdtemp(join(tmpdir(), 'image-checker-bench-'));
const call = async (script, ...args) => {
  const { stdout } = await run(lab(script), ['--state', state, ...args], { maxBuffer: 1e8 });
  return stdout.trim();
};
const log = createLog({ level: 'info', format: 'json' }, createWriteStream('/dev/null'));
const sources = {};

try {
  const host = await call('up.sh', '--owner', String(process.pid));
  await bench(host);
} finally {
  await call('down.sh');
  await rm(state, { recursive: true });
}

async function bench(host) {
  console.error('pushing and signing 52 images');
  const key = join(state, 'k');
  await call('cosign.sh', '3.1', 'generate-key-pair', '--output-key-prefix', key);
  const sign = ['sign', '--key', `${key}.key`, '--tlog-upload=false', '-y'];
  const push = async (name, version, more) => {
    const image = await call('image.js', '--content', name, `bench/${name}:1`);
    await call('cosign.sh', version, ...sign, ...more, image);
    return image;
  };
  const legacy = await push('legacy', '2.5', []);
  const bundle = await push('bundle', '3.1', ['--use-signing-config=false']);
  const burst = [];
  for (let at = 0; at < BURST.images; at++) burst.push(await push(`burst-${at}`, '2.5', []));

  const pem = await readFile(`${key}.pub`, 'utf8');
  const policies = {
    plain: policyOf({ name: 'plain', require: { registries: [host] } }),
    signed: policyOf({ name: 'signed', require: { signatures: [{ keys: [pem] }] } }),
  };
  const open = (policy, cache) => opened(host, policies[policy], cache);
  const none = { positive: '0s', negative: '0s', bytes: 0 };

  const plain = open('plain', {});
  const warm = open('signed', none);
  const cached = open('signed', {});
  const tag = legacy.replace(/@.*/, ':1');
  const cold = async (image) => {
    const fresh = open('signed', none);
    await fresh.review(image);
    fresh.close();
  };
  const cases = [
    { name: 'no rule asks a registry', of: () => plain.review(legacy), batch: BATCH },
    { name: 'cached, by digest', of: () => cached.review(legacy), batch: BATCH },
    { name: 'cached, by tag (the tag is resolved)', of: () => cached.review(tag), batch: 20 },
    { name: 'warm connection, cosign 2.5', of: () => warm.review(legacy), batch: 5 },
    { name: 'warm connection, cosign 3.1 bundle', of: () => warm.review(bundle), batch: 5 },
    { name: 'cold connection, cosign 2.5', of: () => cold(legacy), batch: 2 },
    { name: 'cold connection, cosign 3.1 bundle', of: () => cold(bundle), batch: 2 },
  ].map((each) => ({ ...each, runs: [] }));
  for (let round = 0; round < ROUNDS + 1; round++) {
    for (const each of cases) {
      const began = performance.now();
      for (let at = 0; at < each.batch; at++) await each.of();
      if (round > 0) each.runs.push((performance.now() - began) / each.batch);
    }
  }
  printTable(cases);
  for (const each of [plain, warm, cached]) each.close();
  await printBurst(() => open('signed', {}), burst);
}

function printTable(cases) {
  const base = median(cases[0].runs);
  console.log('| review | median, ms | against no registry |');
  console.log('| :-- | --: | --: |');
  for (const { name, runs } of cases) {
    const ms = median(runs);
    console.log(`| ${name} | ${ms.toFixed(ms < 1 ? 4 : 1)} | ${(ms / base).toFixed(2)} |`);
  }
}

async function printBurst(open, images) {
  const service = open();
  sources.verification = 0;
  const began = performance.now();
  const reviews = Array.from({ length: BURST.reviews }, (_, at) =>
    service.review(images[at % images.length]),
  );
  await Promise.all(reviews);
  const ms = (performance.now() - began).toFixed(0);
  service.close();
  console.log(
    `\n${BURST.reviews} reviews of ${BURST.images} images at once: ${sources.verification} verifications, ${ms} ms`,
  );
}

function policyOf(rule) {
  const head = { apiVersion: 'image-checker/v1', kind: 'ImagePolicy', metadata: { name: 'bench' } };
  const text = JSON.stringify({ ...head, spec: { rules: [rule] } });
  return parsePolicy({ file: 'bench', text });
}

/** What the service makes of its config, without its listeners. */
function opened(host, policy, cache) {
  const config = registriesSchema.parse({
    credentials: [join(state, 'puller.json')],
    hosts: { [host]: { ca: join(state, 'ca.pem') } },
    cache,
  });
  const registries = openRegistries(config, {
    clock: Date.now,
    random: Math.random,
    mostWaiting: Infinity,
    env: {},
    answered: () => undefined,
    answeredBy: (source) => (sources[source] = (sources[source] ?? 0) + 1),
    failed: (thrown) => {
      throw thrown;
    },
    warn: console.error,
  });
  let id = 0;
  const checkImage = createCheckImage({
    policy: () => policy,
    limits: { containers: 1000 },
    inspector: registries.inspector,
    record: createDecisionLog(log, 1),
    log,
    metrics: { decided: () => undefined, failed: () => undefined },
    newId: () => `id-${++id}`,
    now: () => performance.now(),
  });
  const bodies = new Map();
  return {
    async review(image) {
      let body = bodies.get(image);
      if (body === undefined) bodies.set(image, (body = bodyOf(image)));
      const answer = checkImage(body, 'api-server');
      const { status } = answer instanceof Promise ? await answer : answer;
      if (!status.allowed) throw new Error(status.reason);
      JSON.stringify(answer instanceof Promise ? await answer : answer);
    },
    close: registries.close,
  };
}

function bodyOf(image) {
  return Buffer.from(
    JSON.stringify({
      apiVersion: 'imagepolicy.k8s.io/v1alpha1',
      kind: 'ImageReview',
      spec: { containers: [{ image }], namespace: 'default' },
    }),
  );
}
