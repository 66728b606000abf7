import { ImageCheckerError, messageOf } from '../errors.ts';
import { conclude, decideAlone, needsRegistry } from './decide-review.ts';
import type { Examination } from './decide-review.ts';
import type { Decision, RegistryCheck, Violation } from './decision.ts';
import type { Inspection, InspectionSession, Inspector, OpenCheck } from './inspection.ts';
import { violationOf } from './judge-image.ts';

/** Whoever made the image may decide how many things are wrong with it. */
const MAX_REASONS = 10;

/**
 * Decides an examined review, with the registries' answers where the verdict depends on them; a
 * promise only where something has to be asked.
 */
export function settleReview(
  examination: Examination,
  inspector: Inspector,
): Decision | Promise<Decision> {
  if (!needsRegistry(examination)) return decideAlone(examination);
  return settleByWhatIsKnown(examination, inspector) ?? settleByAsking(examination, inspector);
}

function settleByWhatIsKnown(examination: Examination, inspector: Inspector): Decision | undefined {
  const settled: Settled[] = [];
  for (const check of examination.open) {
    const inspection = inspector.known(check);
    if (inspection === undefined) return undefined;
    settled.push(settledBy(inspection, check));
  }
  return concludeBy(settled, examination);
}

async function settleByAsking(examination: Examination, inspector: Inspector): Promise<Decision> {
  const session = inspector.open();
  try {
    const ended = endOf(session.signal);
    const settled = await Promise.all(
      examination.open.map((check) => settle(check, session, ended)),
    );
    return concludeBy(settled, examination);
  } finally {
    session.close();
  }
}

function concludeBy(settled: readonly Settled[], examination: Examination): Decision {
  const unmet = settled.flatMap(({ violations }) => violations);
  return conclude(
    examination,
    unmet,
    settled.map(({ check }) => check),
  );
}

function endOf(signal: AbortSignal): Promise<never> {
  const ended = new Promise<never>((_resolve, reject) => {
    const end = (): void => {
      const why: unknown = signal.reason;
      const message = messageOf(why);
      const isKnown = why instanceof ImageCheckerError;
      reject(isKnown ? why : new ImageCheckerError('registry-unavailable', { message }));
    };
    if (signal.aborted) end();
    else signal.addEventListener('abort', end, { once: true });
  });
  // Nobody waits for it where every check had its answer.
  ended.catch(() => undefined);
  return ended;
}

/** What an open check came to. */
interface Settled {
  readonly check: RegistryCheck;
  readonly violations: readonly Violation[];
}

async function settle(
  check: OpenCheck,
  session: InspectionSession,
  ended: Promise<never>,
): Promise<Settled> {
  try {
    return settledBy(await Promise.race([session.inspect(check), ended]), check);
  } catch (thrown) {
    return settledBy(inspectionOf(thrown), check, messageOf(thrown));
  }
}

/** Only what is known to be no answer counts as none. */
function inspectionOf(thrown: unknown): Inspection {
  const code = thrown instanceof ImageCheckerError ? thrown.code : undefined;
  const why = messageOf(thrown);
  if (code === 'registry-unavailable') return { outcome: 'unchecked', digest: undefined, why };
  const isTold = code === 'registry-corrupt' || code === 'registry-limited';
  const reason = isTold ? why : 'image-checker failed to check it, see its log';
  return { outcome: 'refused', digest: undefined, reasons: [reason] };
}

function settledBy(inspection: Inspection, check: OpenCheck, cause?: string): Settled {
  switch (inspection.outcome) {
    case 'passed':
      return { check: record(check, inspection), violations: [] };
    case 'unchecked':
      return settledWithoutAnswer(inspection, check);
    case 'refused':
      return settledByRefusal(inspection, check, cause);
  }
}

type Unchecked = Extract<Inspection, { outcome: 'unchecked' }>;
type Refused = Extract<Inspection, { outcome: 'refused' }>;

function settledByRefusal(inspection: Refused, check: OpenCheck, cause?: string): Settled {
  const shown = inspection.reasons.slice(0, MAX_REASONS);
  const reasons = shown.length > 0 ? shown : ['refused without a reason'];
  return {
    check: record(check, inspection, { why: cause ?? reasons.join('; ') }),
    violations: reasons.map((reason) => violationOf(check, reason)),
  };
}

/** What is said of an image about which a registry gave no answer, whether or not that is excused. */
export function uncheckedMessage(why: string): string {
  return `could not check: ${why}`;
}

function settledWithoutAnswer(inspection: Unchecked, check: OpenCheck): Settled {
  const { onError, mode } = check.rule;
  const { why } = inspection;
  const violation = violationOf(check, uncheckedMessage(why));
  switch (onError) {
    case 'deny':
      return { check: record(check, inspection, { why }), violations: [violation] };
    case 'warn': {
      const severity = mode === 'enforce' ? 'warn' : mode;
      return {
        check: record(check, inspection, { why, excused: onError }),
        violations: [{ ...violation, severity }],
      };
    }
    case 'allow':
      return { check: record(check, inspection, { why, excused: onError }), violations: [] };
  }
}

function record(
  { reference, rule }: OpenCheck,
  { outcome, digest }: Inspection,
  more: Partial<Pick<RegistryCheck, 'why' | 'excused'>> = {},
): RegistryCheck {
  return {
    image: reference.normalized,
    rule: rule.name,
    outcome,
    digest: digest ?? reference.digest,
    why: more.why,
    excused: more.excused,
  };
}
