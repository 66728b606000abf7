import type { Problem } from '../errors.ts';

/** Every check by its stable name, with the group that it is shown in. */
export const CHECKS = {
  'manifest-readable': 'manifest',
  'manifest-flag-spelling': 'manifest',
  'manifest-plugin-enabled': 'manifest',
  'manifest-plugin-once': 'manifest',
  'manifest-plugin-not-disabled': 'manifest',
  'manifest-config-flag': 'manifest',
  'manifest-config-flag-once': 'manifest',
  'manifest-folder-duplicates': 'manifest',
  'manifest-folder-strays': 'manifest',
  'mount-present': 'mounts',
  'mount-source': 'mounts',
  'mount-links': 'mounts',
  'mount-type': 'mounts',
  'mount-valid': 'mounts',
  'mount-read-only': 'mounts',
  'service-folder-mounted': 'mounts',
  'admission-readable': 'admission configuration',
  'admission-api-version': 'admission configuration',
  'admission-kind': 'admission configuration',
  'admission-unknown-key': 'admission configuration',
  'admission-plugin': 'admission configuration',
  'admission-plugin-once': 'admission configuration',
  'admission-configuration': 'admission configuration',
  'admission-path-file': 'admission configuration',
  'image-policy-unknown-key': 'admission configuration',
  'image-policy-kubeconfig-file': 'admission configuration',
  'image-policy-allow-ttl': 'admission configuration',
  'image-policy-deny-ttl': 'admission configuration',
  'image-policy-retry-backoff': 'admission configuration',
  'image-policy-default-allow': 'admission configuration',
  'kubeconf-readable': 'kubeconf',
  'kubeconf-kind': 'kubeconf',
  'kubeconf-unknown-key': 'kubeconf',
  'kubeconf-current-context': 'kubeconf',
  'kubeconf-context': 'kubeconf',
  'kubeconf-cluster': 'kubeconf',
  'kubeconf-user': 'kubeconf',
  'kubeconf-server': 'kubeconf',
  'kubeconf-path': 'kubeconf',
  'kubeconf-port': 'kubeconf',
  'kubeconf-proxy': 'kubeconf',
  'kubeconf-insecure': 'kubeconf',
  'kubeconf-ca': 'kubeconf',
  'kubeconf-client-certificate': 'kubeconf',
  'kubeconf-data': 'kubeconf',
  'kubeconf-files': 'kubeconf',
  'service-config': 'service',
  'service-client-name': 'service',
  'service-readable': 'service',
  'service-registries': 'service',
  'certificate-readable': 'certificates',
  'certificate-valid': 'certificates',
  'certificate-ending': 'certificates',
  'certificate-key': 'certificates',
  'certificate-server-chain': 'certificates',
  'certificate-client-chain': 'certificates',
  'certificate-ca': 'certificates',
  'certificate-names': 'certificates',
  'certificate-host': 'certificates',
  'certificate-usage': 'certificates',
  'certificate-signature': 'certificates',
  'certificate-key-size': 'certificates',
  'file-mode': 'certificates',
  'file-owner': 'certificates',
  'ca-key-exposed': 'certificates',
  'rules-valid': 'rules',
  'rules-warning': 'rules',
  'rules-kube-system': 'rules',
  'version-known': 'version',
  'version-cve-2023-2727': 'version',
  'version-image-volumes': 'version',
  'live-name': 'live',
  'live-tcp': 'live',
  'live-tls-old': 'live',
  'live-tls': 'live',
  'live-certificate': 'live',
  'live-client': 'live',
  'live-anonymous': 'live',
  'live-answer': 'live',
  'live-kube-system': 'live',
  'live-time': 'live',
  'live-clock': 'live',
  'live-config': 'live',
  'nodes-comparable': 'nodes',
  'nodes-differ': 'nodes',
} as const;

export type CheckId = keyof typeof CHECKS;
export type Group = (typeof CHECKS)[CheckId];
export type Status = 'ok' | 'warn' | 'fail';

/** What one check came to. */
export interface Finding {
  readonly id: CheckId;
  readonly group: Group;
  readonly status: Status;
  readonly message: string;
  /** What to do about it. */
  readonly fix?: string;
  readonly file?: string;
  /** 1-based. */
  readonly line?: number;
  /** 1-based. */
  readonly column?: number;
}

/** Where checks put what they find. */
export class Findings {
  readonly #all: Finding[] = [];

  ok(id: CheckId, message: string, file?: string): void {
    this.#add('ok', id, { message, ...(file === undefined ? {} : { file }) });
  }

  warn(id: CheckId, problem: Problem): void {
    this.#add('warn', id, problem);
  }

  fail(id: CheckId, problem: Problem): void {
    this.#add('fail', id, problem);
  }

  /** A line for a check of which nothing bad was found. */
  okUnlessFound(id: CheckId, message: string, file?: string): void {
    if (!this.has(id)) this.ok(id, message, file);
  }

  /** Whether something that is not good was found. */
  has(...ids: readonly CheckId[]): boolean {
    return this.#all.some(({ id, status }) => status !== 'ok' && ids.includes(id));
  }

  hasFailure(isMeant: (id: CheckId) => boolean): boolean {
    return this.#all.some(({ id, status }) => status === 'fail' && isMeant(id));
  }

  /** Group by group, each in the order in which it was found. */
  list(): readonly Finding[] {
    const groups = [...new Set(Object.values(CHECKS))];
    return this.#all.toSorted((a, b) => groups.indexOf(a.group) - groups.indexOf(b.group));
  }

  #add(status: Status, id: CheckId, { message, hint, file, line, column }: Problem): void {
    this.#all.push({
      id,
      group: CHECKS[id],
      status,
      message,
      ...(hint === undefined ? {} : { fix: hint }),
      ...(file === undefined ? {} : { file }),
      ...(line === undefined ? {} : { line }),
      ...(column === undefined ? {} : { column }),
    });
  }
}
