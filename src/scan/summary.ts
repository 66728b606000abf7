import type { Violation } from '../decide/decision.ts';
import type { Judged } from './judge.ts';
import { effectOf } from './verdict.ts';
import type { Verdict } from './verdict.ts';
import { kindWithoutRule } from './violation-text.ts';

/** Image fields by what becomes of them. */
export interface Counts {
  images: number;
  denied: number;
  warned: number;
  unknown: number;
}

export interface NamespaceCounts extends Counts {
  pods: number;
}

/** Numbers over everything that was looked at. */
export class ScanSummary {
  readonly total: NamespaceCounts = { pods: 0, images: 0, denied: 0, warned: 0, unknown: 0 };
  /** Pods of which an image is denied: none of the pod runs then. */
  deniedPods = 0;
  readonly byNamespace = new Map<string, NamespaceCounts>();
  /** Image fields against which each rule has something, by what it does about them. */
  readonly byRule = new Map<string, Counts>();
  /** How often each image is there that is not simply allowed. */
  readonly byImage = new Map<string, Counts>();
  /** Objects without pods, by kind. */
  readonly skipped = new Map<string, number>();

  skip(kind: string): void {
    this.skipped.set(kind, (this.skipped.get(kind) ?? 0) + 1);
  }

  addPod(namespace: string, judged: readonly Judged[]): void {
    this.total.pods += 1;
    this.#namespace(namespace).pods += 1;
    if (judged.some(({ verdict }) => verdict === 'denied')) this.deniedPods += 1;
  }

  addImage(namespace: string, { field, verdict, violations }: Judged): void {
    for (const counts of [this.total, this.#namespace(namespace)]) {
      if (field !== undefined) counts.images += 1;
      add(counts, verdict);
    }
    if (violations.length === 0) return;
    const rules = new Map(violations.map((violation) => [titleOf(violation), violation]));
    for (const [title, violation] of rules) {
      count(this.byRule, title, effectOf(violation, verdict));
    }
    count(this.byImage, field?.image ?? NO_CONTAINERS, verdict);
  }

  #namespace(name: string): NamespaceCounts {
    let counts = this.byNamespace.get(name);
    if (counts === undefined) {
      counts = { pods: 0, images: 0, denied: 0, warned: 0, unknown: 0 };
      this.byNamespace.set(name, counts);
    }
    return counts;
  }
}

const NO_CONTAINERS = '(no containers)';

/** A rule by its name and, when it does not enforce, its mode; what has no rule by what it is. */
export function titleOf(violation: Violation): string {
  const { rule, severity } = violation;
  if (rule === undefined) return `(${kindWithoutRule(violation)})`;
  return severity === 'enforce' ? rule.name : `${rule.name} (${severity})`;
}

function add(counts: Counts, verdict: Verdict): void {
  if (verdict !== 'allowed') counts[verdict] += 1;
}

function count(map: Map<string, Counts>, key: string, verdict: Verdict): void {
  const counts = map.get(key) ?? { images: 0, denied: 0, warned: 0, unknown: 0 };
  counts.images += 1;
  add(counts, verdict);
  map.set(key, counts);
}
