import { X509Certificate } from 'node:crypto';
import { createSecureContext, rootCertificates } from 'node:tls';
import type { SecureContext } from 'node:tls';
import type { RegistryHostConfig } from '../config/registries.ts';
import { ImageCheckerError, messageOf } from '../errors.ts';
import { WatchedFile } from './watched-file.ts';
import type { WatchDeps } from './watched-file.ts';

export type TlsFiles = Pick<RegistryHostConfig, 'ca' | 'clientCertificate' | 'clientKey'>;

/** What a host's connections are made with; made again when one of its files changes. */
export class TlsMaterial {
  readonly #ca: WatchedFile<string> | undefined;
  readonly #certificate: WatchedFile<string> | undefined;
  readonly #key: WatchedFile<string> | undefined;
  #texts: readonly (string | undefined)[] = [];
  #context: SecureContext | undefined;

  constructor(files: TlsFiles, deps: WatchDeps) {
    const watch = (file: string | undefined): WatchedFile<string> | undefined =>
      file === undefined ? undefined : new WatchedFile(file, (text) => text, deps);
    this.#ca = watch(files.ca);
    this.#certificate = watch(files.clientCertificate);
    this.#key = watch(files.clientKey);
  }

  /** The same object as long as the files are the same; undefined: what the system trusts, and no certificate. */
  async context(): Promise<SecureContext | undefined> {
    const files = [this.#ca, this.#certificate, this.#key];
    const texts = await Promise.all(files.map(async (file) => file?.read()));
    if (texts.some((text, index) => text !== this.#texts[index])) {
      this.#context = this.#make(texts);
      this.#texts = texts;
    }
    return this.#context;
  }

  #make([ca, cert, key]: readonly (string | undefined)[]): SecureContext {
    try {
      // The context would take a text without any certificate for no authority.
      if (ca !== undefined) new X509Certificate(ca);
      return createSecureContext({
        ...(ca === undefined ? {} : { ca: [...rootCertificates, ca] }),
        ...(cert === undefined || key === undefined ? {} : { cert, key }),
      });
    } catch (thrown) {
      const files = [this.#ca, this.#certificate, this.#key].flatMap((each) => each?.file ?? []);
      const message = `expected certificates and keys in PEM format: ${messageOf(thrown)}`;
      const problem = { file: files.join(', '), message };
      throw new ImageCheckerError('registry-unavailable', problem, { cause: thrown });
    }
  }
}
