/*
 * The coverage-guided run: `npm run fuzz -- --minutes N`. Jazzer.js (libFuzzer) over the targets of
 * test/fuzz/targets, one at a time; `npm test -- test/fuzz` holds the same targets against fixed
 * inputs. New inputs gather in build/fuzz/corpus, the kept ones are in test/fuzz/corpus.
 */
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { parseArgs } from 'node:util';

/** Shares of the time: what decides gets most of it. Inputs are cut at so many bytes. */
const TARGETS = {
  reference: { share: 2, bytes: 600, dictionary: 'reference' },
  pattern: { share: 2, bytes: 400, dictionary: 'reference' },
  review: { share: 3, bytes: 2048, dictionary: 'review' },
  policy: { share: 3, bytes: 2048, dictionary: 'rules' },
  rules: { share: 3, bytes: 2048, dictionary: 'rules' },
  artefact: { share: 2, bytes: 2048, dictionary: 'artefact' },
  config: { share: 1, bytes: 2048, dictionary: 'kubernetes' },
  kubeconf: { share: 1, bytes: 2048, dictionary: 'kubernetes' },
  manifest: { share: 2, bytes: 4096, dictionary: 'kubernetes' },
  admission: { share: 1, bytes: 2048, dictionary: 'kubernetes' },
  'docker-config': { share: 2, bytes: 1024, dictionary: 'registry' },
  challenge: { share: 2, bytes: 400, dictionary: 'registry' },
  token: { share: 1, bytes: 600, dictionary: 'registry' },
  base64: { share: 1, bytes: 100, dictionary: 'registry' },
  'public-key': { share: 1, bytes: 1024, dictionary: 'registry' },
  time: { share: 1, bytes: 50, dictionary: 'registry' },
  'image-manifest': { share: 2, bytes: 2048, dictionary: 'registry' },
  bundle: { share: 2, bytes: 8192, dictionary: 'registry' },
  statement: { share: 1, bytes: 1024, dictionary: 'predicate' },
  signature: { share: 3, bytes: 8192, dictionary: 'registry', isAsync: true },
  predicate: { share: 2, bytes: 2048, dictionary: 'predicate' },
  cel: { share: 3, bytes: 600, dictionary: 'predicate' },
};

const HELP = `Usage: npm run fuzz -- [--minutes N] [--target NAME]... [--input FILE]

Coverage-guided fuzzing, N minutes in all (10 unless given), over all targets or the named ones.
--input runs one file through one target, to see a crash again.

Targets: ${Object.keys(TARGETS).join(', ')}

Exit: 0 nothing found, 1 a finding, 2 the call is wrong, 70 the fuzzer does not run

Examples:
  npm run fuzz -- --minutes 60
  npm run fuzz -- --minutes 5 --target rules --target policy
  npm run fuzz -- --target rules --input build/fuzz/crashes/rules-crash-1234
`;

const BUILT = 'build/fuzz';
const JAZZER = 'node_modules/@jazzer.js/core/dist/cli.js';
/** What the addon of Jazzer.js 4.0.0 is linked against. */
const GLIBC = [2, 38];
/** One input that takes longer is a finding. */
const TIMEOUT_SECONDS = 20;

class CallError extends Error {}

function readCall() {
  const options = {
    minutes: { type: 'string', default: '10' },
    target: { type: 'string', multiple: true, default: Object.keys(TARGETS) },
    input: { type: 'string' },
    help: { type: 'boolean', short: 'h', default: false },
  };
  const { values } = parse(options);
  const { target: names, input } = values;
  const minutes = Number(values.minutes);
  if (!(minutes > 0)) throw new CallError(`expected minutes, got ${values.minutes}`);
  const unknown = names.find((name) => !Object.hasOwn(TARGETS, name));
  if (unknown !== undefined) throw new CallError(`expected a target, got ${unknown}`);
  if (input !== undefined && names.length !== 1) throw new CallError('expected one --target');
  return { ...values, minutes, names, input };
}

function parse(options) {
  try {
    return parseArgs({ options });
  } catch (thrown) {
    throw new CallError(thrown.message);
  }
}

