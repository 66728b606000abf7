import type { X509Certificate } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { messageOf, systemCode } from '../errors.ts';
import type { Problem } from '../errors.ts';
import { systemMessage } from '../files/read-text-file.ts';
import { pairProblems } from './key-pairs.ts';
import { pathOf } from './layout.ts';
import type { Layout } from './layout.ts';
import { altNamesOf, certificatesIn, subjectOf } from './pem.ts';
import { rotationFiles } from './renew-files.ts';

export interface CertificateRow {
  /** Absolute. */
  readonly file: string;
  readonly role: string;
  readonly subject: string;
  readonly issuer: string;
  readonly altNames: readonly string[];
  /** Hex. */
  readonly serial: string;
  readonly notBefore: Date;
  readonly notAfter: Date;
  /** Whole days; negative after the end. */
  readonly daysLeft: number;
  readonly state: 'good' | 'ending' | 'expired' | 'not yet valid';
}

export interface CertificateTable {
  readonly rows: readonly CertificateRow[];
  /** What is wrong with the files beside their dates. */
  readonly problems: readonly Problem[];
}

export interface TableOptions {
  readonly layout: Layout;
  readonly now: Date;
  /** With fewer days left than these a certificate is ending. */
  readonly warnDays: number;
}

const DAY_MS = 24 * 60 * 60 * 1000;

const CERTIFICATE_NAME = /\.(?:pem|crt|cer)$/;

/** Every certificate of both folders, each of a bundle, and what is wrong with their keys. */
export async function readCertificateTable(options: TableOptions): Promise<CertificateTable> {
  const { layout } = options;
  const rows: CertificateRow[] = [];
  const problems: Problem[] = [];
  for (const folder of [layout.admission, layout.service, layout.pki]) {
    const read = await readFolder(folder, options);
    rows.push(...read.rows);
    problems.push(...read.problems);
  }
  return { rows, problems: [...problems, ...(await pairProblems(layout))] };
}

async function readFolder(folder: string, options: TableOptions): Promise<CertificateTable> {
  const names = await listFolder(folder);
  if (!Array.isArray(names)) return { rows: [], problems: [names] };
  const files = names.filter((name) => CERTIFICATE_NAME.test(name) && !name.startsWith('.'));
  const tables = await Promise.all(files.map((name) => readRows(join(folder, name), options)));
  return {
    rows: tables.flatMap(({ rows }) => rows),
    problems: tables.flatMap(({ problems }) => problems),
  };
}

/** A folder that is not there holds nothing: the other side may be on another machine. */
async function listFolder(folder: string): Promise<string[] | Problem> {
  try {
    return (await readdir(folder)).sort();
  } catch (thrown) {
    return systemCode(thrown) === 'ENOENT' ? [] : unreadable(folder, thrown);
  }
}

async function readRows(file: string, options: TableOptions): Promise<CertificateTable> {
  const role = rolesOf(options.layout).get(file);
  try {
    const certificates = certificatesIn(await readFile(file, 'utf8'));
    const rows = certificates.map((certificate, index) =>
      rowOf(certificate, { file, role: roleAt(role, index) }, options),
    );
    const message = 'expected PEM certificates, got none';
    return { rows, problems: rows.length === 0 && role !== undefined ? [{ file, message }] : [] };
  } catch (thrown) {
    // A key has its own check, and need not be readable.
    const isKey = role === undefined && systemCode(thrown) !== '';
    return { rows: [], problems: isKey ? [] : [unreadable(file, thrown)] };
  }
}

function unreadable(file: string, thrown: unknown): Problem {
  if (systemCode(thrown).startsWith('ERR_')) {
    return { file, message: `not a certificate: ${messageOf(thrown)}` };
  }
  const message = `cannot be read: ${systemMessage(thrown)}`;
  return { file, message, hint: 'run it as a user who may read it, such as root' };
}

function rowOf(
  certificate: X509Certificate,
  { file, role }: { readonly file: string; readonly role: string },
  { now, warnDays }: TableOptions,
): CertificateRow {
  const notBefore = new Date(certificate.validFrom);
  const notAfter = new Date(certificate.validTo);
  const daysLeft = Math.floor((notAfter.getTime() - now.getTime()) / DAY_MS);
  return {
    file,
    role,
    subject: subjectOf(certificate),
    issuer: (certificate.issuer as string | undefined)?.split('\n').join(', ') ?? '',
    altNames: altNamesOf(certificate),
    serial: certificate.serialNumber.toLowerCase(),
    notBefore,
    notAfter,
    daysLeft,
    state: stateOf({ notBefore, notAfter }, daysLeft, { now, warnDays }),
  };
}

function stateOf(
  { notBefore, notAfter }: Pick<CertificateRow, 'notBefore' | 'notAfter'>,
  daysLeft: number,
  { now, warnDays }: Pick<TableOptions, 'now' | 'warnDays'>,
): CertificateRow['state'] {
  if (notAfter < now) return 'expired';
  if (notBefore > now) return 'not yet valid';
  return daysLeft < warnDays ? 'ending' : 'good';
}

function rolesOf(layout: Layout): ReadonlyMap<string, string> {
  const { nextCertificate, previousCertificate } = rotationFiles(layout);
  return new Map([
    [pathOf(layout, 'externalCa'), 'verifies the server'],
    [pathOf(layout, 'clientCertificate'), 'client'],
    [pathOf(layout, 'clientCa'), 'verifies the client'],
    [pathOf(layout, 'serverCertificate'), 'server'],
    [pathOf(layout, 'caCertificate'), 'CA'],
    [nextCertificate, 'next CA'],
    [previousCertificate, 'previous CA'],
  ]);
}

/** Behind a leaf stand the CAs between it and the root. */
function roleAt(role: string | undefined, index: number): string {
  if (index > 0 && (role === 'server' || role === 'client')) return 'intermediate CA';
  return role ?? 'other';
}
