import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { BreakGlassUse, Decision, Violation } from '../../src/decide/decision.ts';
import { reasonFor } from '../../src/respond/reason.ts';
import { ANNOTATION, decide, decideImage, DIGEST, policyOf } from '../support/policy.ts';

const ID = '4f3c0c1e-0000-4000-8000-000000000001';
const LAST = `decision ${ID}`;

function violation(given: Partial<Violation> = {}): Violation {
  return {
    severity: 'enforce',
    image: 'nginx',
    message: 'something is wrong',
    rule: { name: 'the-rule', message: undefined },
    ...given,
  };
}

function reason(violations: readonly Violation[], breakGlass?: BreakGlassUse): string {
  return reasonFor({ allowed: false, violations, checks: [], breakGlass }, ID);
}

function lines(violations: readonly Violation[], breakGlass?: BreakGlassUse): string[] {
  return reason(violations, breakGlass).split('\n');
}

describe('a reason', () => {
  it.each([
    ['a violated rule', violation(), 'nginx: something is wrong (rule the-rule)'],
    [
      'a violated rule that has a message',
      violation({ rule: { name: 'r', message: 'not trusted image!' } }),
      'nginx: something is wrong (rule r): not trusted image!',
    ],
    ['an image without a rule', violation({ rule: undefined }), 'nginx: something is wrong'],
    [
      'the review as a whole',
      violation({ image: undefined, rule: undefined }),
      'review: something is wrong',
    ],
    ['an empty image', violation({ image: '', rule: undefined }), '"": something is wrong'],
    [
      'an image of several lines',
      violation({ image: 'a\nb: fine (rule x)', rule: undefined }),
      'a\\u{a}b: fine (rule x): something is wrong',
    ],
    [
      'an image that turns the text',
      violation({ image: 'a\u202eb\u0000', rule: undefined }),
      'a\\u{202e}b\\u{0}: something is wrong',
    ],
    [
      'a long image',
      violation({ image: 'a'.repeat(4096), rule: undefined }),
      `${'a'.repeat(200)}...: something is wrong`,
    ],
    [
      'a message that quotes from outside',
      violation({ message: `no \u001b[2Jgood\r\n`, rule: undefined }),
      'nginx: no \\u{1b}[2Jgood\\u{d}\\u{a}',
    ],
    [
      'a long message',
      violation({ message: 'm'.repeat(4096) }),
      `nginx: ${'m'.repeat(300)}... (rule the-rule)`,
    ],
  ])('names %s on a line of its own, and then the decision', (_title, given, line) => {
    expect(lines([given])).toEqual([line, LAST]);
  });

  it('has a line for each violation that denies', () => {
    expect(
      lines([
        violation({ message: 'one' }),
        violation({ message: 'two', severity: 'warn' }),
        violation({ message: 'three', severity: 'audit' }),
        violation({ message: 'four', severity: 'absolute', rule: undefined }),
      ]),
    ).toEqual(['nginx: one (rule the-rule)', 'nginx: four', LAST]);
  });

  it('leaves out what break-glass overrode', () => {
    const violations = [violation(), violation({ severity: 'absolute', rule: undefined })];
    expect(lines(violations, { accepted: true, ticket: 'INC-1' })).toEqual([
      'nginx: something is wrong',
      LAST,
    ]);
  });

  it('says why break-glass was refused', () => {
    const why = 'the ticket does not match INC-[0-9]+\n\u202e';
    expect(lines([violation()], { accepted: false, ticket: 'x', why })).toEqual([
      'nginx: something is wrong (rule the-rule)',
      'break-glass refused: the ticket does not match INC-[0-9]+\\u{a}\\u{202e}',
      LAST,
    ]);
  });

  it('does not show the ticket, which comes from outside', () => {
    const use = { accepted: false, ticket: 'SECRET', why: 'it is not' } as const;
    expect(reason([violation()], use)).not.toContain('SECRET');
  });

  it.each([1, 2, 10, 500])('of %i violations says how many lines did not fit', (count) => {
    const violations = Array.from({ length: count }, (_, at) =>
      violation({ image: `docker.io/library/nginx-${at}` }),
    );
    const told = lines(violations);
    const shown = told.filter((line) => line.startsWith('docker.io/')).length;
    expect(told[0]).toBe('docker.io/library/nginx-0: something is wrong (rule the-rule)');
    expect(told.at(-1)).toBe(LAST);
    if (shown < count) expect(told.at(-2)).toBe(`and ${count - shown} more`);
    else expect(told).toHaveLength(count + 1);
  });

  it('uses the room it has', () => {
    const violations = Array.from({ length: 500 }, () => violation());
    expect(Buffer.byteLength(reason(violations))).toBeGreaterThan(900);
  });

  it('fits exactly, or is cut', () => {
    const lengthOf = (message: string) =>
      Buffer.byteLength(reason([violation({ rule: { name: 'r', message } })]));
    const room = 1024 - lengthOf('');
    expect(lengthOf('m'.repeat(room))).toBe(1024);
    expect(reason([violation({ rule: { name: 'r', message: 'm'.repeat(room) } })])).toContain(
      'm'.repeat(room),
    );
    expect(lengthOf('m'.repeat(room + 1))).toBeLessThanOrEqual(1024);
  });

  it('of one long line is cut, and has no more lines to speak of', () => {
    const told = lines([violation({ rule: { name: 'r', message: '漢'.repeat(400) } })]);
    expect(told).toEqual([
      expect.stringMatching(/^nginx: something is wrong \(rule r\): 漢+$/),
      LAST,
    ]);
  });

  it('has a line that fits to the byte, and not one that is a byte too long', () => {
    const line = (length: number): Violation =>
      violation({ image: undefined, message: 'x'.repeat(length), rule: undefined });
    const before = [line(300), line(300), line(60)];
    const linesWith = (length: number) => lines([...before, line(length), line(300)]).length;
    const room = 1024 - Buffer.byteLength(`${reason(before)}\nreview: \nand 5 more`);
    expect(linesWith(room)).toBe(6);
    expect(linesWith(room + 1)).toBe(5);
  });

  it('keeps the name of the rule whatever else is long', () => {
    const name = 'r'.repeat(63);
    const long = violation({
      image: `a.com/${'a'.repeat(4000)}`,
      message: 'm'.repeat(4000),
      rule: { name, message: '漢'.repeat(256) },
    });
    expect(reason([long, long])).toContain(`(rule ${name})`);
    expect(reason([long, long])).toMatch(new RegExp(`\nand 1 more\n${LAST}$`));
  });

  it('is no longer than 1 KiB, has no half character, and ends in the decision', () => {
    const text = fc.oneof(
      fc.string({ unit: 'binary', maxLength: 4096, size: 'max' }),
      fc.constantFrom(
        '漢'.repeat(1000),
        '😀'.repeat(1000),
        '\n'.repeat(1000),
        '\ud800'.repeat(300),
      ),
      fc.constantFrom('nginx', ''),
    );
    const some = fc.record({
      severity: fc.constantFrom<Violation['severity']>('enforce', 'absolute', 'warn'),
      image: fc.option(text, { nil: undefined }),
      message: text,
      rule: fc.option(
        fc.record({
          name: fc.constantFrom('a', 'r'.repeat(63)),
          message: fc.constantFrom(
            undefined,
            'not trusted image!',
            '漢'.repeat(256),
            '😀'.repeat(128),
          ),
        }),
        { nil: undefined },
      ),
    });
    const use = fc.option(
      fc.record({ accepted: fc.constant(false as const), ticket: text, why: text }),
      { nil: undefined },
    );
    fc.assert(
      fc.property(
        fc.array(some, { minLength: 1, maxLength: 20 }),
        use,
        (violations, breakGlass) => {
          const told = reason(violations, breakGlass);
          expect(Buffer.byteLength(told)).toBeLessThanOrEqual(1024);
          expect(told.endsWith(LAST)).toBe(true);
          expect(told.replaceAll('\n', '')).not.toMatch(/[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/u);
          expect(Buffer.from(told).toString()).toBe(told);
        },
      ),
      { numRuns: 500 },
    );
  });
});

describe('the reason of a decision over real rules', () => {
  const rules = [
    {
      name: 'trusted-registries',
      require: { registries: ['docker.io'], explicitRegistry: true },
      message: 'not trusted image!',
    },
    { name: 'pinned', mode: 'warn', require: { digest: true } },
  ];

  function reasonOf(decision: Decision): string {
    expect(decision.allowed).toBe(false);
    return reasonFor(decision, ID);
  }

  it('tells the developer what to change', () => {
    expect(reasonOf(decideImage(policyOf({ rules }), 'nginx'))).toBe(
      [
        'nginx: the registry is not written out, write docker.io/nginx (rule trusted-registries): not trusted image!',
        LAST,
      ].join('\n'),
    );
  });

  it('names each image that is denied', () => {
    const images = ['quay.io/x', `docker.io/nginx@${DIGEST}`, 'Bad', ''];
    expect(reasonOf(decide(policyOf({ rules }), { images })).split('\n')).toEqual([
      'quay.io/x: registry quay.io is none of docker.io (rule trusted-registries): not trusted image!',
      'Bad: invalid reference format: repository name (library/Bad) must be lowercase',
      '"": expected an image, got an empty string',
      LAST,
    ]);
  });

  it('tells why break-glass did not help', () => {
    const policy = policyOf({
      rules,
      breakGlass: { annotation: ANNOTATION, ticket: 'INC-[0-9]+' },
    });
    const decision = decide(policy, { annotations: { [ANNOTATION]: 'please' } });
    expect(reasonOf(decision)).toContain(
      '\nbreak-glass refused: the ticket does not match INC-[0-9]+\n',
    );
  });
});
