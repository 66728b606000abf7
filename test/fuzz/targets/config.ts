import assert from 'node:assert/strict';
import { serviceConfigSchema } from '../../../src/config/schema.ts';
import { readDocument } from '../../../src/files/document.ts';
import { expectProblems, textOf } from '../text.ts';

/** A text is a config of the service that is bounded and keeps its listeners apart, or refused. */
export function fuzz(data: Uint8Array): void {
  const read = readDocument({ file: 'config.yaml', text: textOf(data) }, serviceConfigSchema);
  if (!read.ok) {
    assert.notEqual(read.problems.length, 0);
    expectProblems(read.problems);
    return;
  }
  const { tls, limits } = read.value;
  assert.notEqual(tls.allowedClients.length, 0);
  assert.ok(Object.values(limits).every((limit) => limit >= 1 && limit <= 64 * 1024 * 1024));
}
