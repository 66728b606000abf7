import { describe, expect, it } from '@jest/globals';
import type { Decision } from '../../src/decide/decision.ts';
import { ANNOTATION, decide, policyOf } from '../support/policy.ts';

const RULES = [{ name: 'registries', require: { registries: ['a.com'] } }];

/** The decision over `nginx`, which the rules deny. */
function decideWith(breakGlass: object, ticket: string, namespace = 'prod-a'): Decision {
  const policy = policyOf({ breakGlass: { annotation: ANNOTATION, ...breakGlass }, rules: RULES });
  return decide(policy, { namespace, annotations: { [ANNOTATION]: ticket } });
}

describe('break-glass', () => {
  it.each([
    ['any value', {}, 'because I say so', 'default'],
    ['any value in no namespace', {}, 'x', ''],
    ['a ticket that matches', { ticket: 'INC-[0-9]+' }, 'INC-123', 'default'],
    ['the second of two ways', { ticket: 'INC|INC-[0-9]+' }, 'INC-123', 'default'],
    ['a pattern without a capture', { ticket: '(?:A|B)+' }, 'ABBA', 'default'],
    ['a pattern that is anchored already', { ticket: '^INC-[0-9]+$' }, 'INC-1', 'default'],
    ['a pattern that takes either case', { ticket: '(?i)inc-[0-9]+' }, 'INC-1', 'default'],
    ['a namespace that was named', { namespaces: ['default'] }, 'x', 'default'],
    ['a namespace of a pattern', { namespaces: ['a', 'prod-*'] }, 'x', 'prod-eu'],
    ['every namespace', { namespaces: ['*'] }, 'x', ''],
    ['the longest ticket', {}, 'x'.repeat(256), 'default'],
  ])('lets everything pass for %s', (_title, breakGlass, ticket, namespace) => {
    const decision = decideWith(breakGlass, ticket, namespace);
    expect(decision.allowed).toBe(true);
    expect(decision.breakGlass).toEqual({ accepted: true, ticket });
    expect(decision.violations).toMatchObject([
      { severity: 'enforce', rule: { name: 'registries' } },
    ]);
  });

  const INC = { ticket: 'INC-[0-9]+' };
  const MISMATCH = 'the ticket does not match INC-[0-9]+';
  type Row = readonly [
    title: string,
    rules: object,
    ticket: string,
    namespace: string,
    why: string,
  ];
  const refused: readonly Row[] = [
    ['an empty ticket', {}, '', 'prod-a', 'the ticket is empty'],
    [
      'an empty ticket, even if the pattern takes it',
      { ticket: '.*' },
      '',
      'prod-a',
      'the ticket is empty',
    ],
    ['another ticket', INC, 'CHG-1', 'prod-a', MISMATCH],
    ['a ticket in lower case', INC, 'inc-1', 'prod-a', MISMATCH],
    ['a ticket with something before it', INC, 'xINC-1', 'prod-a', MISMATCH],
    ['a ticket with something behind it', INC, 'INC-1x', 'prod-a', MISMATCH],
    ['a ticket with a line behind it', INC, 'INC-1\n', 'prod-a', MISMATCH],
    ['a ticket with a line before it', INC, '\nINC-1', 'prod-a', MISMATCH],
    [
      'a ticket on one of several lines',
      { ticket: '(?m)^INC-[0-9]+$' },
      'a\nINC-1\nb',
      'prod-a',
      'the ticket does not match (?m)^INC-[0-9]+$',
    ],
    ['two tickets', INC, 'INC-1,INC-2', 'prod-a', MISMATCH],
    ['digits of another script', INC, 'INC-١', 'prod-a', MISMATCH],
    [
      'a beginning that is one of two ways',
      { ticket: 'A|INC-[0-9]+' },
      'AB',
      'prod-a',
      'the ticket does not match A|INC-[0-9]+',
    ],
    ['a long ticket', {}, 'x'.repeat(257), 'prod-a', 'the ticket is longer than 256 characters'],
    ['another namespace', { namespaces: ['prod-*'] }, 'x', 'dev', 'there is none in namespace dev'],
    [
      'a namespace that contains the one named',
      { namespaces: ['prod'] },
      'x',
      'prod-a',
      'there is none in namespace prod-a',
    ],
    ['no namespace', { namespaces: ['prod-*'] }, 'x', '', 'there is none in namespace '],
    [
      'a wrong ticket in another namespace',
      { ...INC, namespaces: ['prod-*'] },
      'x',
      'dev',
      'there is none in namespace dev',
    ],
  ];

  it.each(refused)(
    'changes nothing for %s, and says why',
    (...[, breakGlass, ticket, namespace, why]) => {
      const decision = decideWith(breakGlass, ticket, namespace);
      expect(decision.allowed).toBe(false);
      expect(decision.breakGlass).toEqual({ accepted: false, ticket, why });
      expect(decision.violations).toHaveLength(1);
    },
  );

  it('takes no time to speak of for a pattern that backtracks', () => {
    const decision = decideWith({ ticket: '(a+)+b' }, 'a'.repeat(256));
    expect(decision.breakGlass?.accepted).toBe(false);
  });

  it.each([
    ['there is none in the rules', { rules: RULES }, { [ANNOTATION]: 'x' }],
    ['the annotation is absent', { breakGlass: { annotation: ANNOTATION }, rules: RULES }, {}],
    [
      'another annotation has it',
      { breakGlass: { annotation: ANNOTATION }, rules: RULES },
      { [`${ANNOTATION}2`]: 'x', [ANNOTATION.toUpperCase()]: 'x', 'break-glass': 'x' },
    ],
    [
      'the annotation is called like a property of objects',
      { breakGlass: { annotation: 'constructor.image-policy.k8s.io/constructor' }, rules: RULES },
      { constructor: 'x', toString: 'x' },
    ],
  ])('is not recorded when %s', (_title, spec, annotations) => {
    const decision = decide(policyOf(spec), { annotations });
    expect(decision).toMatchObject({ allowed: false, breakGlass: undefined });
  });

  it('is recorded when nothing was violated', () => {
    const policy = policyOf({ breakGlass: { annotation: ANNOTATION }, rules: RULES });
    const images = ['a.com/x'];
    expect(decide(policy, { images, annotations: { [ANNOTATION]: 'INC-1' } })).toEqual({
      allowed: true,
      violations: [],
      checks: [],
      breakGlass: { accepted: true, ticket: 'INC-1' },
    });
    expect(decide(policy, { images, annotations: { [ANNOTATION]: '' } })).toEqual({
      allowed: true,
      violations: [],
      checks: [],
      breakGlass: { accepted: false, ticket: '', why: 'the ticket is empty' },
    });
  });

  it.each([
    ['an image that no rule covers', { rules: [] }, ['nginx']],
    ['a review without containers', { rules: [] }, []],
    [
      'several violated rules',
      { rules: [...RULES, { name: 'b', require: { digest: true } }] },
      ['nginx', 'redis'],
    ],
  ])('overrides %s', (_title, spec, images) => {
    const policy = policyOf({ ...spec, breakGlass: { annotation: ANNOTATION } });
    expect(decide(policy, { images }).allowed).toBe(false);
    const annotations = { [ANNOTATION]: 'x' };
    expect(decide(policy, { images, annotations }).allowed).toBe(true);
    expect(decide(policy, { images, annotations }).violations).not.toEqual([]);
  });
});
