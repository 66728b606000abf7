import assert from 'node:assert/strict';
import { findAuth, parseDockerConfig } from '../../../src/registry/docker-config.ts';
import type { DockerConfig } from '../../../src/registry/docker-config.ts';
import type { Secret } from '../../../src/registry/credential.ts';
import { readOrRefuse, textOf } from '../text.ts';

/** A host, what else it is called, and a repository there. */
const ASKED = [
  { account: 'docker.io', names: ['docker.io', 'index.docker.io'], path: 'library/nginx' },
  { account: 'a.test', names: ['a.test'], path: 'team/app' },
  { account: 'a.test:5000', names: ['a.test:5000'], path: '' },
] as const;
const REFUSALS = [
  "expected JSON, in the format of docker's config.json",
  "expected an object, in the format of docker's config.json",
  'auths: expected an object',
  'credHelpers: expected an object',
  'credHelpers: expected the name of a helper, such as ecr-login',
  'credsStore: expected the name of a helper, such as ecr-login',
];

/** A secret goes to the host alone that its key names, and nothing that is said repeats it. */
export function fuzz(data: Uint8Array): void {
  const text = textOf(data);
  const config = readOrRefuse('config-invalid', () => parseDockerConfig(text), expectRefusal);
  if (config === undefined) return;
  for (const helper of [...config.helpers.values(), config.store ?? 'none']) {
    assert.match(helper, /^[A-Za-z0-9][\w.-]*$/);
  }
  const { auths } = JSON.parse(text) as { auths?: Readonly<Record<string, unknown>> | null };
  for (const asked of ASKED) expectFinds(config, Object.entries(auths ?? {}), asked);
}

function expectRefusal(message: string): void {
  assert.ok(REFUSALS.includes(message), message);
}

type Asked = (typeof ASKED)[number];

/** Holds what is found against all spellings of the keys that may be meant. */
function expectFinds(
  config: DockerConfig,
  entries: readonly [string, unknown][],
  { account, names, path }: Asked,
): void {
  const places = spellings(names, path);
  const [best] = entries
    .filter(([key, entry]) => places.has(key) && JSON.stringify(entry) !== '{}')
    .map(([key, entry]) => ({ key, entry, length: places.get(key) ?? 0 }))
    .toSorted((a, b) => b.length - a.length);
  const expected = best && secretOf(best.entry);
  const refusal = `auths[${JSON.stringify(best?.key)}]: expected an auth that is base64 of user:password`;
  const read = (): Secret | undefined => findAuth(config, account, path);
  const found = readOrRefuse('config-invalid', read, (message) => {
    assert.equal(message, refusal);
  });
  assert.deepEqual(found, expected);
}

/** The keys that speak for a repository, with the length of the path that they name. */
function spellings(names: readonly string[], path: string): ReadonlyMap<string, number> {
  const parts = path.split('/');
  const prefixes = parts.map((_part, index) => parts.slice(0, index + 1).join('/'));
  const written = ['', '/', '//', '/v1', '/v1/', '/v2', '/v2/'].map((end) => ({ end, length: 0 }));
  const below = prefixes
    .filter((prefix) => prefix !== '')
    .flatMap((prefix) =>
      [`/${prefix}`, `/${prefix}/`].map((end) => ({ end, length: prefix.length })),
    );
  return new Map(
    ['', 'http://', 'https://'].flatMap((scheme) =>
      names.flatMap((name) =>
        [...written, ...below].map(
          ({ end, length }) => [`${scheme}${name}${end}`, length] as const,
        ),
      ),
    ),
  );
}

/** Undefined for an entry that is broken. */
function secretOf(entry: unknown): Secret | undefined {
  const { identitytoken: token, auth, username, password } = Object(entry) as Fields;
  if (isText(token)) return { kind: 'identity', token };
  if (!isText(auth)) return pairOf(username, password);
  const decoded = Buffer.from(auth, 'base64').toString();
  const [, user, secret] = /^([^:]+):(.*?)\0*$/s.exec(decoded) ?? [];
  return pairOf(user, secret);
}

type Fields = Readonly<Record<string, unknown>>;

function isText(value: unknown): value is string {
  return typeof value === 'string' && value !== '';
}

function pairOf(username: unknown, password: unknown): Secret | undefined {
  const isPair = isText(username) && typeof password === 'string';
  return isPair ? { kind: 'password', username, password } : undefined;
}
