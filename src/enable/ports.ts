import type { Question } from '../ask/review.ts';
import type { ServiceAnswer } from '../ask/answer.ts';
import type { Problem } from '../errors.ts';
import type { Health } from '../kube/health.ts';
import type { DryRunAnswer, DryRunPod } from '../kube/pods.ts';
import type { SwitchOptions } from './options.ts';
import type { Enabling } from './plan-enable.ts';
import type { SwitchPlan } from './plan.ts';
import type { WaitProgress } from './wait.ts';

/** The kube-apiserver that the manifest is of. */
export interface Cluster {
  /** Looks once. @throws the signal's reason */
  readonly look: (signal: AbortSignal) => Promise<Health>;
  readonly listPods: (signal: AbortSignal) => AsyncIterable<readonly unknown[]>;
  readonly dryRun: (pod: DryRunPod, signal: AbortSignal) => Promise<DryRunAnswer>;
  /** What is to be known of how it is reached. */
  readonly warnings: readonly Problem[];
}

/** Asks the service that the kubeconf of the plugin names, with the certificate of the kubeconf. */
export type AskService = (question: Question) => Promise<ServiceAnswer>;

/** What happened, for whoever waits. */
export type Report =
  | { readonly kind: 'step'; readonly message: string }
  | { readonly kind: 'warning'; readonly problem: Problem }
  | { readonly kind: 'wait'; readonly progress: WaitProgress };

/** What enable and disable need of the world. */
export interface SwitchPorts {
  /** @throws {ImageCheckerError} */
  readonly openCluster: (
    options: SwitchOptions,
    manifest: string,
    signal: AbortSignal,
  ) => Promise<Cluster>;
  /** Lines of kube-apiserver's log that say why it did not start; none where it cannot be told. */
  readonly readLog: (since: Date) => Promise<readonly string[]>;
  readonly showPlan: (plan: SwitchPlan) => Promise<void>;
  /** @throws {ImageCheckerError} unless it is agreed to */
  readonly confirm: (plan: SwitchPlan) => Promise<void>;
  readonly report: (report: Report) => void;
  /** In milliseconds since 1970. */
  readonly now: () => number;
  /** @throws the signal's reason */
  readonly sleep: (milliseconds: number, signal: AbortSignal) => Promise<void>;
  /** Fires when the run is to end: what was done is undone then. */
  readonly signal: AbortSignal;
}

export interface EnablePorts extends SwitchPorts {
  readonly openService: (plan: Enabling) => Promise<AskService>;
  /** What the doctor finds in the files as they are planned to be. */
  readonly examine: (plan: Enabling) => Promise<Examination>;
}

export interface Examination {
  readonly failures: readonly Problem[];
  readonly warnings: readonly Problem[];
}
