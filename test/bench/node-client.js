/*
 * The client of the measurement where Go is absent. It takes the flags of go/client and prints the
 * same; it costs as much as what it measures, so the ratios come out closer to 1 than they are.
 */
import { Buffer } from 'node:buffer';
import { readFileSync } from 'node:fs';
import { connect } from 'node:http2';
import { Agent, request } from 'node:https';
import { performance } from 'node:perf_hooks';
import { URL } from 'node:url';
import { parseArgs } from 'node:util';

const text = { type: 'string' };
const { values } = parseArgs({
  options: {
    ...{ url: text, ca: text, cert: text, key: text, questions: text, protocol: text },
    ...{ concurrency: text, 'warm-up': text, seconds: text },
    'new-connections': { type: 'boolean' },
  },
});
const { url, protocol, 'new-connections': newEach = false } = values;
const questions = JSON.parse(readFileSync(values.questions, 'utf8'));
const tls = {
  ca: readFileSync(values.ca),
  cert: readFileSync(values.cert),
  key: readFileSync(values.key),
};
const headers = { 'content-type': 'application/json' };

/** Resolves with status and text, whatever carries them. */
function collect(readable, status, resolve, reject) {
  let body = '';
  readable.setEncoding('utf8').on('data', (part) => (body += part));
  readable.once('error', reject).once('end', () => resolve({ status, body }));
}

let session;

function askHttp2(body) {
  const own = newEach ? connect(url, tls) : (session ??= connect(url, tls));
  const { pathname } = new URL(url);
  return new Promise((resolve, reject) => {
    if (newEach) own.once('error', reject);
    const stream = own.request({ ...headers, ':method': 'POST', ':path': pathname });
    stream.once('error', reject).once('response', (received) => {
      collect(stream, received[':status'], resolve, reject);
    });
    stream.end(body);
  }).finally(() => newEach && own.close());
}

const agent = new Agent({ keepAlive: !newEach, maxCachedSessions: 0 });

function askHttp1(body) {
  return new Promise((resolve, reject) => {
    const length = Buffer.byteLength(body);
    const options = { ...tls, agent, method: 'POST' };
    request(url, { ...options, headers: { ...headers, 'content-length': length } })
      .once('error', reject)
      .once('response', (response) => collect(response, response.statusCode, resolve, reject))
      .end(body);
  });
}

const ask = protocol === 'h2' ? askHttp2 : askHttp1;
const times = [];
let answered = 0;
let wrong = 0;
let failed = 0;

async function askOne({ body, allowed }) {
  const before = performance.now();
  try {
    const answer = await ask(body);
    if (answer.status !== 200) throw new Error(`status ${answer.status}`);
    answered++;
    if (before >= counted) times.push(performance.now() - before);
    if (JSON.parse(answer.body).status.allowed !== allowed) wrong++;
  } catch {
    failed++;
  }
}

const counted = performance.now() + Number(values['warm-up'] ?? 0) * 1000;
const end = counted + Number(values.seconds) * 1000;

async function work(first) {
  for (let next = first; performance.now() < end; next++) {
    await askOne(questions[next % questions.length]);
  }
}

const workers = Array.from({ length: Number(values.concurrency) }, (_, index) => work(index * 7));
await Promise.all(workers);
const seconds = (performance.now() - counted) / 1000;
times.sort((a, b) => a - b);
const part = (share) => times[Math.floor((times.length - 1) * share)] ?? 0;
const counts = { count: times.length, answered, wrong, failed };
const result = { ...counts, seconds, p50: part(0.5), p99: part(0.99) };
console.log(JSON.stringify(result));
process.exit();
