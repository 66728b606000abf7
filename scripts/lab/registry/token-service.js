#!/usr/bin/env node
// The token service of a registry with --auth bearer: https://distribution.github.io/distribution/spec/auth/token/
// usage: token-service.js STATE, a folder as up.sh makes it; TOKEN_SECONDS: for how long a token is good.
import { randomUUID, sign, X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:https';
import { join } from 'node:path';

const [state = '.'] = process.argv.slice(2);
const read = (name) => readFileSync(join(state, name), 'utf8').trim();
const seconds = Number(process.env.TOKEN_SECONDS ?? 60);
const [key, cert, refreshToken] = ['server.key', 'server.pem', 'refresh-token'].map(read);
const x5c = [new X509Certificate(cert).raw.toString('base64')];
/** What each user may do. */
const RIGHTS = { pusher: ['pull', 'push', 'delete'], puller: ['pull'] };

/** The user who asks, or undefined. */
function userOf(request, form) {
  if (form?.get('grant_type') === 'refresh_token') {
    return form.get('refresh_token') === refreshToken ? 'puller' : undefined;
  }
  const [scheme, encoded = ''] = (request.headers.authorization ?? '').split(' ');
  const [user, password] = Buffer.from(encoded, 'base64').toString().split(':');
  const known = scheme === 'Basic' && user in RIGHTS && read(`${user}.password`) === password;
  return known ? user : undefined;
}

/** What is granted of a scope such as `repository:team/app:pull,push`; nobody learns of a refusal here. */
function grant(scope, user) {
  const [type, name, actions = ''] = scope.split(':');
  if (type !== 'repository') return [];
  return [
    { type, name, actions: actions.split(',').filter((each) => RIGHTS[user].includes(each)) },
  ];
}

function tokenFor(user, scopes, service) {
  const now = Math.floor(Date.now() / 1000);
  const claims = {
    ...{ iss: 'registry lab', sub: user, aud: service, jti: randomUUID() },
    ...{ iat: now, nbf: now - 10, exp: now + seconds },
    access: scopes.flatMap((scope) => grant(scope, user)),
  };
  const part = (value) => Buffer.from(JSON.stringify(value)).toString('base64url');
  const signed = `${part({ typ: 'JWT', alg: 'ES256', x5c })}.${part(claims)}`;
  const signature = sign('sha256', Buffer.from(signed), { key, dsaEncoding: 'ieee-p1363' });
  return `${signed}.${signature.toString('base64url')}`;
}

async function answer(request, response) {
  const url = new URL(request.url, 'https://localhost');
  let body = '';
  for await (const chunk of request) body += chunk;
  const form = request.method === 'POST' ? new URLSearchParams(body) : undefined;
  const asked = form ?? url.searchParams;
  const user = userOf(request, form);
  const scopes = asked.getAll('scope').flatMap((each) => each.split(' '));
  console.log(`${request.method} ${user ?? 'nobody'} ${scopes.join(' ')}`);
  const status = user === undefined ? 401 : 200;
  const token = user && tokenFor(user, scopes, asked.get('service'));
  const json = user
    ? { token, access_token: token, expires_in: seconds }
    : { errors: [{ code: 'UNAUTHORIZED' }] };
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(json));
}

createServer({ key, cert }, (request, response) => void answer(request, response)).listen(
  Number(read('token-service.port')),
  '127.0.0.1',
);
