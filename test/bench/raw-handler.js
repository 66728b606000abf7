/*
 * The yardstick in Node: parse, one set look-up, answer, over mutual TLS and nothing else.
 * usage: node raw-handler.js h2|http1 CERTIFICATE KEY CLIENT-CA; prints the port that it listens on.
 */
import { Buffer } from 'node:buffer';
import { readFileSync } from 'node:fs';
import { createSecureServer } from 'node:http2';
import { createServer } from 'node:https';

const TRUSTED = new Set(['docker.io', 'registry.k8s.io', 'k8s.gcr.io']);

function answerTo(body) {
  const review = JSON.parse(body);
  if (review.kind !== 'ImageReview') throw new Error('no ImageReview');
  review.status = { allowed: true };
  for (const { image } of review.spec.containers) {
    if (!TRUSTED.has(image.slice(0, Math.max(0, image.indexOf('/'))))) {
      review.status = { allowed: false, reason: `${image}: not trusted image!` };
    }
  }
  return JSON.stringify(review);
}

function readBody(readable, done) {
  const parts = [];
  readable.on('data', (part) => parts.push(part));
  readable.on('end', () => done(parts.length === 1 ? parts[0] : Buffer.concat(parts)));
}

function onStream(stream, headers) {
  if (headers[':method'] !== 'POST') {
    stream.respond({ ':status': 405 }, { endStream: true });
    return;
  }
  readBody(stream, (body) => {
    stream.respond({ ':status': 200, 'content-type': 'application/json' });
    stream.end(answerTo(body));
  });
}

function onRequest(request, response) {
  if (request.method !== 'POST') {
    response.writeHead(405).end();
    return;
  }
  readBody(request, (body) => {
    const text = answerTo(body);
    const length = Buffer.byteLength(text);
    response.writeHead(200, { 'Content-Type': 'application/json', 'Content-Length': length });
    response.end(text);
  });
}

const [protocol, certificate, key, clientCA] = process.argv.slice(2);
const options = {
  cert: readFileSync(certificate),
  key: readFileSync(key),
  ca: readFileSync(clientCA),
  requestCert: true,
  rejectUnauthorized: true,
};
const server =
  protocol === 'h2'
    ? createSecureServer(options).on('stream', onStream)
    : createServer(options, onRequest);
server.listen(0, '127.0.0.1', () => console.log(server.address().port));
