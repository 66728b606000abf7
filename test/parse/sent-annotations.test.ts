import { describe, expect, it } from '@jest/globals';
import { isSent, SENT_INFIX } from '../../src/parse/sent-annotations.ts';

describe('an annotation of a pod', () => {
  it.each([
    'image-checker.image-policy.k8s.io/break-glass',
    'x.image-policy.k8s.io/ticket-1',
    'a.b.image-policy.k8s.io/x',
    SENT_INFIX,
  ])('reaches the service when it is called %s', (key) => {
    expect(isSent(key)).toBe(true);
  });

  it.each([
    'image-policy.k8s.io/break-glass',
    'ximage-policy.k8s.io/break-glass',
    'x.image-policy.k8s.io',
    'x.image-policy.k8s.io.evil.com/break-glass',
    'x.image-policy-k8s.io/break-glass',
    'X.IMAGE-POLICY.K8S.IO/break-glass',
    'break-glass',
    '',
  ])('does not when it is called %j', (key) => {
    expect(isSent(key)).toBe(false);
  });
});
