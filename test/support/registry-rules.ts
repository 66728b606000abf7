import type { Inspection, Inspector, OpenCheck } from '../../src/decide/inspection.ts';
import type { Policy, Rule } from '../../src/rules/policy.ts';
import type { OnError, RegistryRequirement } from '../../src/rules/registry-requirement.ts';

/** A requirement that asks next to nothing: that the image is there. */
export function requirementOf(given: Partial<RegistryRequirement> = {}): RegistryRequirement {
  return {
    signatures: [],
    attestations: [],
    digestMatchesTag: false,
    maxAge: undefined,
    platforms: [],
    hash: '0'.repeat(64),
    ...given,
  };
}

/** The policy with rules that ask the registry besides: each by its name, with its `onError`. */
export function askingRegistry(policy: Policy, rules: Readonly<Record<string, OnError>>): Policy {
  const asking = new Map<Rule, Rule>();
  const ask = (rule: Rule): Rule => {
    const onError = rules[rule.name];
    if (onError === undefined) return rule;
    const found = asking.get(rule);
    if (found !== undefined) return found;
    const registry = requirementOf();
    const made = { ...rule, onError, require: { ...rule.require, registry } };
    asking.set(rule, made);
    return made;
  };
  return {
    ...policy,
    candidates: (reference, namespace) => policy.candidates(reference, namespace).map(ask),
  };
}

/** An inspector for one way to answer, and what it was asked. */
export interface FakeInspector extends Inspector {
  readonly asked: OpenCheck[];
  /** Sessions that were closed. */
  readonly closed: () => number;
}

/** @param signal when a review has no time left; absent: it has for ever */
export function inspectorBy(
  answer: (check: OpenCheck) => Inspection | Promise<Inspection>,
  signal: AbortSignal = new AbortController().signal,
): FakeInspector {
  const asked: OpenCheck[] = [];
  let closed = 0;
  return {
    asked,
    closed: () => closed,
    known: () => undefined,
    open: () => ({
      inspect(check) {
        asked.push(check);
        // Throws rather than rejects where the answer does.
        return Promise.resolve(answer(check));
      },
      signal,
      close() {
        closed++;
      },
    }),
  };
}
