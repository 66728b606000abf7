/**
 * What the checks of an image ask of a registry. Pull only; every digest is checked against the bytes.
 *
 * All of it throws `registry-unavailable` for what could not be found out (no connection, 401, 403,
 * 429, 5xx, out of time), and two codes for what `onError` never excuses: `registry-limited` for what
 * is over a limit of ours (too large, never sent), and `registry-corrupt` for an answer that
 * contradicts itself (bytes that are not of the digest asked for), which is evidence.
 */
export interface Registry {
  /**
   * The manifest or index that a tag or digest names; undefined when there is none (404).
   *
   * @param reference a tag, or a digest such as `sha256:...`
   */
  manifest(
    repository: Repository,
    reference: string,
    signal: AbortSignal,
  ): Promise<Manifest | undefined>;
  /** The bytes of a blob; its size and digest are checked. Undefined when there is none (404). */
  blob(
    repository: Repository,
    descriptor: Pick<Descriptor, 'digest' | 'size'>,
    signal: AbortSignal,
  ): Promise<Uint8Array | undefined>;
  /**
   * What refers to a manifest by its `subject`, by the referrers API, or by the fallback tag of
   * registries without it (OCI distribution specification 1.1). Empty when there is nothing.
   * `artifactType` is what the registry says, which may be wrong: fetch and look.
   */
  referrers(
    repository: Repository,
    digest: string,
    signal: AbortSignal,
  ): Promise<readonly Descriptor[]>;
}

/** Where an image lies, as its normalised reference says (`docker.io`, not the host of the Hub's API). */
export interface Repository {
  /** `host` or `host:port` */
  readonly registry: string;
  /** The path below the registry. */
  readonly repository: string;
}

/** A manifest or an index as it was served. */
export interface Manifest {
  /** Of `bytes`: `sha256:...`, or the algorithm that was asked for. */
  readonly digest: string;
  /** Of the answer's Content-Type. */
  readonly mediaType: string;
  readonly bytes: Uint8Array;
}

/** An OCI content descriptor (OCI image specification 1.1, descriptor.md), its types checked. */
export interface Descriptor {
  readonly mediaType: string;
  readonly digest: string;
  /** Bytes. */
  readonly size: number;
  readonly artifactType?: string;
  readonly annotations?: Readonly<Record<string, string>>;
  /** Of a referrer, the tag that lists it; absent where the referrers API does. */
  readonly fallbackTag?: string;
  readonly platform?: {
    readonly os: string;
    readonly architecture: string;
    readonly variant?: string;
  };
}
