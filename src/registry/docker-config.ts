import { ImageCheckerError } from '../errors.ts';
import { isObject } from '../parse/json-object.ts';
import { canonicalRegistry } from '../parse/image-reference.ts';
import type { Secret } from './credential.ts';

/*
 * Docker's config.json, as `docker login` and kubernetes.io/dockerconfigjson secrets have it:
 *
 *   { "auths": { KEY: { "auth": base64 of user:password, "identitytoken": ... } },
 *     "credHelpers": { HOST: NAME }, "credsStore": NAME }
 *
 * KEY is a host, or a host and the beginning of a path below it; `https://` before it and `/v1/` or
 * `/v2/` behind it mean nothing. The Hub is `https://index.docker.io/v1/`. Hosts are compared as a whole.
 * Other keys are docker's own business.
 */

export interface DockerConfig {
  readonly auths: readonly AuthEntry[];
  /** The helper of a host, `ecr-login` for one. */
  readonly helpers: ReadonlyMap<string, string>;
  /** The helper of all other hosts. */
  readonly store: string | undefined;
}

export interface AuthEntry {
  readonly key: string;
  readonly host: string;
  /** Below the host; empty: all of it. */
  readonly path: string;
  /** As written: it may be broken without harm as long as nobody needs it. */
  readonly entry: unknown;
}

/** What helpers know the Hub by. */
const HUB_SERVER = 'https://index.docker.io/v1/';
/** It becomes a part of a program's name. */
const HELPER = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/;

/** @throws {ImageCheckerError} `config-invalid`, without a word of what is in it */
export function parseDockerConfig(text: string): DockerConfig {
  const config = parseJson(text);
  const auths = Object.entries<unknown>(mappingOf(config, 'auths'));
  const helpers = Object.entries<unknown>(mappingOf(config, 'credHelpers'));
  const store = config['credsStore'];
  return {
    auths: auths.map(([key, entry]) => ({ key, ...placeOf(key), entry })),
    helpers: new Map(
      helpers.map(([key, helper]) => [placeOf(key).host, helperOf(helper, 'credHelpers')]),
    ),
    store: store === undefined || store === '' ? undefined : helperOf(store, 'credsStore'),
  };
}

/** The name by which a helper knows a host. */
export function serverOf(account: string): string {
  return account === 'docker.io' ? HUB_SERVER : account;
}

/** @throws {ImageCheckerError} `config-invalid` when the entry that counts is broken */
export function findAuth(
  { auths }: DockerConfig,
  account: string,
  path: string,
): Secret | undefined {
  const fitting = auths
    .filter((entry) => entry.host === account && isBelow(path, entry.path) && !isEmpty(entry.entry))
    .sort((a, b) => b.path.length - a.path.length);
  const [first] = fitting;
  return first === undefined ? undefined : credentialOf(first);
}

function isBelow(path: string, prefix: string): boolean {
  return prefix === '' || path === prefix || path.startsWith(`${prefix}/`);
}

function placeOf(key: string): { readonly host: string; readonly path: string } {
  const bare = key.replace(/^https?:\/\//, '');
  const slash = bare.indexOf('/');
  const host = canonicalRegistry(slash < 0 ? bare : bare.slice(0, slash));
  const path = slash < 0 ? '' : bare.slice(slash + 1).replace(/\/$/, '');
  return { host, path: path === 'v1' || path === 'v2' ? '' : path };
}

/** `docker login` with a store leaves `{}` behind; an empty list is nothing that it writes. */
function isEmpty(entry: unknown): boolean {
  return isObject(entry) && Object.keys(entry).length === 0;
}

function credentialOf({ key, entry }: AuthEntry): Secret {
  const fields = { ...(typeof entry === 'object' ? entry : {}) } as Record<string, unknown>;
  const { identitytoken: token, auth } = fields;
  if (typeof token === 'string' && token !== '') return { kind: 'identity', token };
  const [username, password] =
    typeof auth === 'string' && auth !== ''
      ? decode(auth)
      : [fields['username'], fields['password']];
  if (typeof username !== 'string' || username === '' || typeof password !== 'string') {
    throw invalid(
      `auths[${JSON.stringify(key)}]: expected an auth that is base64 of user:password`,
    );
  }
  return { kind: 'password', username, password };
}

function decode(auth: string): readonly (string | undefined)[] {
  const text = Buffer.from(auth, 'base64').toString().replace(/\0+$/, '');
  const colon = text.indexOf(':');
  return colon < 0 ? [] : [text.slice(0, colon), text.slice(colon + 1)];
}

function parseJson(text: string): Record<string, unknown> {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw invalid("expected JSON, in the format of docker's config.json"); // its error repeats what it read
  }
  if (!isObject(value)) {
    throw invalid("expected an object, in the format of docker's config.json");
  }
  return { ...value };
}

function mappingOf(config: Record<string, unknown>, key: string): Record<string, unknown> {
  const value = config[key] ?? {};
  if (isObject(value)) return { ...value };
  throw invalid(`${key}: expected an object`);
}

function helperOf(name: unknown, key: string): string {
  if (typeof name === 'string' && HELPER.test(name)) return name;
  throw invalid(`${key}: expected the name of a helper, such as ecr-login`);
}

function invalid(message: string): ImageCheckerError {
  return new ImageCheckerError('config-invalid', { message });
}