/** Node, started in a way in which the addon of the fuzzer loads. */
function nodeCommand() {
  const { glibcVersionRuntime } = process.report.getReport().header;
  const [major, minor] = (glibcVersionRuntime ?? '0.0').split('.').map(Number);
  if (major > GLIBC[0] || (major === GLIBC[0] && minor >= GLIBC[1])) return [process.execPath];
  const { status, stdout } = spawnSync('scripts/fuzz/newer-libc.sh', ['build/libc'], {
    stdio: ['ignore', 'pipe', 'inherit'],
    encoding: 'utf8',
  });
  if (status !== 0) throw new Error(`expected glibc ${GLIBC.join('.')} or newer`);
  const libraries = stdout.trim();
  return [`${libraries}/ld-linux-x86-64.so.2`, '--library-path', libraries, process.execPath];
}

function jazzerArguments(name, { inputs, limits }) {
  const { bytes, dictionary, isAsync = false } = TARGETS[name];
  return [
    ...[JAZZER, `${BUILT}/test/fuzz/targets/${name}.js`, ...inputs],
    ...['-i', `${BUILT}/src`, ...(isAsync ? [] : ['--sync']), '--disableBugDetectors', '.*'],
    // Jazzer.js makes libFuzzer's option of its own, behind all that is given.
    ...['--timeout', String(TIMEOUT_SECONDS * 1000), '--'],
    ...[`-max_len=${bytes}`, `-dict=test/fuzz/dictionaries/${dictionary}.dict`],
    ...[`-artifact_prefix=${BUILT}/crashes/${name}-`, ...limits],
  ];
}

/** Runs the fuzzer to its end and reads what it tells about itself. */
async function fuzz(node, name, how) {
  const [command, ...before] = node;
  const started = Date.now();
  const child = spawn(command, [...before, ...jazzerArguments(name, how)], {
    stdio: ['ignore', 'inherit', 'pipe'],
  });
  const end = new Promise((resolve) => {
    child.on('close', (code, signal) => resolve(code ?? signal));
  });
  const result = { name, runs: 0, coverage: 0, lines: [] };
  for await (const line of createInterface({ input: child.stderr })) readLine(line, result);
  const code = await end;
  return { ...result, code, minutes: (Date.now() - started) / 60_000 };
}

function readLine(line, result) {
  const progress = /^#(\d+)\s.*\bcov: (\d+)/.exec(line);
  if (progress !== null) {
    result.runs = Number(progress[1]);
    result.coverage = Number(progress[2]);
  } else if (!/^INFO|^Skip loading|Uses:|^#/.test(line)) {
    result.lines.push(line);
  }
}

function report({ name, runs, coverage, code, minutes, lines }) {
  const rate = Math.round(runs / minutes / 60);
  const verdict = code === 0 ? 'nothing found' : `a finding (exit ${code})`;
  console.log(
    `${name}: ${minutes.toFixed(1)} min, ${runs} runs (${rate}/s), coverage ${coverage}: ${verdict}`,
  );
  if (code !== 0) console.log(lines.join('\n'));
}

async function main() {
  const { help, names, minutes, input } = readCall();
  if (help) return console.log(HELP);
  const { status } = spawnSync('npx', ['tsc', '-p', 'test/fuzz/tsconfig.json'], {
    stdio: ['ignore', 'inherit', 'inherit'],
  });
  if (status !== 0) throw new Error('expected targets that compile');
  const node = nodeCommand();
  const shares = names.reduce((sum, name) => sum + TARGETS[name].share, 0);
  mkdirSync(`${BUILT}/crashes`, { recursive: true });
  for (const name of names) {
    const gathered = `${BUILT}/corpus/${name}`;
    mkdirSync(gathered, { recursive: true });
    const seconds = Math.ceil((minutes * 60 * TARGETS[name].share) / shares);
    const how =
      input === undefined
        ? {
            inputs: [gathered, `test/fuzz/corpus/${name}`],
            limits: [`-max_total_time=${seconds}`],
          }
        : { inputs: [input], limits: [] };
    const result = await fuzz(node, name, how);
    report(result);
    if (result.code !== 0) process.exitCode = 1;
  }
  tellCrashes();
}

function tellCrashes() {
  if (process.exitCode !== 1 || !existsSync(`${BUILT}/crashes`)) return;
  for (const file of readdirSync(`${BUILT}/crashes`)) console.log(`${BUILT}/crashes/${file}`);
  console.error('image-checker: hint: put the input into test/fuzz/corpus/TARGET, and repair it');
}

try {
  await main();
} catch (thrown) {
  const isCall = thrown instanceof CallError;
  console.error(`image-checker: error: ${isCall ? thrown.message : (thrown.stack ?? thrown)}`);
  if (isCall) console.error('image-checker: hint: npm run fuzz -- --help');
  process.exitCode = isCall ? 2 : 70;
}
