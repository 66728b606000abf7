/** Whether the service can answer, and why not. */
export interface Readiness {
  readonly ready: boolean;
  readonly reasons: readonly string[];
}

/** What readiness depends on. */
export interface ServiceState {
  readonly policy: { readonly name: string; readonly hash: string } | undefined;
  /** Milliseconds since 1970. */
  readonly certificate: { readonly validFrom: number; readonly validTo: number };
  readonly stopping: boolean;
}

/** @param now milliseconds since 1970 */
export function readinessOf(state: ServiceState, now: number): Readiness {
  const { validFrom, validTo } = state.certificate;
  const reasons = [
    ...(state.stopping ? ['the service is stopping'] : []),
    ...(state.policy === undefined ? ['no rules are loaded'] : []),
    ...(now > validTo ? [`the certificate expired on ${toText(validTo)}`] : []),
    ...(now < validFrom ? [`the certificate is not valid before ${toText(validFrom)}`] : []),
  ];
  return { ready: reasons.length === 0, reasons };
}

function toText(time: number): string {
  return new Date(time).toISOString();
}
