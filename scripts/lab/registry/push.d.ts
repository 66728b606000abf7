/** An answer of a registry. */
export interface PushAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | undefined>>;
  readonly body: Buffer;
}

export interface PushRepository {
  /** Any request, its path relative to that of the repository. */
  call(path: string, options?: object): Promise<PushAnswer>;
  putBlob(bytes: Uint8Array, digest: string): Promise<void>;
  putManifest(bytes: Uint8Array, mediaType: string, reference: string): Promise<void>;
}

export interface PushRegistry {
  readonly host: string;
  repository(name: string): PushRepository;
}

export declare function openRegistry(state: string, user?: 'pusher' | 'puller'): PushRegistry;
