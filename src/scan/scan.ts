import type { Violation } from '../decide/decision.ts';
import type { Problem } from '../errors.ts';
import type { Policy } from '../rules/policy.ts';
import type { FoundObject, ObjectPath, ObjectSink } from './found-object.ts';
import { findAnswers } from './answers.ts';
import type { AnswersOptions } from './answers.ts';
import { createJudge } from './judge.ts';
import type { Judge, Judged } from './judge.ts';
import { nameOf } from './pod.ts';
import type { FoundPod } from './pod.ts';
import { ScanSummary } from './summary.ts';
import { mayRun } from './verdict.ts';
import type { Verdict } from './verdict.ts';
import { readWorkloads } from './workload.ts';

/** What a scan has to say about one image field. */
export interface ScanResult {
  /** The file, as it was named. */
  readonly source: string;
  readonly line: number | undefined;
  readonly kind: string;
  readonly namespace: string;
  readonly name: string;
  /** `spec.containers[0].image`; `spec.containers` of a pod that has none, by its place in the workload. */
  readonly field: string;
  readonly image: string;
  readonly verdict: Verdict;
  readonly violations: readonly Violation[];
  readonly note: string | undefined;
}

/** What a change of rules means for an image field. */
export interface Change {
  readonly before: ScanResult;
  readonly after: ScanResult;
}

export interface ScanOptions {
  readonly policy: Policy;
  /** The rules before a change; given: changes are looked for. */
  readonly oldPolicy: Policy | undefined;
  /** For objects that name none. */
  readonly namespace: string;
  /** Whether results are kept of what is simply allowed, too. */
  readonly all: boolean;
  /** Whether pods are only gathered, until `ask` judges them. */
  readonly verify: boolean;
}

/** Holds the workloads of any number of sources against a policy. */
export class Scan {
  readonly summary = new ScanSummary();
  readonly results: ScanResult[] = [];
  readonly changes: Change[] = [];
  readonly problems: Problem[] = [];
  readonly #options: ScanOptions;
  #judge: Judge;
  #oldJudge: Judge | undefined;
  readonly #waiting: { readonly pod: FoundPod; readonly place: PodPlace }[] = [];

  constructor(options: ScanOptions) {
    this.#options = options;
    this.#judge = createJudge(options.policy);
    this.#oldJudge = options.oldPolicy && createJudge(options.oldPolicy);
  }

  /**
   * What takes the objects of one source, named as the user knows it.
   *
   * @param among whether the source lies among what may be no manifest, such as a chart's values:
   *   what is no object of Kubernetes is then skipped, and else a problem
   */
  sinkFor(source: string, among: boolean): ObjectSink {
    return {
      object: (found) => {
        this.#readObject(found, source, among);
      },
      problem: (problem) => this.problems.push({ file: source, ...problem }),
    };
  }

  /** Judges the pods that were gathered, with what registries say of their images. */
  async ask(options: AnswersOptions): Promise<void> {
    const { policy, oldPolicy } = this.#options;
    const pods = this.#waiting.map(({ pod }) => ({ pod, namespace: this.#namespaceOf(pod) }));
    this.#judge = createJudge(policy, await findAnswers(pods, policy, options));
    if (oldPolicy !== undefined) {
      this.#oldJudge = createJudge(oldPolicy, await findAnswers(pods, oldPolicy, options));
    }
    for (const { pod, place } of this.#waiting) this.#judgePod(pod, place);
  }

  #namespaceOf(pod: FoundPod): string {
    return pod.namespace ?? this.#options.namespace;
  }

  #readObject(found: FoundObject, source: string, among: boolean): void {
    readWorkloads(found, {
      pod: (pod, path) => {
        const place = { source, path, found };
        if (this.#options.verify) this.#waiting.push({ pod, place });
        else this.#judgePod(pod, place);
      },
      skipped: (kind) => {
        this.summary.skip(kind);
      },
      invalid: (message, path) =>
        this.problems.push({ file: source, ...found.locate(path), message }),
      foreign: (message, path, hint) => {
        if (among) this.summary.skip('no kind');
        else this.problems.push({ file: source, ...found.locate(path), message, hint });
      },
      misspelt: (message, path, hint) =>
        this.problems.push({ file: source, ...found.locate(path), message, hint }),
    });
  }

  #judgePod(pod: FoundPod, place: PodPlace): void {
    const namespace = this.#namespaceOf(pod);
    const judged = this.#judge(pod, namespace);
    this.summary.addPod(namespace, judged);
    for (const one of judged) {
      this.summary.addImage(namespace, one);
      if (this.#options.all || !isSimplyAllowed(one)) {
        this.results.push(resultOf(one, pod, namespace, place));
      }
    }
    if (this.#oldJudge !== undefined) {
      this.#compare(this.#oldJudge(pod, namespace), judged, (one) =>
        resultOf(one, pod, namespace, place),
      );
    }
  }

  /** A pod without containers may be denied by one policy alone: then the lists differ in length. */
  #compare(
    before: readonly Judged[],
    after: readonly Judged[],
    toResult: (judged: Judged) => ScanResult,
  ): void {
    for (let index = 0; index < Math.max(before.length, after.length); index++) {
      const old = before[index] ?? { ...NO_POD, field: undefined };
      const now = after[index] ?? { ...NO_POD, field: undefined };
      if (mayRun(old.verdict) !== mayRun(now.verdict)) {
        this.changes.push({ before: toResult(old), after: toResult(now) });
      }
    }
  }
}

/** Of a pod without containers that a policy lets pass. */
const NO_POD = { verdict: 'allowed', violations: [], note: undefined } as const;

interface PodPlace {
  readonly source: string;
  readonly path: ObjectPath;
  readonly found: FoundObject;
}

/** Nothing was found against it, not even by a rule that only logs. */
function isSimplyAllowed({ verdict, violations }: Judged): boolean {
  return verdict === 'allowed' && violations.length === 0;
}

function resultOf(
  { field, verdict, violations, note }: Judged,
  { kind, name, specPath }: FoundPod,
  namespace: string,
  { source, path, found }: PodPlace,
): ScanResult {
  const place = field?.path ?? [...specPath, 'containers'];
  return {
    source,
    line: found.locate([...path, ...place]).line,
    kind,
    namespace,
    name,
    field: nameOf(place),
    image: field?.image ?? '',
    verdict,
    violations,
    note,
  };
}
