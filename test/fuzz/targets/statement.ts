import assert from 'node:assert/strict';
import type { Artefact } from '../../../src/verify/artefact.ts';
import { readStatement, subjectOf } from '../../../src/verify/statement.ts';
import { DIGEST, OTHER_DIGEST } from '../../support/policy.ts';

const IN_TOTO = 'application/vnd.in-toto+json';
const TYPES = ['https://in-toto.io/Statement/v0.1', 'https://in-toto.io/Statement/v1'];

/** A payload is a statement about the images whose digests it holds as its own, or none. */
export function fuzz(payload: Uint8Array): void {
  assert.equal(readStatement(artefactOf('application/json', payload)), undefined);
  assert.equal(readStatement(artefactOf(undefined, payload)), undefined);
  const statement = readStatement(artefactOf(IN_TOTO, payload));
  if (statement === undefined) return;
  const text = new TextDecoder().decode(payload);
  const written = JSON.parse(text) as Fields;
  assert.ok(TYPES.includes(statement._type) && written['_type'] === statement._type);
  assert.equal(statement.predicateType, written['predicateType']);
  assert.equal(JSON.stringify(statement.predicate), JSON.stringify(written['predicate']));
  const subjects = (JSON.parse(text, unlessProto) as Fields)['subject'] as Fields[];
  assert.ok(subjects.length <= 1024);
  for (const digest of [DIGEST, OTHER_DIGEST, 'sha256:', ':', '', '__proto__:x']) {
    const found = subjectOf(statement, digest);
    const about = subjects.find((each) => holds(each['digest'] as Fields, digest));
    assert.equal(textOf(found?.digest), textOf(about?.['digest']));
    assert.equal(textOf(found?.annotations), textOf(about?.['annotations']));
  }
}

/** The reader leaves out this name of a subject: a rule that asks for it finds nothing, and refuses. */
function unlessProto(key: string, value: unknown): unknown {
  return key === '__proto__' ? undefined : value;
}

function holds(digests: Fields, digest: string): boolean {
  const [algorithm = '', hex = ''] = digest.split(':');
  const own = Object.entries(digests);
  return hex !== '' && own.some(([name, value]) => name === algorithm && value === hex);
}

/** Of a value of JSON; nothing is null. */
function textOf(value: unknown): string {
  return JSON.stringify(value ?? null);
}

type Fields = Readonly<Record<string, unknown>>;

function artefactOf(payloadType: string | undefined, payload: Uint8Array): Artefact {
  const nothing = { place: '', signed: payload, signatures: [], certificates: [] };
  const unlogged = { way: undefined, bundle: undefined, rekorBundle: undefined };
  return { ...nothing, ...unlogged, payloadType, payload };
}
