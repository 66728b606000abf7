import { describe, expect, it } from '@jest/globals';
import type {
  BreakGlassUse,
  Decision,
  RegistryCheck,
  Violation,
} from '../../src/decide/decision.ts';
import { createDecisionLog } from '../../src/record/decision-log.ts';
import type { Log, LogFields, LogLevel } from '../../src/record/logger.ts';
import { reviewOf } from '../support/policy.ts';
import type { ReviewText } from '../support/policy.ts';

const FACTS = {
  id: '4f3c0c1e-0000-4000-8000-000000000001',
  client: 'api-server',
  policy: { label: 'cluster-policy@0123456789ab' },
  durationMs: 0.125,
};

interface Line {
  readonly level: LogLevel;
  readonly message: string;
  readonly fields: LogFields;
}

/** A log of some levels that keeps its lines. */
function memoryLog(writes: (level: LogLevel) => boolean): { log: Log; lines: Line[] } {
  const lines: Line[] = [];
  const write = (level: LogLevel, message: string, fields: LogFields = {}): void => {
    lines.push({ level, message, fields });
  };
  const to =
    (level: LogLevel) =>
    (message: string, fields?: LogFields): void => {
      write(level, message, fields);
    };
  const log = {
    error: to('error'),
    warn: to('warn'),
    info: to('info'),
    debug: to('debug'),
    often: write,
    writes,
  };
  return { log, lines };
}

/** The lines that a decision leaves in a log of some levels. */
function record(
  given: Partial<Decision>,
  review: Partial<ReviewText> = {},
  writes: (level: LogLevel) => boolean = () => true,
): Line[] {
  const { log, lines } = memoryLog(writes);
  createDecisionLog(log, 1)(reviewOf(review), decisionOf(given), FACTS);
  return lines;
}

function decisionOf(given: Partial<Decision>): Decision {
  return { allowed: true, violations: [], checks: [], breakGlass: undefined, ...given };
}

function violation(given: Partial<Violation> = {}): Violation {
  return {
    severity: 'enforce',
    image: 'nginx',
    message: 'wrong',
    rule: { name: 'the-rule', message: 'not trusted image!' },
    ...given,
  };
}

const CHECK: RegistryCheck = {
  image: 'a.com/b:1',
  rule: 'signed',
  outcome: 'passed',
  digest: 'sha256:abc',
  why: undefined,
  excused: undefined,
};

const ACCEPTED: BreakGlassUse = { accepted: true, ticket: 'INC-1' };
const REFUSED: BreakGlassUse = { accepted: false, ticket: 'x', why: 'it does not match' };

