import { posix } from 'node:path';
import type { KubeconfIssues } from './inspect.ts';
import type { PemSource } from './kubeconf.ts';

/** Where an entry stands in the document, and what its relative paths are relative to. */
export interface EntryPlace {
  readonly path: readonly PropertyKey[];
  readonly folder: string;
}

/** What Go's encoding/json takes for bytes: padded base64, line breaks aside. */
const BASE64 = /^[A-Za-z0-9+/]*={0,2}$/;

/** `KEY-data` comes before `KEY`, as client-go has it. */
export function readPem(
  entry: Readonly<Record<string, unknown>>,
  key: 'certificate-authority' | 'client-certificate' | 'client-key',
  { path, folder }: EntryPlace,
  issues: KubeconfIssues,
): PemSource | undefined {
  const data = entry[`${key}-data`];
  if (typeof data === 'string' && data !== '') {
    const pem = decode(data);
    if (pem !== undefined) return { pem };
    const message = `${key}-data: expected base64, got something else`;
    const hint = 'write the output of `base64 -w0 FILE`';
    issues.add('data', { path: [...path, `${key}-data`], message, hint });
    return { pem: '' };
  }
  const file = entry[key];
  if (typeof file !== 'string' || file === '') return undefined;
  return { file: posix.resolve(folder, file) };
}

function decode(data: string): string | undefined {
  const packed = data.replace(/[\r\n]/g, '');
  if (packed.length % 4 !== 0 || !BASE64.test(packed)) return undefined;
  return Buffer.from(packed, 'base64').toString();
}
