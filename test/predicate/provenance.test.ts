import { describe, expect, it } from '@jest/globals';
import {
  builderCheck,
  canonicalRepository,
  provenanceV02,
  provenanceV1,
  sourceCheck,
} from '../../src/predicate/provenance.ts';
import { HOSTILE } from './hostile.ts';

const BUILDER = 'https://github.com/slsa-framework/generator/.github/workflows/x.yml@refs/tags/v2';
const SOURCE = 'https://git.example.com/team/app';

const v02 = (id: unknown, uri?: unknown) => ({
  builder: { id },
  buildType: 'https://example.com/build',
  invocation: { configSource: { uri, digest: { sha1: 'abc' }, entryPoint: 'build.yml' } },
});
const v1 = (id: unknown, externalParameters: unknown) => ({
  buildDefinition: { buildType: 'https://example.com/build', externalParameters },
  runDetails: { builder: { id } },
});

describe('the builder of a provenance', () => {
  it('will do when it is the one', () => {
    expect(builderCheck(provenanceV02, BUILDER).refusal(v02(BUILDER), 0)).toBeUndefined();
    expect(builderCheck(provenanceV1, BUILDER).refusal(v1(BUILDER, {}), 0)).toBeUndefined();
  });

  it.each([
    ['another one', 'https://github.com/evil', 'the builder is "https://github.com/evil"'],
    ['one that begins the same', `${BUILDER}.1`, 'the builder is "https://github.com/slsa'],
    ['a part of it', BUILDER.slice(0, -1), 'the builder is'],
    ['one that differs in case', BUILDER.toUpperCase(), 'the builder is'],
    ['one with a line feed behind', `${BUILDER}\n`, 'the builder is'],
    ['empty', '', 'the builder is ""'],
    ['null', null, 'the builder is not named'],
    ['a list with it', [BUILDER], 'the builder is not named'],
    ['an object with it', { id: BUILDER }, 'the builder is not named'],
  ])('is refused when it is %s', (_what, id, message) => {
    for (const refusal of [
      builderCheck(provenanceV02, BUILDER).refusal(v02(id), 0),
      builderCheck(provenanceV1, BUILDER).refusal(v1(id, {}), 0),
    ]) {
      expect(refusal?.slice(0, message.length)).toBe(message);
    }
  });

  it('is not looked for where the other version has it', () => {
    expect(builderCheck(provenanceV1, BUILDER).refusal(v02(BUILDER), 0)).toBeDefined();
    expect(builderCheck(provenanceV02, BUILDER).refusal(v1(BUILDER, {}), 0)).toBeDefined();
  });
});

describe('the source of a provenance', () => {
  it.each([
    [SOURCE],
    [`${SOURCE}.git`],
    [`git+${SOURCE}`],
    [`git+${SOURCE}@refs/heads/main`],
    [`git+${SOURCE}.git@refs/tags/v1@2`],
    [`${SOURCE}.git#refs/heads/main`],
    [`${SOURCE}#0123abc:folder`],
    ['https://GIT.example.com/team/app'],
    ['https://git.example.com:443/team/app'],
  ])('will do when it is written %s', (uri) => {
    expect(sourceCheck(provenanceV02, SOURCE).refusal(v02('b', uri), 0)).toBeUndefined();
    for (const parameters of [
      { workflow: { repository: uri, ref: 'refs/heads/main' } },
      { configSource: { uri } },
      { source: uri },
      { source: { uri } },
      { workflow: { repository: uri }, source: { uri } },
    ]) {
      expect(sourceCheck(provenanceV1, SOURCE).refusal(v1('b', parameters), 0)).toBeUndefined();
    }
  });

  it.each([
    ['https://git.example.com/team/app2'],
    ['https://git.example.com/team/app/sub'],
    ['https://git.example.com/team'],
    ['https://git.example.com/team/App'],
    ['https://git.example.com/team/app/../../evil/app'],
    ['https://git.example.com.evil.com/team/app'],
    ['https://evil.com/https://git.example.com/team/app'],
    ['https://git.example.com@evil.com/team/app'],
    ['https://user:secret@git.example.com/team/app'],
    ['https://evil.com/#https://git.example.com/team/app'],
    ['https://evil.com/?https://git.example.com/team/app'],
    ['https://git.example.com/team/app?x=1'],
    ['https://git.example.com:8443/team/app'],
    ['http://git.example.com/team/app'],
    ['git+ssh://git@git.example.com/team/app'],
    ['git@git.example.com:team/app'],
    ['git.example.com/team/app'],
    ['https://git.example.com/team/app.git.git'],
    ['https://git.example.com/team%2Fapp'],
    [''],
    [null],
    [1],
    [[SOURCE]],
    [{ uri: SOURCE }],
  ])('is refused when it is %j', (uri) => {
    expect(sourceCheck(provenanceV02, SOURCE).refusal(v02('b', uri), 0)).toEqual(
      expect.stringMatching(/^the source is /),
    );
    const parameters = { workflow: { repository: uri } };
    expect(sourceCheck(provenanceV1, SOURCE).refusal(v1('b', parameters), 0)).toEqual(
      expect.stringMatching(/^the source is /),
    );
  });

  it('is refused when one place of two names another', () => {
    const parameters = { workflow: { repository: SOURCE }, source: { uri: 'https://evil.com/a' } };
    expect(sourceCheck(provenanceV1, SOURCE).refusal(v1('b', parameters), 0)).toBe(
      'the source is "https://evil.com/a"',
    );
  });

  it('is refused when only a material names it, which may be one of many', () => {
    const predicate = { ...v02('b'), materials: [{ uri: SOURCE }] };
    expect(sourceCheck(provenanceV02, SOURCE).refusal(predicate, 0)).toBe(
      'the source is not named',
    );
  });

  it('is what the rule says in its shortest form', () => {
    expect(canonicalRepository(`git+${SOURCE}.git@main`)).toBe(SOURCE);
    expect(canonicalRepository('https://git.example.com/')).toBeUndefined();
    expect(canonicalRepository(`https://git.example.com/${'a'.repeat(3000)}`)).toBeUndefined();
  });
});

it.each(HOSTILE)('neither check is fulfilled by %s', (_what, predicate) => {
  for (const reader of [provenanceV02, provenanceV1]) {
    expect(builderCheck(reader, BUILDER).refusal(predicate, 0)).toEqual(expect.any(String));
    expect(sourceCheck(reader, SOURCE).refusal(predicate, 0)).toEqual(expect.any(String));
  }
});
