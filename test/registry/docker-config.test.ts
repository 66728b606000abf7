import { describe, expect, it } from '@jest/globals';
import { findAuth, parseDockerConfig, serverOf } from '../../src/registry/docker-config.ts';

const auth = (pair: string): { auth: string } => ({ auth: Buffer.from(pair).toString('base64') });

function find(auths: object, account: string, path = 'team/app'): string | undefined {
  const found = findAuth(parseDockerConfig(JSON.stringify({ auths })), account, path);
  return found?.kind === 'password' ? `${found.username}:${found.password}` : found?.token;
}

describe('the credentials of a docker config', () => {
  it.each([
    ['its host', { 'a.test': auth('u:p') }, 'a.test', 'u:p'],
    ['its host and port', { 'a.test:5000': auth('u:p') }, 'a.test:5000', 'u:p'],
    ['its URL', { 'https://a.test': auth('u:p') }, 'a.test', 'u:p'],
    ['its URL of the API', { 'https://a.test/v2/': auth('u:p') }, 'a.test', 'u:p'],
    ["the Hub's old URL", { 'https://index.docker.io/v1/': auth('u:p') }, 'docker.io', 'u:p'],
    ["the Hub's name", { 'docker.io': auth('u:p') }, 'docker.io', 'u:p'],
    ['the beginning of the path', { 'a.test/team': auth('u:p') }, 'a.test', 'u:p'],
    [
      'the longest beginning',
      { 'a.test': auth('x:y'), 'a.test/team/app': auth('u:p'), 'a.test/team': auth('v:w') },
      'a.test',
      'u:p',
    ],
    ['a user and a password', { 'a.test': { username: 'u', password: 'p' } }, 'a.test', 'u:p'],
    ['a password with colons', { 'a.test': auth('u:p:q:') }, 'a.test', 'u:p:q:'],
    ['an empty password', { 'a.test': auth('u:') }, 'a.test', 'u:'],
    ['an identity token', { 'a.test': { ...auth('u:p'), identitytoken: 't' } }, 'a.test', 't'],
    [
      'another entry beside an empty one',
      { 'https://a.test': {}, 'a.test': auth('u:p') },
      'a.test',
      'u:p',
    ],
  ])('are found by %s', (_title, auths, account, expected) => {
    expect(find(auths, account)).toBe(expected);
  });

  it.each([
    ['a host that contains the name', { 'ghcr.io': auth('u:p') }, 'cr.io'],
    ['a host that is contained', { 'cr.io': auth('u:p') }, 'ghcr.io'],
    ['a parent domain', { test: auth('u:p') }, 'a.test'],
    ['a wildcard', { '*.test': auth('u:p') }, 'a.test'],
    ['another port', { 'a.test:5000': auth('u:p') }, 'a.test'],
    ['no port', { 'a.test': auth('u:p') }, 'a.test:443'],
    ['upper case', { 'A.test': auth('u:p') }, 'a.test'],
    ['a path that only begins alike', { 'a.test/tea': auth('u:p') }, 'a.test'],
    ['a path below', { 'a.test/team/app/x': auth('u:p') }, 'a.test'],
    ['a user in the key', { 'u@a.test': auth('u:p') }, 'a.test'],
    ['a key of every object', {}, 'constructor'],
    ['an empty entry', { 'a.test': {} }, 'a.test'],
    ["a host that calls itself the Hub's", { 'docker.io.evil.test': auth('u:p') }, 'docker.io'],
  ])('are not found by %s', (_title, auths, account) => {
    expect(find(auths, account)).toBeUndefined();
  });

  it.each([
    ['an auth without a colon', { 'a.test': auth('secret') }],
    ['an auth without a user', { 'a.test': auth(':secret') }],
    ['an auth that is a number', { 'a.test': { auth: 1 } }],
    ['a user without a password', { 'a.test': { username: 'secret' } }],
    ['an entry that is a text', { 'a.test': 'secret' }],
    ['an entry that is null', { 'a.test': null }],
    ['an entry that is a list', { 'a.test': [] }],
  ])('are an error with %s, which does not repeat it', (_title, auths) => {
    expect(() => find(auths, 'a.test')).toThrow(
      'auths["a.test"]: expected an auth that is base64 of user:password',
    );
    expect(find(auths, 'b.test')).toBeUndefined();
  });

  it.each([
    ['no JSON', 'secret', 'expected JSON'],
    ['a list', '[]', 'expected an object'],
    ['null', 'null', 'expected an object'],
    ['auths that are a list', '{"auths":[]}', 'auths: expected an object'],
    [
      'a helper with a path',
      '{"credHelpers":{"a.test":"../evil"}}',
      'credHelpers: expected the name of a helper',
    ],
    ['a helper with a space', '{"credsStore":"a b"}', 'credsStore: expected the name of a helper'],
    [
      'a helper that is an option',
      '{"credsStore":"-x"}',
      'credsStore: expected the name of a helper',
    ],
    ['a helper that is a number', '{"credsStore":1}', 'credsStore: expected the name of a helper'],
  ])('are an error when the file is %s', (_title, text, message) => {
    expect(() => parseDockerConfig(text)).toThrow(message);
  });

  it('name the helper of each host, and of all others', () => {
    const config = parseDockerConfig(
      '{"credHelpers":{"a.test":"ecr-login","https://index.docker.io/v1/":"hub"},"credsStore":"pass","detachKeys":"x"}',
    );
    expect([...config.helpers]).toEqual([
      ['a.test', 'ecr-login'],
      ['docker.io', 'hub'],
    ]);
    expect(config.store).toBe('pass');
    expect(['docker.io', 'a.test:1'].map(serverOf)).toEqual([
      'https://index.docker.io/v1/',
      'a.test:1',
    ]);
  });
});
