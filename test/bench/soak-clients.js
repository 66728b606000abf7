/* Clients of a soak: HTTP/2 and HTTP/1.1, connections that stay and new ones, reviews of all kinds. */
import { Buffer } from 'node:buffer';
import { readFileSync } from 'node:fs';
import { connect, constants } from 'node:http2';
import { Agent, request } from 'node:https';
import { performance } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';

const HEADERS = { 'content-type': 'application/json' };
const PATH = '/check-image?timeout=30s';
/** Connections are given up after so many reviews, and the certificates read anew. */
const REVIEWS_OF_A_CONNECTION = 5000;
/** At a time, over HTTP/2. */
const STREAMS = 8;
/** Of a busy machine: longer than kube-apiserver waits would be a failure. */
const ANSWER_MS = 30_000;
const RETRIES = 6;

/** Bodies, each with the answer that is right: a verdict, or a status other than 200. */
function bodyOf(number) {
  const kind = number % 10;
  const review = (containers, annotations) =>
    JSON.stringify({
      kind: 'ImageReview',
      apiVersion: 'imagepolicy.k8s.io/v1alpha1',
      spec: { containers, annotations, namespace: `team-${number % 50}` },
    });
  const image = (host) => ({ image: `${host}/team-${number % 1000}/app:v${number}` });
  if (kind === 0) return [review([image('evil.example')]), false];
  if (kind === 1) return [review([image('docker.io'), image('evil.example')]), false];
  if (kind === 2) return [review([{ image: 'nginx' }]), false];
  if (kind === 3) return [review(Array.from({ length: 30 }, () => image('docker.io'))), true];
  if (kind === 4 && number % 100 === 4) return ['{"kind":"ImageReview"', 400];
  if (kind === 5) {
    const annotations = { 'x.image-policy.k8s.io/note': 'n'.repeat(number % 2000) };
    return [review([image('docker.io')], annotations), true];
  }
  return [review([image('docker.io')]), true];
}

/** Starts asking; nobody waits for an answer longer than kube-apiserver would. */
export function startClients({ port, client }) {
  const counts = { right: 0, wrong: 0, askedAgain: 0, failures: {} };
  const state = { isOver: false, number: 0, times: [] };
  const askOne = async (ask) => {
    const [body, expected] = bodyOf(state.number++);
    const before = performance.now();
    try {
      const { status, text } = await ask(body);
      state.times.push(performance.now() - before);
      const got = status === 200 ? JSON.parse(text).status.allowed : status;
      if (got === expected) counts.right++;
      else if (status === 200) counts.wrong++;
      else throw new Error(`status ${status}`);
    } catch (thrown) {
      const why = `${thrown.code ?? ''} ${thrown.message}`;
      counts.failures[why] = (counts.failures[why] ?? 0) + 1;
      await sleep(100);
    }
  };
  const work = async (open) => {
    while (!state.isOver) {
      const { ask, close, width } = open(() => ({ port, ...readCredentials(client) }), counts);
      let left = REVIEWS_OF_A_CONNECTION;
      const one = async () => {
        while (!state.isOver && left-- > 0) await askOne(ask);
      };
      await Promise.all(Array.from({ length: width }, one));
      close();
    }
  };
  const workers = [openHttp2, openHttp2, openHttp1, openHttp1, openNew].map(work);
  return {
    counts,
    takeP99() {
      const times = state.times.toSorted((a, b) => a - b);
      state.times = [];
      return times[Math.floor(times.length * 0.99)] ?? 0;
    },
    async stop() {
      state.isOver = true;
      await Promise.all(workers);
      return counts;
    },
  };
}

/** As kube-apiserver: from the files, as they are now. */
function readCredentials(client) {
  const read = (name) => readFileSync(client[name]);
  return { host: '127.0.0.1', ca: read('ca'), cert: read('cert'), key: read('key') };
}

/**
 * As Go's client: another connection when this one is not to be used any more, and a stream that was
 * refused, so never begun, once more over that one: at once, then after 1 s, 2 s, 4 s.
 */
function openHttp2(newOptions, counts) {
  let session;
  const current = () => {
    if (session === undefined || session.closed || session.destroyed) {
      const options = newOptions();
      session = connect(`https://127.0.0.1:${options.port}`, options);
      session.on('error', () => undefined);
    }
    return session;
  };
  const ask = async (body) => {
    for (let attempt = 0; ; attempt++) {
      try {
        return await askHttp2(current(), body);
      } catch (thrown) {
        if (thrown.rstCode !== constants.NGHTTP2_REFUSED_STREAM || attempt === RETRIES)
          throw thrown;
        counts.askedAgain++;
        if (attempt > 0) await sleep(1000 * 2 ** (attempt - 1));
      }
    }
  };
  return { ask, close: () => session?.close(), width: STREAMS };
}

function askHttp2(session, body) {
  return new Promise((resolve, reject) => {
    const stream = session.request({ ...HEADERS, ':method': 'POST', ':path': PATH });
    stream.setTimeout(ANSWER_MS, () => stream.destroy(new Error('no answer in time')));
    stream.once('error', (error) => {
      reject(Object.assign(error, { rstCode: stream.rstCode }));
    });
    stream.once('response', (headers) => {
      collect(stream, headers[':status'], resolve);
    });
    stream.end(body);
  });
}

function openHttp1(newOptions) {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  return { ask: askHttp1({ ...newOptions(), agent }), close: () => agent.destroy(), width: 1 };
}

/** A handshake for each review. */
function openNew(newOptions) {
  return { ask: askHttp1({ ...newOptions(), agent: false }), close: () => undefined, width: 1 };
}

function askHttp1(options) {
  return (body) =>
    new Promise((resolve, reject) => {
      const headers = { ...HEADERS, 'content-length': Buffer.byteLength(body) };
      const asked = request({ ...options, method: 'POST', path: PATH, headers });
      asked.setTimeout(ANSWER_MS, () => asked.destroy(new Error('no answer in time')));
      asked.once('error', reject).once('response', (response) => {
        collect(response, response.statusCode, resolve);
      });
      asked.end(body);
    });
}

function collect(readable, status, resolve) {
  let text = '';
  readable.setEncoding('utf8').on('data', (part) => (text += part));
  readable.once('end', () => resolve({ status, text }));
}
