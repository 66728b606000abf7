import { ImageCheckerError } from '../errors.ts';
import type { ImageReference } from '../parse/image-reference.ts';
import { limited, unavailable } from '../registry/failure.ts';
import type { Manifest, Registry } from '../registry/registry.ts';
import { SingleFlight } from '../registry/single-flight.ts';
import type { RegistryRequirement } from '../rules/registry-requirement.ts';
import { RememberingRegistry } from './remembering-registry.ts';
import type { ResolvedImage } from './resolved-image.ts';
import { isMissing } from './settle.ts';
import { Turns } from './turns.ts';
import { VerdictCache } from './verdict-cache.ts';
import type { CacheSettings } from './verdict-cache.ts';
import { dependsOnTime } from './verify-image.ts';
import type { VerifyImage } from './verify-image.ts';
import { withinLimit } from './within-limit.ts';

export interface VerificationDeps {
  readonly registry: Registry;
  readonly verifyImage: VerifyImage;
  readonly cache: CacheSettings;
  /** Whether the config names a registry: places are kept for these. */
  readonly isNamed: (registry: string) => boolean;
  /** Milliseconds that a verification may take, whoever else is waiting for it by then. */
  readonly limit: number;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  /** Told of each image that is verified; absent where nobody wants to know more than the verdict. */
  readonly examined?: (examined: Examined) => void;
  /** Told of each question, and by what it is answered. */
  readonly answeredBy: (source: 'cache' | 'verification under way' | 'verification') => void;
}

/** A verification, so that it can be done again from memory. */
export interface Examined {
  readonly image: ResolvedImage;
  readonly requirement: RegistryRequirement;
  /** Answers with what was answered then, and asks nobody. */
  readonly registry: Registry;
  /** When it was verified, in milliseconds since 1970. */
  readonly from: number;
}

/** A digest about which is asked. */
export interface Subject {
  readonly reference: ImageReference;
  readonly digest: string;
  /** What the digest stands for, where it has been fetched already. */
  readonly manifest: Manifest | undefined;
}

/** Verifies images, each once for all that ask at a time, and remembers for some time. */
export class Verifications {
  readonly #deps: VerificationDeps;
  readonly #cache: VerdictCache;
  readonly #flights: SingleFlight<Outcome>;
  /** By key, what has its turn: only then may a registry be what is waited for. */
  readonly #begun = new Map<string, Begun>();
  readonly #turns: Turns;

  constructor(deps: VerificationDeps) {
    this.#deps = deps;
    this.#cache = new VerdictCache(deps.cache, deps.now);
    this.#turns = new Turns(deps.isNamed);
    this.#flights = new SingleFlight((key) =>
      lateness(key.replace(/ .*/, ''), this.#begun.get(key)),
    );
  }

  /** What is remembered: messages of refusal; undefined when nothing is. */
  known(
    subject: Pick<Subject, 'reference' | 'digest'>,
    requirement: RegistryRequirement,
  ): readonly string[] | undefined {
    const known = this.#cache.get(keyOf(subject, requirement));
    if (known !== undefined) this.#deps.answeredBy('cache');
    return known;
  }

