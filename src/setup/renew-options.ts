import { resolve } from 'node:path';
import { ImageCheckerError } from '../errors.ts';
import { readFolderFlags } from './options.ts';
import type { AuthorityFlags, FolderFlags } from './options.ts';
import type { Layout } from './layout.ts';

/** The options of the command line, as written. */
export interface RenewFlags extends FolderFlags, AuthorityFlags {
  readonly ca?: boolean;
  readonly yes?: boolean;
}

export interface RenewOptions {
  readonly layout: Layout;
  /** New leaves from the CA in force, or the next step towards a new one. */
  readonly what: 'leaves' | 'authority';
  /** Absolute; undefined: where `setup` puts it. */
  readonly authorityCertificate: string | undefined;
  /** Absolute; undefined: where `setup` puts it. */
  readonly authorityKey: string | undefined;
  /** What the step before asked for has been done. */
  readonly confirmed: boolean;
}

/** @throws ImageCheckerError `usage` */
export function readRenewFlags(flags: RenewFlags, cwd: string): RenewOptions {
  const layout = readFolderFlags(flags, cwd);
  const { ca = false, yes = false, caCert, caKey } = flags;
  if (caCert !== undefined && caKey === undefined) {
    throw new ImageCheckerError('usage', { message: 'expected --ca-key with --ca-cert, got none' });
  }
  if (yes && !ca) {
    throw new ImageCheckerError('usage', { message: 'expected --yes with --ca, got it alone' });
  }
  return {
    layout,
    what: ca ? 'authority' : 'leaves',
    authorityCertificate: caCert === undefined ? undefined : resolve(cwd, caCert),
    authorityKey: caKey === undefined ? undefined : resolve(cwd, caKey),
    confirmed: yes,
  };
}
