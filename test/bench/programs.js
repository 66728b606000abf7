/* What is measured, and what measures it: each a process of its own. */
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { openSync, readFileSync } from 'node:fs';
import { get } from 'node:http';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';

const run = promisify(execFile);
const HERE = import.meta.dirname;
const MAIN = join(HERE, '../../dist/main.js');
/** Of Linux: the unit of the processor times in /proc. */
const TICKS_PER_SECOND = 100;

/** Makes a first installation in a folder, as an operator would, on ports that are free. */
export async function setUp(folder) {
  const [port, adminPort] = await freePorts(2);
  const admission = join(folder, 'admission');
  const service = join(folder, 'service');
  const ports = ['--port', String(port), '--admin-port', String(adminPort)];
  await run(process.execPath, [
    MAIN,
    'setup',
    '--dir',
    admission,
    '--service-dir',
    service,
    ...ports,
  ]);
  return {
    port,
    adminPort,
    config: join(service, 'config.yaml'),
    server: ['server-cert.pem', 'server-key.pem', 'client-ca.pem'].map((name) =>
      join(service, name),
    ),
    client: {
      ca: join(admission, 'external-cert.pem'),
      cert: join(admission, 'apiserver-client-cert.pem'),
      key: join(admission, 'apiserver-client-key.pem'),
    },
  };
}

async function freePorts(count) {
  const servers = Array.from({ length: count }, () => createServer().listen(0, '127.0.0.1'));
  await Promise.all(servers.map((server) => once(server, 'listening')));
  const ports = servers.map((server) => server.address().port);
  await Promise.all(servers.map((server) => promisify(server.close.bind(server))()));
  return ports;
}

/** The service as in production; its log goes to a file. `readyMs`: from its start to ready. */
export async function startService({ config, port, adminPort }, folder, nodeOptions = []) {
  const started = performance.now();
  const log = openSync(join(folder, 'service.log'), 'a');
  const child = spawn(process.execPath, [...nodeOptions, MAIN, 'serve', '--config', config], {
    cwd: folder,
    env: { ...process.env, NODE_ENV: 'production' },
    stdio: ['ignore', log, 'inherit'],
  });
  while (!(await isReady(adminPort))) {
    if (child.exitCode !== null) throw new Error(`the service ended with ${child.exitCode}`);
    await sleep(2);
  }
  return { ...serverOf(child, port), readyMs: performance.now() - started };
}

function isReady(port) {
  return new Promise((resolve) => {
    get({ host: '127.0.0.1', port, path: '/readyz', agent: false }, (response) => {
      response.resume();
      resolve(response.statusCode === 200);
    }).once('error', () => resolve(false));
  });
}

/** A yardstick, which says on which port it listens. */
export async function startHandler(file, args) {
  const child = spawn(file, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  const [port] = await once(createInterface({ input: child.stdout }), 'line');
  return serverOf(child, Number(port));
}

export const startRawHandler = (protocol, { server }) =>
  startHandler(process.execPath, [join(HERE, 'raw-handler.js'), protocol, ...server]);

function serverOf(child, port) {
  return {
    port,
    signal: (name) => child.kill(name),
    /** Seconds of processor time that it has taken so far, in all its threads. */
    cpuSeconds() {
      const fields = readFileSync(`/proc/${child.pid}/stat`, 'utf8').split(') ')[1].split(' ');
      return (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND;
    },
    async stop() {
      const ended = once(child, 'close');
      child.kill();
      await ended;
    },
  };
}

/** Builds what is written in Go into a folder; undefined where there is no Go. */
export async function buildGo(folder) {
  const build = async (name) => {
    const file = join(folder, `go-${name}`);
    await run('go', ['build', '-o', file, `./${name}`], { cwd: join(HERE, 'go') });
    return file;
  };
  try {
    await run('go', ['version']);
  } catch {
    return undefined;
  }
  return { handler: await build('handler'), client: await build('client') };
}

/** In seconds: handshakes are then over; what they cost, new connections show. */
const WARM_UP = 0.3;

/** Asks a server for some seconds, and returns what the client saw and what the server took. */
export async function measure(server, go, options) {
  const { protocol, concurrency, newConnections, seconds, client, questions } = options;
  const flags = {
    url: `https://127.0.0.1:${server.port}/check-image`,
    ...client,
    ...{ questions, protocol, concurrency, 'warm-up': WARM_UP, seconds },
  };
  const args = Object.entries(flags).flatMap(([name, value]) => [`--${name}`, String(value)]);
  if (newConnections) args.push('--new-connections');
  const before = server.cpuSeconds();
  const { stdout } = await (go === undefined
    ? run(process.execPath, [join(HERE, 'node-client.js'), ...args])
    : run(go.client, args));
  const result = JSON.parse(stdout);
  if (result.wrong > 0) throw new Error(`${result.wrong} wrong verdicts`);
  if (result.failed > result.answered / 1000) throw new Error(`${result.failed} failed questions`);
  return {
    perSecond: result.count / result.seconds,
    p50: result.p50,
    p99: result.p99,
    cpuMicros: ((server.cpuSeconds() - before) / result.answered) * 1e6,
  };
}
