import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Node } from './place.ts';

const openssl = (...args: string[]): void => {
  execFileSync('openssl', args, { stdio: ['ignore', 'ignore', 'pipe'] });
};

/** A leaf or a CA as openssl makes it; what is left out is as it should be. */
export interface Wanted {
  readonly name?: string;
  readonly key?: readonly string[];
  readonly digest?: string;
  /** Lines of the extensions section. */
  readonly extensions?: readonly string[];
  /** Days from now until it ends; negative: it has ended. */
  readonly days?: number;
  /** PEM files of the issuer; absent: self-signed. */
  readonly issuer?: { readonly certificate: string; readonly key: string };
}

const EC = ['-algorithm', 'EC', '-pkeyopt', 'ec_paramgen_curve:P-256'] as const;
export const RSA = (bits: number): readonly string[] => [
  ...['-algorithm', 'RSA', '-pkeyopt', `rsa_keygen_bits:${bits}`],
];
export const NAMES = 'subjectAltName=DNS:localhost,IP:127.0.0.1';
export const SERVER = ['extendedKeyUsage=serverAuth', NAMES] as const;
export const CLIENT = ['extendedKeyUsage=clientAuth'] as const;
export const CA = ['basicConstraints=critical,CA:TRUE', 'keyUsage=critical,keyCertSign'] as const;

/** Makes a key and a certificate at the given paths. */
export function make(certificate: string, key: string, wanted: Wanted): void {
  const { name = 'image-checker', extensions = [], days = 365, digest = 'sha256', issuer } = wanted;
  const request = `${certificate}.csr`;
  const settings = `${certificate}.cnf`;
  writeFileSync(settings, ['[ext]', ...extensions, ''].join('\n'));
  openssl('genpkey', ...(wanted.key ?? EC), '-out', key);
  openssl('req', '-new', '-key', key, '-subj', `/CN=${name}`, '-out', request);
  const signing =
    issuer === undefined
      ? ['-signkey', key]
      : ['-CA', issuer.certificate, '-CAkey', issuer.key, '-CAcreateserial'];
  openssl(
    ...['x509', '-req', '-in', request, `-${digest}`, '-days', String(days), ...signing],
    ...['-extfile', settings, '-extensions', 'ext', '-out', certificate],
  );
  execFileSync('rm', ['-f', request, settings, certificate.replace(/\.[^./]*$/, '.srl')]);
  execFileSync('chmod', ['600', key]);
}

/** A leaf of the node's own CA in the place of the one that setup made. */
export function replaceLeaf(node: Node, side: 'server' | 'client', wanted: Wanted = {}): void {
  const issuer = {
    certificate: join(node.serviceDir, 'pki/ca-cert.pem'),
    key: join(node.serviceDir, 'pki/ca-key.pem'),
  };
  const [certificate, key] = filesOf(node, side);
  const usual =
    side === 'server' ? { extensions: SERVER } : { name: 'api-server', extensions: CLIENT };
  make(certificate, key, { ...usual, issuer, ...wanted });
}

export function filesOf(node: Node, side: 'server' | 'client'): readonly [string, string] {
  if (side === 'client') {
    return [
      join(node.dir, 'apiserver-client-cert.pem'),
      join(node.dir, 'apiserver-client-key.pem'),
    ];
  }
  return [join(node.serviceDir, 'server-cert.pem'), join(node.serviceDir, 'server-key.pem')];
}

/** Gives a key a passphrase. */
export function encrypt(key: string): void {
  openssl('pkey', '-in', key, '-aes256', '-passout', 'pass:secret', '-out', `${key}.new`);
  execFileSync('mv', [`${key}.new`, key]);
  execFileSync('chmod', ['600', key]);
}
