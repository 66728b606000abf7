/** A reload that failed: the old state is still in force. */
export interface FailedReload {
  readonly what: string;
  /** ISO 8601. */
  readonly at: string;
  readonly problems: readonly string[];
}

/** Whether the service can answer, and why not. */
export interface Readiness {
  readonly ready: boolean;
  readonly reasons: readonly string[];
  /** Name and hash of the rules in force. */
  readonly policy: string | undefined;
  /** What could not be loaded since; that alone makes nothing unready. */
  readonly failedReloads: readonly FailedReload[];
}

/** What readiness depends on. */
export interface ServiceState {
  readonly policy: { readonly label: string } | undefined;
  /** Milliseconds since 1970. */
  readonly certificate: { readonly validFrom: number; readonly validTo: number };
  readonly stopping: boolean;
  /** Milliseconds that the event loop is late, if that is too much. */
  readonly loopDelay: () => number | undefined;
}

/** @param now milliseconds since 1970 */
export function readinessOf(
  state: ServiceState,
  now: number,
  failedReloads: readonly FailedReload[],
): Readiness {
  const { policy } = state;
  const delay = state.loopDelay();
  const { validFrom, validTo } = state.certificate;
  const reasons = [
    ...(state.stopping ? ['the service is stopping'] : []),
    ...(delay === undefined ? [] : [`the event loop is ${delay} ms late`]),
    ...(state.policy === undefined ? ['no rules are loaded'] : []),
    ...(now > validTo ? [`the certificate expired on ${toText(validTo)}`] : []),
    ...(now < validFrom ? [`the certificate is not valid before ${toText(validFrom)}`] : []),
  ];
  return {
    ready: reasons.length === 0,
    reasons,
    policy: policy?.label,
    failedReloads,
  };
}

function toText(time: number): string {
  return new Date(time).toISOString();
}
