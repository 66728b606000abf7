import { FORBIDDEN_KEY_MODE } from '../setup/key-pairs.ts';
import type { Findings } from './finding.ts';
import type { PemText } from './kubeconf-checks.ts';

type Pems = Readonly<Record<string, PemText | undefined>>;

/** Whoever may write a certificate decides whom is trusted. */
const FORBIDDEN_MODE = 0o022;
const KEYS = new Set(['clientKey', 'serverKey', 'ownCaKey']);
/** What kube-apiserver reads; the service may run as a user of its own. */
const APISERVER = new Set(['externalCa', 'client', 'clientKey']);

export function checkFiles(pems: Pems, uid: number, findings: Findings): void {
  for (const [name, pem] of Object.entries(pems)) {
    if (pem?.disk === undefined) continue;
    const { file, disk } = pem;
    checkMode(file, disk.mode, { isKey: KEYS.has(name), findings });
    if (APISERVER.has(name)) checkOwner(file, disk.uid, { uid, findings });
  }
}

function checkMode(
  file: string,
  mode: number,
  { isKey, findings }: { readonly isKey: boolean; readonly findings: Findings },
): void {
  const forbidden = isKey ? FORBIDDEN_KEY_MODE : FORBIDDEN_MODE;
  const got = (mode & 0o777).toString(8).padStart(4, '0');
  if ((mode & forbidden) === 0) {
    findings.ok('file-mode', `mode ${got}`, file);
    return;
  }
  const [what, best] = isKey
    ? ['a private key', '0600']
    : ['a file that its owner alone may write', '0644'];
  const message = `expected ${what} with mode ${best}, got ${got}`;
  const hint = `run: chmod ${best.slice(1)} ${file}`;
  findings.fail('file-mode', { file, message, hint });
}

function checkOwner(
  file: string,
  owner: number,
  { uid, findings }: { readonly uid: number; readonly findings: Findings },
): void {
  if (owner === 0 || owner === uid) {
    findings.ok('file-owner', `owner ${owner}`, file);
    return;
  }
  const message = `expected it to be root's, got the user ${owner}, who may change it`;
  findings.warn('file-owner', { file, message, hint: `run: chown root ${file}` });
}
