import { ImageCheckerError } from '../errors.ts';
import type { ErrorCode } from '../errors.ts';
import type { Manifest, Repository } from '../registry/registry.ts';
import { isBundleLayer, isOfKind, readLayer } from './artefact-layer.ts';
import type { ArtefactKind } from './artefact-layer.ts';
import { isArtefactDigest, readArtefactManifest } from './artefact-manifest.ts';
import type { ArtefactManifest, Layer } from './artefact-manifest.ts';
import type { Artefact, Origin } from './artefact.ts';
import { breathe } from './breathe.ts';
import type { ResolvedImage, VerifyContext } from './resolved-image.ts';

/** What lies beside an image. Nobody has been asked yet who signed what. */
export interface Discovery {
  readonly artefacts: readonly Artefact[];
  /** What looks like one of them and cannot be used. */
  readonly unusable: readonly Unusable[];
  /** What could not be looked at: what nothing excuses first, then `registry-unavailable`. */
  readonly failures: readonly ImageCheckerError[];
}

export interface Unusable extends Origin {
  readonly reason: string;
}

/** Signatures, or attestations: whoever may push can put any number of them there. */
const MAX_ARTEFACTS = 32;
/** In all of them together: each is tried by every key. */
const MAX_SIGNATURES = 64;
/** Referrers may be of any kind: what they are is said by their manifests alone. */
const MAX_REFERRERS = 64;
/** Bytes. A signature is small; an SBOM may be as large as a registry's client reads. */
const MAX_LAYER_BYTES = { signature: 256 * 1024, attestation: 8 * 1024 * 1024 } as const;
/** Bytes that one image may cost; in memory it is about twice as much. */
const MAX_TOTAL_BYTES = 16 * 1024 * 1024;
/** Reasons that are kept: a refusal names the first few. */
const MAX_UNUSABLE = 128;
/** A tag is no longer (OCI distribution specification). */
const MAX_TAG_LENGTH = 128;

/** Of a bundle's predicate, in its manifest's annotations: a hint that is not signed. */
const PREDICATE_TYPE_KEY = 'dev.sigstore.bundle.predicateType';
export const SIGN_PREDICATE_TYPE = 'https://sigstore.dev/cosign/sign/v1';

/**
 * Looks in all places where cosign 2 and 3 put signatures and attestations: the tag `sha256-….sig`
 * or `.att`, and what refers to the image's manifest.
 *
 * @throws {ImageCheckerError} `registry-corrupt`, of anything but a layer
 */
export async function discoverArtefacts(
  image: ResolvedImage,
  kind: ArtefactKind,
  context: VerifyContext,
): Promise<Discovery> {
  const finder = new Finder(image, kind, context);
  const found = await Promise.all([finder.findTagged(), finder.findReferrers()]);
  return finder.read(found.flat());
}

/** A layer that was found, and the digest of the manifest whose layer it is. */
interface Found extends Origin {
  readonly layer: Layer;
}

/** Of a registry; undefined for what is not there. */
interface Answer<T> {
  readonly value: T | undefined;
}

/** What does not matter where enough is found without it. */
const FAILURES: readonly ErrorCode[] = ['registry-limited', 'registry-unavailable'];
/** Whoever may push writes the size of a layer: a wrong one speaks against no other layer. */
const FAILURES_OF_BLOBS: readonly ErrorCode[] = [...FAILURES, 'registry-corrupt'];

class Finder {
  readonly #image: ResolvedImage;
  readonly #kind: ArtefactKind;
  readonly #context: VerifyContext;
  readonly #repository: Repository;
  readonly #unusable: Unusable[] = [];
  readonly #failures: ImageCheckerError[] = [];
  #turns: Promise<void> = Promise.resolve();

  constructor(image: ResolvedImage, kind: ArtefactKind, context: VerifyContext) {
    const { registry, repository } = image.reference;
    this.#image = image;
    this.#kind = kind;
    this.#context = context;
    this.#repository = { registry, repository };
  }

