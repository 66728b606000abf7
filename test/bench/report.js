/* The figures of `npm run bench:http`, as Markdown. */
import { cpus, totalmem } from 'node:os';

/** What is asked for: scenario, figure, against whom, and what it has to be at least or at most. */
const GOALS = [
  { scenario: 'h2 x 16', figure: 'perSecond', other: 'go', atLeast: 0.8 },
  { scenario: 'http1 x 16', figure: 'perSecond', other: 'node', atLeast: 0.7 },
  { scenario: 'h2 x 64', figure: 'p99', other: 'node', atMost: 1.5 },
  { scenario: 'http1 x 64', figure: 'p99', other: 'node', atMost: 1.5 },
];

const median = (values) => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? NaN;

const figureOf = (runs, server, figure) =>
  median(runs.filter((run) => run.server === server).map((run) => run[figure]));

/** The median of the ratios of each round: what slows a whole round down is in none of them. */
function ratioOf(runs, figure, other) {
  const ratios = runs
    .filter(({ server }) => server === 'service')
    .flatMap((own) => {
      const same = runs.find((run) => run.server === other && run.round === own.round);
      return same === undefined ? [] : [own[figure] / same[figure]];
    });
  return median(ratios);
}

export function printReady(times) {
  const gigabytes = Math.round(totalmem() / 1024 ** 3);
  console.log(
    `Node ${process.version}, ${cpus().length} x ${cpus()[0]?.model}, ${gigabytes} GiB\n`,
  );
  const shown = times.map((time) => time.toFixed(0)).join(', ');
  console.log(`Start to ready: ${median(times).toFixed(0)} ms (${shown})\n`);
}

const COLUMNS = [
  ['reviews/s', (runs) => figureOf(runs, 'service', 'perSecond').toFixed(0)],
  ['to Node', (runs) => ratioOf(runs, 'perSecond', 'node').toFixed(2)],
  ['to Go', (runs) => ratioOf(runs, 'perSecond', 'go').toFixed(2)],
  ['p50', (runs) => figureOf(runs, 'service', 'p50').toFixed(2)],
  ['p99', (runs) => figureOf(runs, 'service', 'p99').toFixed(2)],
  ['to Node', (runs) => ratioOf(runs, 'p99', 'node').toFixed(2)],
  ['to Go', (runs) => ratioOf(runs, 'p99', 'go').toFixed(2)],
  ['CPU', (runs) => figureOf(runs, 'service', 'cpuMicros').toFixed(0)],
  ['to Node', (runs) => ratioOf(runs, 'cpuMicros', 'node').toFixed(2)],
  ['to Go', (runs) => ratioOf(runs, 'cpuMicros', 'go').toFixed(2)],
];

export function printTable(runs, client) {
  console.log(`Client: ${client}. p50 and p99 in ms, CPU of the server in µs a review.\n`);
  printRow(['', ...COLUMNS.map(([title]) => title)]);
  printRow([':--', ...COLUMNS.map(() => '--:')]);
  for (const [{ name }, ofScenario] of runs) {
    printRow([name, ...COLUMNS.map(([, cell]) => cell(ofScenario))]);
  }
  console.log('');
}

function printRow(cells) {
  console.log(`| ${cells.join(' | ').replaceAll('NaN', '-')} |`);
}

export function printGoals(runs) {
  for (const [{ name }, ofScenario] of runs) {
    for (const { figure, other, atLeast, atMost } of GOALS.filter(
      (goal) => goal.scenario === name,
    )) {
      const ratio = ratioOf(ofScenario, figure, other);
      if (Number.isNaN(ratio)) continue;
      const met = ratio >= (atLeast ?? 0) && ratio <= (atMost ?? Infinity);
      const bound = atMost === undefined ? `at least ${atLeast}` : `at most ${atMost}`;
      const what = `${name}, ${figure} to ${other}`;
      console.log(`${met ? 'met' : 'NOT MET'}: ${what}: ${ratio.toFixed(2)} (${bound})`);
    }
  }
}
