/*
 * What the plugin adds to the creation of a pod: `npm run bench:apiserver`.
 *
 * Pods are created by server-side dry-run, which goes through admission and not into etcd, in the
 * lab's real kube-apiserver: with the plugin off, and with it on and its own cache off, so that
 * every pod is asked about. Both run for a while by turns; each pod has an image of its own.
 */
import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { Agent, request } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { promisify } from 'node:util';
import { readCall } from '../../scripts/bench/call.js';
import { setUp, startService } from './programs.js';

readCall(`usage: npm run bench:apiserver

The creation of a pod with the plugin and without, in two kube-apiservers of the lab; half a minute,
after the lab is built. It takes no options.`);

const run = promisify(execFile);
const LAB = join(import.meta.dirname, '../../scripts/lab');
const ROUNDS = 5;
const PODS = 200;

/** Brings a lab up, with the plugin or without, and returns how to create a pod in it. */
async function startLab(state, admissionConfig) {
  const config = admissionConfig === undefined ? [] : ['--admission-config', admissionConfig];
  const owner = ['--owner', String(process.pid)];
  const { stdout } = await run(join(LAB, 'up.sh'), ['--state', state, ...owner, ...config]);
  const kubeconfig = await readFile(stdout.trim(), 'utf8');
  const [, server] = /server: '(.+?)'/.exec(kubeconfig);
  const [, token] = /token: '(.+?)'/.exec(kubeconfig);
  const ca = await readFile(join(state, 'pki/apiserver.crt'));
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' };
  const path = `${server}/api/v1/namespaces/default/pods?dryRun=All`;
  const create = (pod) =>
    new Promise((resolve, reject) => {
      request(path, { ca, agent, headers, method: 'POST' })
        .once('error', reject)
        .once('response', (response) => {
          response.resume().once('end', () => resolve(response.statusCode));
        })
        .end(JSON.stringify(pod));
    });
  return {
    create,
    async stop() {
      agent.destroy();
      await run(join(LAB, 'down.sh'), ['--state', state]);
    },
  };
}

let count = 0;

function nextPod(registry) {
  const name = `pod-${++count}`;
  return {
    ...{ apiVersion: 'v1', kind: 'Pod', metadata: { name } },
    spec: { containers: [{ name: 'app', image: `${registry}/team/${name}:1` }] },
  };
}

/** Milliseconds of each of some creations, one after the other. */
async function timeCreations(lab) {
  const times = [];
  for (let pod = 0; pod < PODS; pod++) {
    const started = performance.now();
    const status = await lab.create(nextPod('docker.io'));
    times.push(performance.now() - started);
    if (status !== 201) throw new Error(`expected a pod to be created, got status ${status}`);
  }
  return times;
}

const part = (values, share) =>
  values.toSorted((a, b) => a - b)[Math.floor((values.length - 1) * share)];

/** The admission configuration of an installation, with the plugin's cache off. */
async function uncached({ client }) {
  const file = join(client.ca, '../admission_config.yaml');
  const text = await readFile(file, 'utf8');
  await writeFile(file, text.replace(/(allowTTL|denyTTL): \d+/g, '$1: -1'));
  return file;
}

async function main() {
  const folder = await mkdtemp(join(tmpdir(), 'image-checker-bench-'));
  const stops = [];
  try {
    const installation = await setUp(folder);
    const service = await startService(installation, folder);
    stops.push(service.stop);
    const off = await startLab(join(folder, 'lab-off'));
    stops.push(off.stop);
    const on = await startLab(join(folder, 'lab-on'), await uncached(installation));
    stops.push(on.stop);
    const refused = await on.create(nextPod('quay.io'));
    if (refused !== 403) throw new Error(`expected the plugin to refuse, got status ${refused}`);
    const times = { off: [], on: [] };
    for (let round = 0; round <= ROUNDS; round++) {
      const measured = { off: await timeCreations(off), on: await timeCreations(on) };
      if (round === 0) continue;
      for (const name of ['off', 'on']) times[name].push(measured[name]);
    }
    const added = times.on.map((each, round) => part(each, 0.5) - part(times.off[round], 0.5));
    console.log('| plugin | p50, ms | p99, ms |');
    console.log('| :-- | --: | --: |');
    for (const [name, rounds] of Object.entries(times)) {
      const all = rounds.flat();
      console.log(`| ${name} | ${part(all, 0.5).toFixed(2)} | ${part(all, 0.99).toFixed(2)} |`);
    }
    console.log(`\nadded, median of ${ROUNDS} rounds: ${part(added, 0.5).toFixed(2)} ms`);
  } finally {
    for (const stop of stops.reverse()) await stop();
    await rm(folder, { recursive: true, force: true });
  }
}

await main();
