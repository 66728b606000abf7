import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { examine } from '../../src/doctor/doctor.ts';
import type { Examination } from '../../src/doctor/doctor.ts';
import { VERSION as PROGRAM } from '../../src/version.ts';
import { removePlace } from '../setup/support.ts';
import { edit, faultsOf, newNode, testPorts } from './place.ts';
import type { Node } from './place.ts';

let node: Node;
let report: string;

beforeEach(async () => {
  node = await newNode();
  report = join(node.root, 'cp-2.json');
  await write({ facts: (await look()).facts });
});

afterEach(() => removePlace(node));

function look(compare?: string): Promise<Examination> {
  const { dir, serviceDir, manifest } = node;
  return examine(
    { dir, serviceDir, manifest: { file: manifest }, live: false, ...(compare && { compare }) },
    testPorts(),
  );
}

/** What `doctor -o json` wrote on another node. */
function write(changes: object): Promise<void> {
  return writeFile(
    report,
    JSON.stringify({ version: 1, node: 'node-2', facts: {}, findings: [], ...changes }),
  );
}

describe('doctor --compare', () => {
  it('finds no difference between two nodes that are alike', async () => {
    const { findings } = await look(report);
    expect(faultsOf(findings)).toEqual([]);
    expect(findings.filter(({ group }) => group === 'nodes')).toMatchObject([
      { id: 'nodes-comparable', status: 'ok', message: 'is of node-2' },
      { id: 'nodes-differ', status: 'ok' },
    ]);
  });

  it.each<[string, () => Promise<void>, string]>([
    [
      'other rules',
      () => edit(join(node.serviceDir, 'rules.yaml'), 'docker.io', 'docker.io # ours'),
      'rules: expected the same on every node, got sha256:',
    ],
    [
      'another TTL',
      () => edit(join(node.dir, 'admission_config.yaml'), 'denyTTL: 50', 'denyTTL: 30'),
      'denyTTL: expected the same on every node, got 30 here and 50 on node-2',
    ],
    [
      'that fails open',
      () => edit(join(node.dir, 'admission_config.yaml'), /Allow: false$/m, 'Allow: true'),
      'defaultAllow: expected the same on every node, got true here and false on node-2',
    ],
    [
      'without the plugin',
      () => edit(node.manifest, ',ImagePolicyWebhook', ''),
      'enabled plugins: expected the same on every node, got NodeRestriction here and ImagePolicyWebhook,NodeRestriction on node-2',
    ],
    [
      'of another version',
      () => edit(node.manifest, 'apiserver:v1.30.4', 'apiserver:v1.30.5'),
      'image of kube-apiserver: expected the same on every node, got registry.k8s.io/kube-apiserver:v1.30.5 here',
    ],
    [
      'that lets others in',
      () => edit(join(node.serviceDir, 'config.yaml'), /\[?api-server\]?/, '[api-server, other]'),
      'allowed clients: expected the same on every node, got api-server,other here and api-server on',
    ],
  ])('finds a node %s', async (_title, breakIt, message) => {
    await breakIt();
    const differences = (await look(report)).findings.filter(({ id }) => id === 'nodes-differ');
    expect(differences.map(({ status }) => status)).toEqual(['warn']);
    expect(differences[0]?.message).toContain(message);
  });

  it('takes no order of plugins for a difference', async () => {
    await edit(
      node.manifest,
      'NodeRestriction,ImagePolicyWebhook',
      'ImagePolicyWebhook,NodeRestriction',
    );
    expect(faultsOf((await look(report)).findings)).toEqual([]);
  });

  it('names what only one of both has', async () => {
    await write({ facts: { 'image-checker': PROGRAM } });
    const { findings } = await look(report);
    expect(findings.map(({ message }) => message)).toContain(
      'listen: expected the same on every node, got 0.0.0.0:1234 here and nothing on node-2',
    );
  });

  it.each<[string, string, () => Promise<unknown>]>([
    ['of this node itself', 'warn', () => write({ node: 'node-1', facts: {} })],
    ['that is none', 'fail', () => writeFile(report, 'all well\n')],
    ['of another version', 'fail', () => write({ version: 2 })],
    ['without facts', 'fail', () => write({ facts: undefined })],
    ['that names lists for texts', 'fail', () => write({ facts: { rules: [] } })],
  ])('is not content with a report %s', async (_title, status, breakIt) => {
    await breakIt();
    const { findings } = await look(report);
    expect(findings.find(({ id }) => id === 'nodes-comparable')?.status).toBe(status);
  });

  it('is not content with a report that is not there', async () => {
    const { findings } = await look(join(node.root, 'nowhere.json'));
    expect(faultsOf(findings)).toEqual(['nodes-comparable']);
  });
});