describe('the log line of a decision', () => {
  it('holds what was asked and what was answered', () => {
    expect(record({}, { images: ['a', 'b'], namespace: 'prod' })).toEqual([
      {
        level: 'info',
        message: 'image review decided',
        fields: {
          decisionId: FACTS.id,
          verdict: 'allowed',
          namespace: 'prod',
          images: ['a', 'b'],
          violations: [],
          policy: 'cluster-policy@0123456789ab',
          client: 'api-server',
          durationMs: 0.125,
        },
      },
    ]);
  });

  it('holds every violation, with its severity, its rule and the message of the rule', () => {
    const violations = [
      violation(),
      violation({ severity: 'warn', message: 'odd', rule: { name: 'curt', message: undefined } }),
      violation({ severity: 'absolute', image: '', rule: undefined }),
      violation({ image: undefined, rule: undefined }),
    ];
    const [line] = record({ allowed: false, violations });
    expect(line).toMatchObject({ level: 'warn', fields: { verdict: 'denied' } });
    expect(line?.fields['violations']).toEqual([
      {
        severity: 'enforce',
        rule: 'the-rule',
        image: 'nginx',
        message: 'wrong',
        ruleMessage: 'not trusted image!',
      },
      { severity: 'warn', rule: 'curt', image: 'nginx', message: 'odd' },
      { severity: 'absolute', image: '', message: 'wrong' },
      { severity: 'enforce', message: 'wrong' },
    ]);
  });

  it.each([
    ['was accepted', ACCEPTED, { accepted: true, ticket: 'INC-1' }],
    ['was refused', REFUSED, { accepted: false, ticket: 'x', why: 'it does not match' }],
  ])('holds break-glass that %s', (_title, breakGlass, expected) => {
    expect(record({ breakGlass })[0]?.fields['breakGlass']).toEqual(expected);
  });

  it.each<[string, Partial<Decision>, LogLevel]>([
    ['an image that passes', {}, 'info'],
    ['a denial', { allowed: false, violations: [violation()] }, 'warn'],
    ['a warning', { violations: [violation({ severity: 'warn' })] }, 'warn'],
    ['an audited violation', { violations: [violation({ severity: 'audit' })] }, 'warn'],
    ['a check that passed', { checks: [CHECK] }, 'info'],
    [
      'a check that was excused',
      { checks: [{ ...CHECK, outcome: 'unchecked', excused: 'allow' }] },
      'warn',
    ],
    ['break-glass', { violations: [violation()], breakGlass: ACCEPTED }, 'warn'],
    ['break-glass where nothing was violated', { breakGlass: ACCEPTED }, 'warn'],
    ['break-glass that was refused', { breakGlass: REFUSED }, 'warn'],
  ])('for %s is of the right level', (_title, decision, level) => {
    expect(record(decision).map((line) => line.level)).toEqual([level]);
  });

  it('is not put together when nobody wants it', () => {
    expect(record({}, {}, (level) => level !== 'info')).toEqual([]);
    expect(record({ breakGlass: ACCEPTED }, {}, (level) => level === 'warn')).toHaveLength(1);
  });

  it('holds what registries were asked, and what came of it', () => {
    const why = 'x'.repeat(5000);
    const checks = [
      CHECK,
      { ...CHECK, outcome: 'unchecked' as const, why, excused: 'warn' as const },
    ];
    const [line] = record({ checks });
    expect(line?.fields['registryChecks']).toEqual([
      { image: 'a.com/b:1', rule: 'signed', outcome: 'passed', digest: 'sha256:abc' },
      {
        image: 'a.com/b:1',
        rule: 'signed',
        outcome: 'unchecked',
        digest: 'sha256:abc',
        why: `${'x'.repeat(300)}...`,
        excused: 'warn',
      },
    ]);
    const [many] = record({ checks: Array.from({ length: 64 }, () => CHECK) });
    expect(many?.fields['registryChecks']).toHaveLength(20);
    expect(many?.fields['moreRegistryChecks']).toBe(44);
  });

  it('is cut where it would be long', () => {
    const long = 'x'.repeat(5000);
    const images = Array.from({ length: 25 }, (_, at) => `${long}${at}`);
    const violations = Array.from({ length: 300 }, () =>
      violation({ image: long, message: long, rule: { name: 'the-rule', message: long } }),
    );
    const [line] = record(
      { allowed: false, violations, breakGlass: { ...REFUSED, ticket: long } },
      { images, namespace: long },
    );
    const cut = `${'x'.repeat(300)}...`;
    expect(line?.fields).toMatchObject({
      namespace: cut,
      images: Array(20).fill(cut),
      moreImages: 5,
      moreViolations: 280,
      breakGlass: { ticket: cut },
    });
    expect(line?.fields['violations']).toEqual(
      Array(20).fill({
        severity: 'enforce',
        rule: 'the-rule',
        image: cut,
        message: cut,
        ruleMessage: cut,
      }),
    );
    expect(JSON.stringify(line).length).toBeLessThan(30_000);
  });

  it('is not cut at the very limit', () => {
    const images = Array.from({ length: 20 }, () => 'x'.repeat(300));
    const violations = Array.from({ length: 20 }, () => violation());
    const [line] = record({ violations }, { images });
    expect(line?.fields['images']).toEqual(images);
    expect(line?.fields['moreImages']).toBeUndefined();
    expect(line?.fields['moreViolations']).toBeUndefined();
  });
});

describe('a log of which the allowed reviews are sampled', () => {
  const written = (sampleAllowed: number, decisions: readonly Partial<Decision>[]): Line[] => {
    const { log, lines } = memoryLog(() => true);
    const decisionLog = createDecisionLog(log, sampleAllowed);
    for (const given of decisions) decisionLog(reviewOf(), decisionOf(given), FACTS);
    return lines;
  };
  const allowed = Array.from({ length: 25 }, () => ({}));

  it.each<[string, Partial<Decision>]>([
    ['a denial', { allowed: false, violations: [violation()] }],
    ['a denial that is about no image', { allowed: false, violations: [violation({ image: '' })] }],
    ['a warning', { violations: [violation({ severity: 'warn' })] }],
    ['an audited violation', { violations: [violation({ severity: 'audit' })] }],
    [
      'a check that was excused',
      { checks: [{ ...CHECK, outcome: 'unchecked', excused: 'allow' }] },
    ],
    ['break-glass where nothing was violated', { breakGlass: ACCEPTED }],
    ['break-glass that was refused', { breakGlass: REFUSED }],
  ])('has every line of %s', (_title, given) => {
    const lines = written(1000, [...allowed, ...Array.from({ length: 25 }, () => given)]);
    expect(lines.filter(({ level }) => level === 'warn')).toHaveLength(25);
    const sampled = lines.filter(({ fields }) => fields['sampledOneIn'] !== undefined);
    expect(sampled).toHaveLength(1);
  });

  it.each([
    [1, 25, undefined],
    [10, 3, 10],
    [25, 1, 25],
  ])('one in %d, has %d of 25, which say so', (sampleAllowed, count, sampledOneIn) => {
    const lines = written(sampleAllowed, allowed);
    expect(lines).toHaveLength(count);
    for (const { fields } of lines) expect(fields['sampledOneIn']).toBe(sampledOneIn);
  });
});
