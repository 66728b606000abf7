import type { Problem } from '../errors.ts';

/** PEM text that stands in the kubeconfig, or the absolute path of a file that holds it. */
export type PemSource = { readonly pem: string } | { readonly file: string };

/** What the current context of a kubeconfig comes to. */
export interface Kubeconf {
  readonly context: string;
  /** https, unless it is a kubeconfig of the local insecure port. */
  readonly server: URL;
  /** Undefined: the host of `server`. */
  readonly tlsServerName: string | undefined;
  readonly insecureSkipTlsVerify: boolean;
  readonly proxyUrl: string | undefined;
  /** Undefined: the roots of the system. */
  readonly ca: PemSource | undefined;
  readonly clientCertificate: PemSource | undefined;
  readonly clientKey: PemSource | undefined;
  readonly token: string | undefined;
  readonly tokenFile: string | undefined;
  /** Credentials that are not read here: `exec`, `auth-provider`, `username`. */
  readonly otherCredentials: readonly string[];
}

/** What can be wrong with a kubeconfig; stable, `doctor` names its checks by these. */
export type KubeconfIssueId =
  | 'syntax'
  | 'kind'
  | 'current-context'
  | 'context'
  | 'cluster'
  | 'user'
  | 'server'
  | 'data'
  | 'key-pair'
  | 'insecure-with-ca'
  | 'unknown-key';

export interface KubeconfIssue {
  readonly id: KubeconfIssueId;
  readonly problem: Problem;
  /** Whether client-go passes over it. */
  readonly harmless: boolean;
}

export interface Inspected {
  readonly issues: readonly KubeconfIssue[];
  /** Undefined when an issue leaves nothing to go by. */
  readonly kubeconf: Kubeconf | undefined;
}
