import { X509Certificate } from 'node:crypto';
import { isIP } from 'node:net';
import type { Problem } from '../errors.ts';
import { portOf } from './documents.ts';
import { readExisting } from './inventory.ts';
import type { Inventory } from './inventory.ts';
import type { SetupOptions } from './options.ts';

/** What the caller asked for and a file that stays says otherwise. */
export async function findContradictions(
  options: SetupOptions,
  inventory: Inventory,
): Promise<Problem[]> {
  if (options.onExisting !== 'keep') return [];
  const config = inventory.get('serviceConfig');
  const certificate = inventory.get('serverCertificate');
  return [
    ...(config === undefined ? [] : await otherPort(config.path, options)),
    ...(certificate === undefined ? [] : await unnamedHosts(certificate.path, options)),
  ];
}

async function otherPort(file: string, { port }: SetupOptions): Promise<Problem[]> {
  const configured = portOf((await readExisting(file)).toString());
  if (port === undefined || configured === undefined || port === configured) return [];
  return [{ file, message: `expected listen.port ${port}, got ${configured}, which stays` }];
}

async function unnamedHosts(file: string, { serverHosts }: SetupOptions): Promise<Problem[]> {
  if (serverHosts.length === 0) return [];
  const certificate = readCertificate(await readExisting(file));
  return serverHosts
    .filter((host) => certificate === undefined || !names(certificate, host))
    .map((host) => ({
      file,
      message: `expected a certificate for ${host}, got one without it, which stays`,
      hint: 'remove it together with its key and run this again',
    }));
}

function readCertificate(pem: Buffer): X509Certificate | undefined {
  try {
    return new X509Certificate(pem);
  } catch {
    return undefined;
  }
}

function names(certificate: X509Certificate, host: string): boolean {
  const match = isIP(host) === 0 ? certificate.checkHost(host) : certificate.checkIP(host);
  return match !== undefined;
}
