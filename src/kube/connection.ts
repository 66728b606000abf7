/** How a kube-apiserver is reached, and as whom; PEM texts. */
export interface KubeConnection {
  /** As the kubeconfig names it. */
  readonly server: URL;
  /**
   * Where to connect instead, for one apiserver of several behind an address; its certificate is
   * held against the name in `server` all the same.
   */
  readonly via?: KubeAddress;
  /** Absent: the CAs that Node trusts. */
  readonly ca?: string;
  /** The name to ask for and to expect, where it is not that of `server`. */
  readonly serverName?: string;
  readonly certificate?: string;
  readonly key?: string;
  /** Bearer token. */
  readonly token?: string;
}

export interface KubeAddress {
  readonly host: string;
  readonly port: number;
}

/** `host:port` of what is asked, for messages. */
export function describeConnection({ server, via }: KubeConnection): string {
  return via === undefined ? server.origin : `https://${hostInUrl(via.host)}:${via.port}`;
}

function hostInUrl(host: string): string {
  return host.includes(':') ? `[${host}]` : host;
}
