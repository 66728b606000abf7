import assert from 'node:assert/strict';
import { readChallenge } from '../../../src/registry/challenge.ts';
import type { Challenge } from '../../../src/registry/challenge.ts';
import { endpointOf } from '../../../src/registry/endpoint.ts';
import type { Endpoint } from '../../../src/registry/endpoint.ts';
import { tokenRequest } from '../../../src/registry/token-request.ts';
import type { TokenRequest } from '../../../src/registry/token-request.ts';
import { textOf } from '../text.ts';

const REPOSITORY = { registry: 'a.test', repository: 'team/app' };
const ENDPOINTS = [true, false].map((plainHttp) => {
  return endpointOf(REPOSITORY, { 'a.test': { plainHttp } });
});
const SCOPE = 'repository:team/app:pull';
const CREDENTIALS = [
  undefined,
  { kind: 'password', username: 'user', password: 'TheSecret', source: 'config.json' },
  { kind: 'identity', token: 'TheSecret', source: 'config.json' },
] as const;

/**
 * A challenge that follows the grammar is read as it says, and whatever is read, credentials go to
 * an address of https alone, or to the registry itself where plain http is written for it.
 */
export function fuzz(data: Uint8Array): void {
  const [header = ''] = textOf(data).split('\n');
  const challenge = readChallenge(header);
  const written = readStrictly(header);
  if (written !== undefined) assert.deepEqual(challenge, strongest(written));
  if (challenge?.scheme !== 'bearer') return;
  for (const endpoint of ENDPOINTS) {
    for (const credential of CREDENTIALS) expectSafe(challenge, endpoint, credential);
  }
}

type Bearer = Extract<Challenge, { readonly scheme: 'bearer' }>;
type Credential = (typeof CREDENTIALS)[number];

function expectSafe({ realm, service }: Bearer, endpoint: Endpoint, credential: Credential): void {
  const request = tokenRequest({ endpoint, realm, service, scope: SCOPE, credential });
  if (request === undefined) return;
  const { url, body } = request;
  const isAsWritten = endpoint.settings.plainHttp && url.origin === 'http://a.test';
  assert.ok(url.protocol === 'https:' || isAsWritten, url.href);
  assert.equal(`${url.username}${url.password}${url.hash}`, '');
  if (!realm.includes('TheSecret')) assert.ok(!url.href.includes('TheSecret'));
  const asked = body === undefined ? url.searchParams : new URLSearchParams(body);
  assert.deepEqual([...asked.getAll('scope')], [SCOPE]);
  if (service !== undefined) assert.deepEqual([...asked.getAll('service')], [service]);
  expectTold(request, credential);
}

/** A password in the header, a token in the body. */
function expectTold({ method, headers, body = '' }: TokenRequest, credential: Credential): void {
  const basic = `Basic ${Buffer.from('user:TheSecret').toString('base64')}`;
  assert.equal(headers['authorization'], credential?.kind === 'password' ? basic : undefined);
  const isExchange = credential?.kind === 'identity';
  assert.equal(method, isExchange ? 'POST' : 'GET');
  assert.equal(new URLSearchParams(body).get('refresh_token'), isExchange ? 'TheSecret' : null);
}

interface Written {
  readonly scheme: string;
  readonly params: [name: string, value: string][];
}

const TOKEN = String.raw`[!#$%&'*+.^_\`|~0-9A-Za-z-]+`;
const QUOTED = String.raw`"(?:[^"\\]|\\.)*"`;
const ELEMENT = new RegExp(
  `^[ \\t]*(?:(?<alone>${TOKEN})|(?:(?<scheme>${TOKEN}) +)?(?<name>${TOKEN})[ \\t]*=[ \\t]*(?<value>${TOKEN}|${QUOTED}))[ \\t]*$`,
);

/** RFC 9110 (11.6.1) by splitting at commas; undefined for what does not follow it, or needs token68. */
function readStrictly(header: string): readonly Written[] | undefined {
  const elements = header.match(/(?:"(?:[^"\\]|\\.)*"|[^",])+|,/g) ?? [];
  if (elements.join('') !== header) return undefined;
  const all: Written[] = [];
  for (const [index, element] of elements.entries()) {
    if (element === ',' && index % 2 === 1 && index < elements.length - 1) continue;
    if (!add(all, ELEMENT.exec(element)?.groups)) return undefined;
  }
  return all;
}

function add(all: Written[], groups: Readonly<Record<string, string>> | undefined): boolean {
  const { alone, scheme = alone, name, value = '' } = groups ?? {};
  if (scheme !== undefined) all.push({ scheme: scheme.toLowerCase(), params: [] });
  const last = all.at(-1);
  if (groups === undefined || last === undefined) return false;
  if (name !== undefined) last.params.push([name.toLowerCase(), unquoted(value)]);
  return true;
}

function unquoted(value: string): string {
  return value.startsWith('"') ? value.slice(1, -1).replaceAll(/\\(.)/g, '$1') : value;
}

function strongest(written: readonly Written[]): Challenge | undefined {
  for (const { scheme, params } of written) {
    const valueOf = (wanted: string) => params.find(([name]) => name === wanted)?.[1];
    const realm = valueOf('realm');
    if (scheme === 'bearer' && realm !== undefined) {
      return { scheme, realm, service: valueOf('service') };
    }
  }
  return written.some(({ scheme }) => scheme === 'basic') ? { scheme: 'basic' } : undefined;
}
