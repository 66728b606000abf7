import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Caller } from '../support/requests.ts';
import type { Installation } from './built-service.ts';

/** Who asks as kube-apiserver does, by the files that `setup` made. */
export async function callerOf({ admissionFolder, port }: Installation): Promise<Caller> {
  const read = (name: string) => readFile(join(admissionFolder, name), 'utf8');
  return {
    port,
    ca: await read('external-cert.pem'),
    credential: {
      certificate: await read('apiserver-client-cert.pem'),
      key: await read('apiserver-client-key.pem'),
    },
  };
}