  /**
   * Messages of refusal, none when the image is as required.
   *
   * @param signal ends the waiting of this one asker
   * @throws what the checks throw; nothing of it is remembered
   */
  async refusalsOf(
    subject: Subject,
    requirement: RegistryRequirement,
    signal: AbortSignal,
  ): Promise<readonly string[]> {
    const known = this.known(subject, requirement);
    if (known !== undefined) return known;
    const key = keyOf(subject, requirement);
    const asked = { anew: false };
    const ask = (shared: AbortSignal): Promise<Outcome> => {
      asked.anew = true;
      return this.#verify(key, { subject, requirement }, shared);
    };
    const answer = this.#flights.run(key, signal, ask);
    this.#deps.answeredBy(asked.anew ? 'verification' : 'verification under way');
    const isJoined = !asked.anew;
    const outcome = await answer;
    // Begun for an earlier review, it had less time than this one has.
    const isRepeated = isJoined && outcome.isLate && !signal.aborted;
    return refusalsIn(isRepeated ? await this.#flights.run(key, signal, ask) : outcome);
  }

  async #verify(
    key: string,
    { subject, requirement }: Task,
    shared: AbortSignal,
  ): Promise<Outcome> {
    return withinLimit(this.#deps.limit, shared, async (signal) => {
      try {
        const { registry } = subject.reference;
        const refusals = await this.#turns.take(registry, signal, () =>
          this.#begin(key, { subject, requirement }, signal),
        );
        if (refusals !== undefined) return { isLate: false, refusals };
        // What has begun and takes no notice of its end is left to itself.
        throw lateness(registry, this.#forget(key, signal));
      } catch (thrown) {
        if (signal.aborted && isMissing(thrown)) return { isLate: true, thrown };
        throw thrown;
      }
    });
  }

  async #begin(key: string, task: Task, signal: AbortSignal): Promise<readonly string[]> {
    const registry = new RememberingRegistry(this.#deps.registry);
    this.#begun.set(key, { signal, registry });
    try {
      return await this.#judge(key, task, { signal, registry });
    } finally {
      this.#forget(key, signal);
    }
  }

  /** Undefined when it had not begun; by the signal, as another of the same key may have since. */
  #forget(key: string, signal: AbortSignal): Begun | undefined {
    const begun = this.#begun.get(key);
    if (begun?.signal !== signal) return undefined;
    this.#begun.delete(key);
    return begun;
  }

  async #judge(
    key: string,
    { subject, requirement }: Task,
    { signal, registry }: Begun,
  ): Promise<readonly string[]> {
    const { verifyImage, examined, now } = this.#deps;
    const image = await imageOf(subject, registry, signal);
    const from = now();
    if (image !== undefined) examined?.({ image, requirement, registry: registry.replay(), from });
    const refusals =
      image === undefined
        ? [NOT_THERE]
        : await verifyImage(image, requirement, { registry, signal, now: () => from });
    const until = from + this.#cache.lifetimeOf(refusals);
    const context = { registry: registry.replay(), signal, now: () => until };
    const lasts =
      image === undefined ||
      refusals.length > 0 ||
      !dependsOnTime(requirement) ||
      (await holds(verifyImage(image, requirement, context)));
    if (lasts) this.#cache.set(key, refusals, from);
    return refusals;
  }
}

interface Task {
  readonly subject: Subject;
  readonly requirement: RegistryRequirement;
}

/** What has its turn, and what it asks. */
interface Begun {
  readonly signal: AbortSignal;
  readonly registry: RememberingRegistry;
}

/** What a verification came to: `isLate` where that is nothing, for it had no more time. */
type Outcome =
  | { readonly isLate: false; readonly refusals: readonly string[] }
  | { readonly isLate: true; readonly thrown: ImageCheckerError };

function refusalsIn(outcome: Outcome): readonly string[] {
  if (outcome.isLate) throw outcome.thrown;
  return outcome.refusals;
}

/** What a registry says by 404. */
export const NOT_THERE =
  'expected the image in its registry, got none there (or none that may be read)';

/** Nothing of it is foreign to another tag of the same digest. */
export function keyOf(
  { reference, digest }: Pick<Subject, 'reference' | 'digest'>,
  { hash }: RegistryRequirement,
): string {
  return `${reference.registry}/${reference.repository}@${digest} ${hash}`;
}

/** Without a tag, as what is found out holds for all tags of the digest. */
async function imageOf(
  { reference, digest, manifest: known }: Subject,
  registry: Registry,
  signal: AbortSignal,
): Promise<ResolvedImage | undefined> {
  const manifest = known ?? (await registry.manifest(reference, digest, signal));
  if (manifest === undefined) return undefined;
  const normalized = `${reference.registry}/${reference.repository}@${digest}`;
  return { reference: { ...reference, tag: undefined, digest, normalized }, digest, manifest };
}

/**
 * What cannot be judged again, as not all of its answers are kept, is not remembered either. A fault
 * of ours is one here too.
 */
async function holds(refusals: Promise<readonly string[]>): Promise<boolean> {
  try {
    return (await refusals).length === 0;
  } catch (thrown) {
    if (thrown instanceof ImageCheckerError) return false;
    throw thrown;
  }
}

/** What took the time: the silence of a registry, unless it has not been asked, or has answered. */
function lateness(what: string, begun: Begun | undefined): ImageCheckerError {
  if (begun === undefined) {
    const turn = 'expected a turn among the images that are checked';
    return limited(`${what}: ${turn}, got none before the deadline`);
  }
  return begun.registry.isAsked
    ? unavailable(`${what}: expected an answer, got none before the deadline`)
    : limited(`${what}: expected time to look at what was answered, got none before the deadline`);
}
