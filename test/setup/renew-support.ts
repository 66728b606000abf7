import { execFileSync } from 'node:child_process';
import { X509Certificate } from 'node:crypto';
import fs from 'node:fs/promises';
import { join } from 'node:path';
import { layOut, pathOf } from '../../src/setup/layout.ts';
import type { Layout, Target } from '../../src/setup/layout.ts';
import { readRenewFlags } from '../../src/setup/renew-options.ts';
import type { RenewFlags } from '../../src/setup/renew-options.ts';
import type { RenewResult } from '../../src/setup/renew-change.ts';
import { renew } from '../../src/setup/renew.ts';
import type { SetupPorts } from '../../src/setup/setup.ts';
import { systemPkiPorts } from '../../src/setup/system-pki-ports.ts';
import type { Caller } from '../support/requests.ts';
import { testPorts } from './support.ts';
import type { Place } from './support.ts';

export function layoutOf({ dir, serviceDir }: Place): Layout {
  return layOut({ admission: dir, service: serviceDir }, '/');
}

export function textOf(place: Place, target: Target): Promise<string> {
  return fs.readFile(pathOf(layoutOf(place), target), 'utf8');
}

export async function certificateOf(place: Place, target: Target): Promise<X509Certificate> {
  return new X509Certificate(await textOf(place, target));
}

/**
 * With the machine's clock, since what is renewed is to shake hands now; and with keys on P-256
 * whatever is asked for: they are new each time, and cost next to nothing.
 */
export const livePorts = (overrides: Partial<SetupPorts> = {}): SetupPorts =>
  testPorts({
    now: () => new Date(),
    generateKeyPair: () => systemPkiPorts.generateKeyPair({ type: 'ec', curve: 'P-256' }),
    ...overrides,
  });

export function renewAt(
  { dir, serviceDir, root }: Place,
  flags: RenewFlags = {},
  ports: Partial<SetupPorts> = {},
): Promise<RenewResult> {
  return renew(readRenewFlags({ dir, serviceDir, ...flags }, root), livePorts(ports));
}

/** Who asks with what kube-apiserver's folder holds at this moment. */
export async function apiserverAt(place: Place, port: number): Promise<Caller> {
  const [ca, certificate, key] = await Promise.all([
    textOf(place, 'externalCa'),
    textOf(place, 'clientCertificate'),
    textOf(place, 'clientKey'),
  ]);
  return { port, ca, credential: { certificate, key } };
}

/** How long client-go goes by a pair that it has read. */
const READ_AGAIN_MS = 1000;

/** As client-go: the certificate, then the key, read anew once a second at most. */
export function clientGo(place: Place, port: number): () => Promise<Caller> {
  let caller: Promise<Caller> | undefined;
  let readAt = 0;
  const read = async (): Promise<Caller> => {
    const ca = await textOf(place, 'externalCa');
    const certificate = await textOf(place, 'clientCertificate');
    return { port, ca, credential: { certificate, key: await textOf(place, 'clientKey') } };
  };
  return () => {
    if (caller === undefined || Date.now() - readAt > READ_AGAIN_MS) {
      readAt = Date.now();
      caller = read();
    }
    return caller;
  };
}

/** A folder in which openssl works. */
export class OpenSsl {
  readonly folder: string;

  constructor(folder: string) {
    this.folder = folder;
  }

  run(...args: readonly string[]): string {
    return execFileSync('openssl', args, { cwd: this.folder, encoding: 'utf8', stdio: 'pipe' });
  }

  path(name: string): string {
    return join(this.folder, name);
  }

  /** A root CA, as somebody makes it by hand; the key in the form asked for. */
  root(name: string, key: readonly string[], subject = `/O=Example/CN=${name}`): void {
    this.run('genpkey', ...key, '-out', `${name}.key`);
    this.run(
      ...['req', '-x509', '-new', '-key', `${name}.key`, '-out', `${name}.pem`, '-days', '3650'],
      ...['-subj', subject, '-addext', 'keyUsage=critical,keyCertSign,cRLSign'],
    );
  }

  /** A certificate by a CA of this folder, with extensions as openssl writes them. */
  async sign(
    name: string,
    by: string,
    extensions: readonly string[],
    request: string,
  ): Promise<void> {
    await fs.writeFile(this.path(`${name}.ext`), extensions.join('\n'));
    this.run(
      ...['x509', '-req', '-in', request, '-CA', `${by}.pem`, '-CAkey', `${by}.key`],
      ...['-days', '365', '-out', `${name}.pem`, '-extfile', `${name}.ext`],
    );
  }
}

export const RSA = ['-algorithm', 'RSA', '-pkeyopt', 'rsa_keygen_bits:2048'] as const;
export const P256 = ['-algorithm', 'EC', '-pkeyopt', 'ec_paramgen_curve:P-256'] as const;
export const P384 = ['-algorithm', 'EC', '-pkeyopt', 'ec_paramgen_curve:P-384'] as const;
