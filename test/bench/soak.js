/*
 * `npm run soak -- --minutes N`: the service as in production, asked for minutes or hours, with its
 * rules changed, broken and repaired and its certificates renewed all the while. Once every five
 * seconds it is asked for its own metrics; the end is a table, and a plot.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { get } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { setUp, startService } from './programs.js';
import { disturb } from './soak-disturb.js';
import { startClients } from './soak-clients.js';
import { plot } from './soak-plot.js';

const HELP = `Usage: npm run soak -- [--minutes N] [--reviews N] [--svg FILE]

Asks the service until both minutes (10 unless given) and reviews are over. The plot goes to FILE
(build/soak.svg unless given).

Exit: 0 nothing grew and nothing was wrong, 1 something did or was, 2 the call is wrong

Examples:
  npm run soak -- --minutes 30 --svg docs/soak.svg
  npm run soak -- --minutes 1 --reviews 1000000
`;

const SAMPLE_MS = 5000;
/** What RSS is compared with, once the service has warmed up. */
const WARM_REVIEWS = 10_000;
/** RSS at the end may be so many times that. */
const MAX_GROWTH = 1.2;
/** A third of a short run is enough. */
const MEDIAN_MS = 5 * 60_000;
const MIB = 1024 * 1024;

/** Name of the metric, and what a sample is divided by. */
const SERIES = {
  rss: ['process_resident_memory_bytes', MIB],
  heap: ['nodejs_heap_size_used_bytes', MIB],
  handles: ['nodejs_active_handles_total', 1],
  descriptors: ['process_open_fds', 1],
};

function readCall() {
  const { values } = parseArgs({
    options: {
      minutes: { type: 'string', default: '10' },
      reviews: { type: 'string', default: '0' },
      svg: { type: 'string', default: 'build/soak.svg' },
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
  const [minutes, reviews] = [Number(values.minutes), Number(values.reviews)];
  if (!(minutes > 0) || !(reviews >= 0)) throw new TypeError('expected numbers');
  return { ...values, minutes, reviews };
}

function textAt(url) {
  return new Promise((resolve, reject) => {
    get(url, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (part) => (text += part));
      response.once('end', () => resolve(text));
    }).once('error', reject);
  });
}

async function metricsAt(port) {
  const text = await textAt(`http://127.0.0.1:${port}/metrics`);
  const valueOf = (name) => Number(new RegExp(`^${name} (\\S+)$`, 'm').exec(text)?.[1] ?? NaN);
  return Object.fromEntries(
    Object.entries(SERIES).map(([key, [name, unit]]) => [key, valueOf(name) / unit]),
  );
}

async function soak({ minutes, reviews, svg }, folder) {
  const installation = await setUp(folder);
  const service = await startService(installation, folder);
  const clients = startClients(installation);
  const stopDisturbing = disturb(installation, folder, service);
  const started = performance.now();
  const samples = [];
  const isOver = () =>
    performance.now() - started >= minutes * 60_000 && clients.counts.right >= reviews;
  while (!isOver()) {
    await sleep(SAMPLE_MS);
    const at = (performance.now() - started) / 60_000;
    const { right } = clients.counts;
    samples.push({
      at,
      right,
      p99: clients.takeP99(),
      ...(await metricsAt(installation.adminPort)),
    });
  }
  const disturbances = await stopDisturbing();
  const counts = await clients.stop();
  await service.stop();
  writeFileSync(svg, plot(samples));
  return report({ samples, counts, disturbances });
}

function median(values) {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)];
}

/** Medians over minutes: memory rises and falls with V8's collections, some of which are that far apart. */
function report({ samples, counts, disturbances }) {
  const from = samples.findIndex(({ right }) => right >= WARM_REVIEWS);
  const span = Math.ceil(Math.min(MEDIAN_MS / SAMPLE_MS, (samples.length - from) / 3));
  const warm = samples.slice(from, from + span);
  const last = samples.slice(-span);
  const row = (name, digits) => {
    const [before, after] = [warm, last].map((part) => median(part.map((one) => one[name])));
    console.log(`| ${name} | ${before.toFixed(digits)} | ${after.toFixed(digits)} |`);
    return after / before;
  };
  console.log(`| | after ${warm[0].right} reviews | after ${last.at(-1).right} |\n| - | -: | -: |`);
  const growth = row('rss', 0);
  row('heap', 0);
  row('handles', 0);
  row('descriptors', 0);
  row('p99', 1);
  const { right, wrong, askedAgain, failures } = counts;
  console.log(`\n${right} right, ${wrong} wrong, failures ${JSON.stringify(failures)}`);
  console.log(`${askedAgain} streams refused for a connection that was to end, and asked again`);
  console.log(`in between: ${JSON.stringify(disturbances)}`);
  const byTenths = Array.from({ length: 10 }, (_, tenth) => {
    const at = (part) => Math.floor((samples.length * part) / 10);
    const part = samples.slice(at(tenth), Math.max(at(tenth + 1), at(tenth) + 1));
    return median(part.map(({ rss }) => rss)).toFixed(0);
  });
  console.log(`RSS by tenths of the time, MiB: ${byTenths.join(', ')}`);
  console.log(`RSS: ${growth.toFixed(2)} times what it was`);
  return wrong === 0 && Object.keys(failures).length === 0 && growth <= MAX_GROWTH;
}

async function main() {
  let call;
  try {
    call = readCall();
  } catch (thrown) {
    console.error(`image-checker: error: ${thrown.message}`);
    console.error('image-checker: hint: npm run soak -- --help');
    return 2;
  }
  if (call.help) {
    console.log(HELP);
    return 0;
  }
  const folder = mkdtempSync(join(tmpdir(), 'image-checker-soak-'));
  try {
    return (await soak(call, folder)) ? 0 : 1;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

process.exitCode = await main();
