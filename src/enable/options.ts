import { basename, dirname, join, posix, resolve } from 'node:path';
import { ImageCheckerError } from '../errors.ts';

export const DEFAULT_MANIFEST = '/etc/kubernetes/manifests/kube-apiserver.yaml';
export const DEFAULT_KUBECONFIG = '/etc/kubernetes/admin.conf';
export const DEFAULT_TIMEOUT = '3m';
/** Where the kubelet keeps the logs of containers, a folder for each pod. */
export const DEFAULT_POD_LOGS = '/var/log/pods';
export const DEFAULT_ADMISSION_FOLDER = '/etc/kubernetes/admission';

/** What `setup` calls the file that `--admission-control-config-file` names. */
const ADMISSION_CONFIGURATION = 'admission_config.yaml';

/** As written on the command line. */
export interface SwitchFlags {
  readonly manifest?: string;
  readonly dir?: string;
  readonly mountPath?: string;
  readonly kubeconfig?: string;
  readonly timeout?: string;
  readonly podLogs?: string;
  readonly dryRun?: boolean;
  readonly yes?: boolean;
}

export interface EnableFlags extends SwitchFlags {
  readonly serviceDir?: string;
  readonly acceptDenials?: boolean;
  readonly probeDeny?: string;
  readonly probeAllow?: string;
}

/** What `enable` and `disable` have in common; paths are absolute. */
export interface SwitchOptions {
  readonly manifest: string;
  /** The admission folder on the host. */
  readonly admission: string;
  /** The admission folder as kube-apiserver sees it. */
  readonly mounted: string;
  /** The admission configuration of ours, as kube-apiserver sees it. */
  readonly configFile: string;
  /** Backups, the record and the lock: beside the manifests folder, never in it. */
  readonly stateFolder: string;
  /** Absent when none was named and there is none in the usual place. */
  readonly kubeconfig: string;
  readonly isDefaultKubeconfig: boolean;
  /** Milliseconds for which kube-apiserver may be away. */
  readonly timeout: number;
  readonly podLogs: string;
  readonly dryRun: boolean;
  readonly yes: boolean;
}

export interface EnableOptions extends SwitchOptions {
  /** The service's own folder, for the doctor; absent when it is not on this machine. */
  readonly serviceFolder?: string;
  readonly acceptDenials: boolean;
  readonly probeDeny?: string;
  readonly probeAllow?: string;
}

/** @throws {ImageCheckerError} `usage` */
export function readSwitchFlags(flags: SwitchFlags, cwd: string): SwitchOptions {
  const manifest = resolve(cwd, flags.manifest ?? DEFAULT_MANIFEST);
  const admission = resolve(cwd, flags.dir ?? DEFAULT_ADMISSION_FOLDER);
  const mounted = flags.mountPath === undefined ? admission : resolve('/', flags.mountPath);
  const kubeconfig = resolve(cwd, flags.kubeconfig ?? DEFAULT_KUBECONFIG);
  refuseHidden(manifest);
  return {
    manifest,
    admission,
    mounted,
    configFile: posix.join(mounted, ADMISSION_CONFIGURATION),
    stateFolder: join(dirname(dirname(manifest)), 'image-checker-backup'),
    kubeconfig,
    isDefaultKubeconfig: flags.kubeconfig === undefined,
    timeout: readDuration(flags.timeout ?? DEFAULT_TIMEOUT),
    podLogs: resolve(cwd, flags.podLogs ?? DEFAULT_POD_LOGS),
    dryRun: flags.dryRun ?? false,
    yes: flags.yes ?? false,
  };
}

/** @throws {ImageCheckerError} `usage` */
export function readEnableFlags(flags: EnableFlags, cwd: string): EnableOptions {
  return {
    ...readSwitchFlags(flags, cwd),
    ...(flags.serviceDir !== undefined && { serviceFolder: resolve(cwd, flags.serviceDir) }),
    acceptDenials: flags.acceptDenials ?? false,
    ...(flags.probeDeny !== undefined && { probeDeny: flags.probeDeny }),
    ...(flags.probeAllow !== undefined && { probeAllow: flags.probeAllow }),
  };
}

/** The kubelet reads no file whose name begins with a dot. */
function refuseHidden(manifest: string): void {
  if (!basename(manifest).startsWith('.')) return;
  const message = `--manifest: expected a file that the kubelet reads, got ${manifest}`;
  throw new ImageCheckerError('usage', { message, hint: 'name one without a dot in front' });
}

const UNITS: Readonly<Record<string, number>> = { s: 1000, m: 60_000, h: 3_600_000 };
/** Milliseconds: more than any restart takes, and no overflow. */
const MAX_DURATION = 24 * 3_600_000;

/** @throws {ImageCheckerError} `usage` */
function readDuration(written: string): number {
  const match = /^([1-9][0-9]{0,5})([smh])$/.exec(written);
  const duration = Number(match?.[1] ?? 0) * (UNITS[match?.[2] ?? ''] ?? 0);
  if (duration > 0 && duration <= MAX_DURATION) return duration;
  const message = `--timeout: expected a time such as 90s or 3m, got ${JSON.stringify(written)}`;
  throw new ImageCheckerError('usage', { message });
}
