/*
 * What a review costs on the wire: `npm run bench:http`.
 *
 * The service, as `setup` makes it, against two yardsticks that do nothing but parse, one set look-up
 * and answer: a raw handler of node:http2 or node:https, and, where Go is present, one of net/http.
 * They are asked by turns, round after round, so that a change of the machine's speed meets all of
 * them; the figures are medians, and the ones to look at are the ratios.
 */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readCall } from '../../scripts/bench/call.js';
import {
  buildGo,
  measure,
  setUp,
  startHandler,
  startRawHandler,
  startService,
} from './programs.js';
import { printGoals, printReady, printTable } from './report.js';

const HELP = `usage: npm run bench:http [-- --rounds N] [--seconds S] [--only TEXT]

--rounds N    how often each is asked (default 7), after one that does not count
--seconds S   for how long each time (default 1.5)
--only TEXT   those scenarios alone whose name holds the text, such as 'h2 x 16'

The goals are judged on medians: a few short rounds on a busy machine say little. Exit: 0 measured,
whether they are met or not; 2 the call is wrong.`;

const values = readCall(HELP, {
  rounds: { type: 'string', default: '7' },
  seconds: { type: 'string', default: '1.5' },
  only: { type: 'string', default: '' },
});
const STARTS = 5;

const SCENARIOS = ['h2', 'http1'].flatMap((protocol) => [
  ...[1, 16, 64].map((concurrency) => ({
    ...{ name: `${protocol} x ${concurrency}`, protocol, concurrency, newConnections: false },
  })),
  { name: `${protocol}, new connections`, protocol, concurrency: 16, newConnections: true },
]);

/** As kube-apiserver v1.20 sends it: 64 pods, of which every sixteenth is to be denied. */
function questions() {
  return Array.from({ length: 64 }, (_, index) => {
    const allowed = index % 16 !== 5;
    const image = `${allowed ? 'docker.io/team' : 'quay.io/team'}-${index}/app:1.${index}.0`;
    const review = {
      kind: 'ImageReview',
      apiVersion: 'imagepolicy.k8s.io/v1alpha1',
      metadata: { creationTimestamp: null },
      spec: {
        containers: [{ image }, { image: 'docker.io/library/busybox:1.36' }],
        annotations: { 'example.image-policy.k8s.io/team': `team-${index}` },
        namespace: `team-${index % 8}`,
      },
      status: { allowed: false },
    };
    return { body: `${JSON.stringify(review)}\n`, allowed };
  });
}

/** By protocol: kube-apiserver speaks one of them, and V8 suits itself to what it sees. */
async function startAll(folder, go) {
  const startFor = async (protocol) => {
    const own = join(folder, protocol);
    const installation = await setUp(own);
    return {
      client: installation.client,
      servers: {
        service: await startService(installation, own),
        node: await startRawHandler(protocol, installation),
        ...(go && { go: await startHandler(go.handler, installation.server) }),
      },
    };
  };
  return { h2: await startFor('h2'), http1: await startFor('http1') };
}

async function measureRounds(byProtocol, go, options) {
  const runs = new Map();
  for (let round = 0; round <= options.rounds; round++) {
    for (const scenario of SCENARIOS.filter(({ name }) => name.includes(values.only))) {
      const { client, servers } = byProtocol[scenario.protocol];
      const turns = Object.entries(servers);
      for (let turn = 0; turn < turns.length; turn++) {
        const [name, server] = turns[(turn + round) % turns.length];
        const result = await measure(server, go, { ...options, ...scenario, client });
        if (round > 0)
          runs.set(scenario, [...(runs.get(scenario) ?? []), { server: name, round, ...result }]);
      }
    }
    process.stderr.write(`round ${round} of ${options.rounds}\n`);
  }
  return runs;
}

async function startTimes(installation, folder) {
  const times = [];
  for (let start = 0; start < STARTS; start++) {
    const service = await startService(installation, folder);
    times.push(service.readyMs);
    await service.stop();
  }
  return times;
}

async function main() {
  const folder = await mkdtemp(join(tmpdir(), 'image-checker-bench-'));
  const servers = [];
  try {
    const go = await buildGo(folder);
    const file = join(folder, 'questions.json');
    await writeFile(file, JSON.stringify(questions()));
    printReady(await startTimes(await setUp(folder), folder));
    const byProtocol = await startAll(folder, go);
    servers.push(...Object.values(byProtocol).flatMap((started) => Object.values(started.servers)));
    const { rounds, seconds } = values;
    const options = { rounds: Number(rounds), seconds: Number(seconds), questions: file };
    const runs = await measureRounds(byProtocol, go, options);
    printTable(runs, go === undefined ? 'Node' : 'Go');
    printGoals(runs);
  } finally {
    await Promise.all([...new Set(servers)].map((server) => server.stop()));
    await rm(folder, { recursive: true, force: true });
  }
}

await main();
