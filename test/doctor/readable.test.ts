import { chmod, chown, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { mayRead } from '../../src/doctor/readable-checks.ts';
import { removePlace } from '../setup/support.ts';
import { edit, examineNode, newNode } from './place.ts';

const UID = 65_532;

describe('whether the owner of the key can read a file', () => {
  it.each([
    ['cannot read what is root alone', [UID, 0o600], [0, 0o600], false],
    ['cannot read what is somebody else alone', [UID, 0o400], [1000, 0o600], false],
    ['cannot read what nobody may read', [UID, 0o600], [UID, 0o200], false],
    ['reads what is its own', [UID, 0o600], [UID, 0o400], true],
    ['reads what all may read', [UID, 0o600], [0, 0o644], true],
    ['may be in the group that reads the file', [UID, 0o600], [0, 0o640], true],
    ['may not be the service, when a group reads the key', [UID, 0o640], [0, 0o600], true],
    ['is root, who reads everything', [0, 0o600], [UID, 0o600], true],
  ] as const)('it %s', (_title, [keyUid, keyMode], [uid, mode], expected) => {
    expect(mayRead({ uid: keyUid, mode: keyMode }, { uid, mode })).toBe(expected);
  });

  it('tells of every file that the config names, where this can be tried', async () => {
    const node = await newNode();
    try {
      const inService = (name: string): string => join(node.serviceDir, name);
      const own = inService('config.yaml');
      const credentials = inService('auth.json');
      await writeFile(credentials, '{}');
      await edit(own, 'rules:', 'registries: { credentials: [auth.json] }\nrules:');
      const isRoot = process.getuid?.() === 0;
      const files = [own, inService('rules.yaml'), inService('client-ca.pem'), credentials];
      for (const file of files) await chmod(file, 0o600);
      // Not being root, nobody can give files away: then all is the reader's own.
      if (isRoot) await chown(inService('server-key.pem'), UID, 0);
      const found = (await examineNode(node)).filter(({ id }) => id === 'service-readable');
      expect(found.map(({ file, fix }) => `${file ?? ''} ${fix ?? ''}`)).toEqual(
        isRoot ? files.map((file) => `${file} run: chown ${UID} ${file}`) : [],
      );
    } finally {
      await removePlace(node);
    }
  });
});
