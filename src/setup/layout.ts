import { join, resolve } from 'node:path';

export const DEFAULT_ADMISSION_FOLDER = '/etc/kubernetes/admission';
export const DEFAULT_SERVICE_FOLDER = '/etc/image-checker';

type FolderName = 'admission' | 'service' | 'pki';

interface TargetFile {
  readonly folder: FolderName;
  readonly name: string;
  readonly mode: number;
}

/** A private key is its owner's alone. */
const SECRET = 0o600;
const READABLE = 0o644;

/**
 * What lies where. Written in this order: keys before their certificates, and what a flag or a
 * unit file points to last, so that a machine that dies in the middle leaves nothing that starts.
 */
export const TARGETS = {
  caKey: { folder: 'pki', name: 'ca-key.pem', mode: SECRET },
  caCertificate: { folder: 'pki', name: 'ca-cert.pem', mode: READABLE },
  serverKey: { folder: 'service', name: 'server-key.pem', mode: SECRET },
  serverCertificate: { folder: 'service', name: 'server-cert.pem', mode: READABLE },
  clientCa: { folder: 'service', name: 'client-ca.pem', mode: READABLE },
  clientKey: { folder: 'admission', name: 'apiserver-client-key.pem', mode: SECRET },
  clientCertificate: { folder: 'admission', name: 'apiserver-client-cert.pem', mode: READABLE },
  externalCa: { folder: 'admission', name: 'external-cert.pem', mode: READABLE },
  rules: { folder: 'service', name: 'rules.yaml', mode: READABLE },
  serviceConfig: { folder: 'service', name: 'config.yaml', mode: READABLE },
  kubeconf: { folder: 'admission', name: 'kubeconf', mode: READABLE },
  admissionConfiguration: { folder: 'admission', name: 'admission_config.yaml', mode: READABLE },
} as const satisfies Record<string, TargetFile>;

export type Target = keyof typeof TARGETS;

export const ALL_TARGETS = Object.keys(TARGETS) as Target[];

/** The absolute paths of one installation. */
export interface Layout {
  /** What kube-apiserver mounts. */
  readonly admission: string;
  /** What the service alone may read. */
  readonly service: string;
  readonly pki: string;
  /** The admission folder as kube-apiserver sees it. */
  readonly mounted: string;
}

export function layOut(
  folders: { readonly admission: string; readonly service: string; readonly mounted?: string },
  cwd: string,
): Layout {
  const admission = resolve(cwd, folders.admission);
  const service = resolve(cwd, folders.service);
  const mounted = folders.mounted === undefined ? admission : resolve(folders.mounted);
  return { admission, service, pki: join(service, 'pki'), mounted };
}

export function pathOf(layout: Layout, target: Target): string {
  const { folder, name } = TARGETS[target];
  return join(layout[folder], name);
}

/** The folders of the layout with their modes, parents first. */
export function foldersOf(layout: Layout): { path: string; mode: number }[] {
  return [
    // The service need not run as the user who ran setup, so both folders are open to pass;
    // every secret in them has a mode of its own.
    { path: layout.admission, mode: 0o755 },
    { path: layout.service, mode: 0o755 },
    { path: layout.pki, mode: 0o700 },
  ];
}
