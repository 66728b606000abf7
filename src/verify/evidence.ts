import { ImageCheckerError } from '../errors.ts';
import type { RegistryRequirement } from '../rules/registry-requirement.ts';
import { explain } from './explain.ts';
import type { Explanation } from './explain.ts';
import { keyOf } from './verifications.ts';
import type { Examined, Subject } from './verifications.ts';

/**
 * What verdicts were found by, for who wants to know more than the verdict. It is looked at after
 * the verdict and from memory: neither the verdict nor what is asked of registries depends on it.
 */
export class Evidence {
  readonly #examined = new Map<string, Examined>();

  /** To be told of each image that is verified. */
  readonly add = (examined: Examined): void => {
    const { image, requirement } = examined;
    this.#examined.set(keyOf(image, requirement), examined);
  };

  /** Undefined for what was never verified, and where the registry contradicted itself. */
  async explain(
    subject: Pick<Subject, 'reference' | 'digest'>,
    requirement: RegistryRequirement,
  ): Promise<Explanation | undefined> {
    const examined = this.#examined.get(keyOf(subject, requirement));
    if (examined === undefined) return undefined;
    const { image, registry, from } = examined;
    const { signal } = new AbortController();
    try {
      return await explain(image, requirement, { registry, signal, now: () => from });
    } catch (thrown) {
      if (thrown instanceof ImageCheckerError) return undefined;
      throw thrown;
    }
  }
}