  async findTagged(): Promise<readonly Found[]> {
    const tag = tagOf(this.#image.digest, this.#kind);
    if (tag.length > MAX_TAG_LENGTH) return [];
    return this.#layersOf({ place: tag, way: 'tag' });
  }

  async findReferrers(): Promise<readonly Found[]> {
    const { registry, signal } = this.#context;
    const descriptors = await this.#attempt(
      registry.referrers(this.#repository, this.#image.digest, signal),
    );
    const known = (descriptors?.value ?? []).filter(({ digest }) => isArtefactDigest(digest));
    const referrers = new Map(known.map((each) => [each.digest, each]));
    this.#noteOmitted(referrers.size - MAX_REFERRERS, 'referrers');
    const found = await Promise.all(
      [...referrers.values()].slice(0, MAX_REFERRERS).map(({ digest, fallbackTag }) => {
        const way = fallbackTag === undefined ? 'referrers API' : 'fallback tag';
        return this.#layersOf({ place: digest, way });
      }),
    );
    return found.flat();
  }

  /** Of the manifest with this tag or digest, the layers of the kind that is looked for. */
  async #layersOf(manifest: Origin): Promise<readonly Found[]> {
    const answer = await this.#fetchManifest(manifest.place);
    if (answer?.value === undefined || !(await this.#hasTurn())) return [];
    const read = readArtefactManifest(answer.value);
    if (typeof read === 'string') return this.#reject(manifest, read);
    const layers = read.layers.filter((layer) => isOfKind(layer, this.#kind));
    if (layers.length === 0 || isHintedAway(read, this.#kind)) return [];
    const subject = read.subject?.digest;
    if (subject === undefined ? layers.some(isBundleLayer) : subject !== this.#image.digest) {
      return this.#reject(manifest, 'for another image (subject)');
    }
    const { place, way } = manifest;
    return layers.map((layer, index) => ({ layer, place: `${place}, layer ${index + 1}`, way }));
  }

  /** The bytes of what was found: each blob once, few and small ones. */
  async read(found: readonly Found[]): Promise<Discovery> {
    if (this.#isOver()) return this.#discoveryOf([]);
    const different = dedupe(found);
    const chosen = this.#choose(different);
    const blobs = new Map<string, Promise<Uint8Array | undefined>>();
    const artefacts = await Promise.all(
      chosen.map(async ({ layer, place, way }) => {
        const key = `${layer.digest} ${layer.size}`;
        const blob = blobs.get(key) ?? this.#fetchBlob(layer, { place, way });
        blobs.set(key, blob);
        const bytes = await blob;
        if (bytes === undefined || !(await this.#hasTurn())) return undefined;
        const artefact = readLayer(layer, bytes, { place, way });
        if (artefact === undefined) this.#reject({ place, way }, 'not readable');
        return artefact;
      }),
    );
    if (this.#isOver()) return this.#discoveryOf([]);
    return this.#discoveryOf(this.#bound(artefacts.filter((artefact) => artefact !== undefined)));
  }

  /** There is no time to judge what was found, and what took it is known. */
  #isOver(): boolean {
    return this.#context.signal.aborted && this.#failures.length > 0;
  }

  #discoveryOf(artefacts: readonly Artefact[]): Discovery {
    return { artefacts, unusable: this.#unusable, failures: this.#failures };
  }

  #bound(artefacts: readonly Artefact[]): readonly Artefact[] {
    let left = MAX_SIGNATURES;
    return artefacts.filter((artefact) => {
      left -= artefact.signatures.length;
      if (left < 0) this.#reject(artefact, 'not looked at');
      return left >= 0;
    });
  }

  #choose(found: readonly Found[]): readonly Found[] {
    const limit = MAX_LAYER_BYTES[this.#kind];
    let left = MAX_TOTAL_BYTES;
    const small = found.filter((each) => {
      const { size } = each.layer;
      if (size <= Math.min(limit, left)) {
        left -= size;
        return true;
      }
      this.#reject(each, `too large (${size} bytes)`);
      return false;
    });
    this.#noteOmitted(small.length - MAX_ARTEFACTS, `${this.#kind}s`);
    return small.slice(0, MAX_ARTEFACTS);
  }

  #fetchManifest(reference: string): Promise<Answer<Manifest> | undefined> {
    const { registry, signal } = this.#context;
    return this.#attempt(registry.manifest(this.#repository, reference, signal));
  }

  async #fetchBlob(layer: Layer, origin: Origin): Promise<Uint8Array | undefined> {
    const { registry, signal } = this.#context;
    const asked = registry.blob(this.#repository, layer, signal);
    const answer = await this.#attempt(asked, FAILURES_OF_BLOBS);
    if (answer !== undefined && answer.value === undefined) {
      this.#reject(origin, 'missing in the registry');
    }
    return answer?.value;
  }

  /** Undefined for what cannot be found out, which is remembered. */
  async #attempt<T>(
    asked: Promise<T | undefined>,
    remembered = FAILURES,
  ): Promise<Answer<T> | undefined> {
    try {
      return { value: await asked };
    } catch (thrown) {
      if (!(thrown instanceof ImageCheckerError) || !remembered.includes(thrown.code)) throw thrown;
      if (thrown.code === 'registry-unavailable') this.#failures.push(thrown);
      else this.#failures.unshift(thrown);
      return undefined;
    }
  }

  /** One reads at a time, and other reviews in between; false when the deadline is over. */
  async #hasTurn(): Promise<boolean> {
    this.#turns = this.#turns.then(() => breathe(this.#context.signal));
    return (await this.#attempt(this.#turns)) !== undefined;
  }

  #reject({ place, way }: Origin, reason: string): readonly Found[] {
    if (this.#unusable.length < MAX_UNUSABLE) this.#unusable.push({ place, way, reason });
    return [];
  }

  #noteOmitted(count: number, what: string): void {
    if (count > 0)
      this.#reject({ place: `${count} more ${what}`, way: undefined }, 'not looked at');
  }
}

/** `sha256-<hex>.sig` */
function tagOf(digest: string, kind: ArtefactKind): string {
  return `${digest.replace(':', '-')}.${kind === 'signature' ? 'sig' : 'att'}`;
}

/** Leaving out what says that it is of the other kind can deny, and never allow. */
function isHintedAway({ annotations = {} }: ArtefactManifest, kind: ArtefactKind): boolean {
  if (!Object.hasOwn(annotations, PREDICATE_TYPE_KEY)) return false;
  const isSignature = annotations[PREDICATE_TYPE_KEY] === SIGN_PREDICATE_TYPE;
  return isSignature !== (kind === 'signature');
}

/** The same layer, in all that is said of it, is the same signature, wherever it lies. */
function dedupe(found: readonly Found[]): readonly Found[] {
  return [...new Map(found.map((each) => [JSON.stringify(each.layer), each])).values()];
}
