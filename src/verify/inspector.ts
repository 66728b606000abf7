import type { Inspection, InspectionSession, Inspector, OpenCheck } from '../decide/inspection.ts';
import { ImageCheckerError } from '../errors.ts';
import { limited } from '../registry/failure.ts';
import { PinnedTags } from './pinned-tags.ts';
import { settle } from './settle.ts';
import { checkTagDigest } from './tag-digest.ts';
import { NOT_THERE, Verifications } from './verifications.ts';
import type { Subject, VerificationDeps } from './verifications.ts';

/** What an inspector needs from around it. */
export interface InspectorDeps extends Omit<VerificationDeps, 'limit'> {
  /** Milliseconds that the registries have for all checks of a review. */
  readonly reviewDeadline: number;
  /** Reviews that may wait at a time; for what is beyond them nothing is asked. */
  readonly mostWaiting: number;
  /** Told of what is no registry's fault. */
  readonly failed: (thrown: unknown) => void;
}

export interface StoppableInspector extends Inspector {
  /** Gives up whatever is being asked, now and from now on. */
  readonly stop: () => void;
}

/**
 * Milliseconds beyond the deadline in which a check can still say what it was waiting for; then its
 * review goes on without it.
 */
const GRACE = 250;

/** Asks registries: in each review a tag is resolved once, and what is known is not asked again. */
export function createInspector(deps: InspectorDeps): StoppableInspector {
  const verifications = new Verifications({ ...deps, limit: deps.reviewDeadline });
  const sessions = new Set<Session>();
  let stopped = false;
  return {
    known({ reference, requirement }) {
      const { digest } = reference;
      // Where a tag points is asked in each review.
      if (digest === undefined || requirement.digestMatchesTag) return undefined;
      const reasons = verifications.known({ reference, digest }, requirement);
      return reasons && inspectionBy(digest, reasons);
    },
    open() {
      const session = new Session(deps, verifications, () => sessions.delete(session));
      sessions.add(session);
      if (stopped) session.end(limited('the service is stopping, try again'));
      else if (sessions.size > deps.mostWaiting) {
        const many = `more than ${deps.mostWaiting} reviews wait for registries`;
        session.end(limited(`${many}, try again`));
      }
      return session;
    },
    stop() {
      stopped = true;
      const why = limited('the service is stopping, try again');
      for (const session of sessions) session.end(why);
    },
  };
}

function inspectionBy(digest: string | undefined, reasons: readonly string[]): Inspection {
  return reasons.length === 0 && digest !== undefined
    ? { outcome: 'passed', digest }
    : { outcome: 'refused', digest, reasons };
}

class Session implements InspectionSession {
  readonly #deps: InspectorDeps;
  readonly #verifications: Verifications;
  readonly #closed: () => void;
  readonly #tags: PinnedTags;
  /** Ends the asking. */
  readonly #asking = new AbortController();
  /** Ends the waiting. */
  readonly #waiting = new AbortController();
  readonly #timers: readonly NodeJS.Timeout[];

  constructor(deps: InspectorDeps, verifications: Verifications, closed: () => void) {
    this.#deps = deps;
    this.#verifications = verifications;
    this.#closed = closed;
    this.#tags = new PinnedTags(deps.registry);
    const { reviewDeadline } = deps;
    const late = `no answer from the registry within ${reviewDeadline / 1000} s`;
    this.#timers = [
      setTimeout(() => {
        this.#asking.abort();
      }, reviewDeadline),
      setTimeout(() => {
        this.end(new Error(late));
      }, reviewDeadline + GRACE),
    ];
  }

  get signal(): AbortSignal {
    return this.#waiting.signal;
  }

  async inspect(check: OpenCheck): Promise<Inspection> {
    let digest = check.reference.digest;
    try {
      this.#refuseWhenBrokenOff();
      const subject = await this.#resolve(check);
      digest = subject?.digest ?? digest;
      const reasons = subject === undefined ? [NOT_THERE] : await this.#refusals(subject, check);
      return inspectionBy(digest, reasons);
    } catch (thrown) {
      return this.#inspectionOf(this.#brokenOff ?? thrown, digest);
    }
  }

  end(why: Error): void {
    this.#waiting.abort(why);
    this.close();
  }

  close(): void {
    for (const timer of this.#timers) clearTimeout(timer);
    this.#asking.abort();
    this.#closed();
  }

  /** Why there is no answer, whatever was waited for, where it was us who broke off. */
  get #brokenOff(): ImageCheckerError | undefined {
    const why: unknown = this.#waiting.signal.reason;
    return why instanceof ImageCheckerError ? why : undefined;
  }

  #refuseWhenBrokenOff(): void {
    if (this.#brokenOff !== undefined) throw this.#brokenOff;
  }

  /** What is judged; undefined when the tag points at nothing. */
  async #resolve({ reference }: OpenCheck): Promise<Subject | undefined> {
    const { digest, tag = '' } = reference;
    if (digest !== undefined) return { reference, digest, manifest: undefined };
    const target = await this.#tags.resolve(reference, tag, this.#asking.signal);
    return target && { reference, ...target };
  }

  async #refusals(subject: Subject, { requirement }: OpenCheck): Promise<readonly string[]> {
    const { signal } = this.#asking;
    const findings = [this.#verifications.refusalsOf(subject, requirement, signal)];
    if (requirement.digestMatchesTag) findings.push(this.#tagRefusals(subject));
    return (await settle(findings, (found) => found.some((each) => each.length > 0))).flat();
  }

  /** Tags move: what one points at is asked in each review. */
  async #tagRefusals({ reference, digest, manifest: known }: Subject): Promise<readonly string[]> {
    if (reference.digest === undefined) return [];
    const { signal } = this.#asking;
    const registry = this.#tags;
    const manifest = known ?? (await registry.manifest(reference, digest, signal));
    if (manifest === undefined) return [NOT_THERE];
    const image = { reference, digest, manifest };
    return checkTagDigest(image, { registry, signal, now: this.#deps.now });
  }

  #inspectionOf(thrown: unknown, digest: string | undefined): Inspection {
    if (thrown instanceof ImageCheckerError) {
      const why = thrown.message;
      if (thrown.code === 'registry-unavailable') return { outcome: 'unchecked', digest, why };
      const isTold = thrown.code === 'registry-corrupt' || thrown.code === 'registry-limited';
      if (isTold) return { outcome: 'refused', digest, reasons: [why] };
    }
    this.#deps.failed(thrown);
    throw thrown;
  }
}
