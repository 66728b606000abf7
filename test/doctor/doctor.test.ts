import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { removePlace } from '../setup/support.ts';
import { edit, examineNode, faultsOf, newNode } from './place.ts';
import type { Node } from './place.ts';

let node: Node;

beforeEach(async () => {
  node = await newNode();
});

afterEach(async () => {
  await removePlace(node);
});

describe('the doctor', () => {
  it('finds nothing wrong with what setup makes and a manifest that has it', async () => {
    const findings = await examineNode(node);
    expect(findings.filter(({ status }) => status !== 'ok')).toEqual([]);
    expect(new Set(findings.map(({ group }) => group)).size).toBeGreaterThanOrEqual(6);
  });

  it('looks at texts that are planned instead of what lies there', async () => {
    const file = `${node.dir}/admission_config.yaml`;
    await edit(file, 'allowTTL: 50', 'allowTTL: 5000');
    expect(faultsOf(await examineNode(node))).toEqual(['image-policy-allow-ttl']);
    const text = 'kind: Pod';
    expect(faultsOf(await examineNode(node, { manifest: { file: node.manifest, text } }))).toEqual([
      'manifest-readable',
      'image-policy-allow-ttl',
    ]);
  });
});
