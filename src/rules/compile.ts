import { createHash } from 'node:crypto';
import { indexImagePatterns } from '../parse/image-pattern-set.ts';
import { foldImagePattern } from '../parse/image-pattern.ts';
import type { ImagePattern } from '../parse/image-pattern.ts';
import { compileRegistrySet, foldRegistryPattern } from '../parse/registry-pattern.ts';
import { compileRegistryRequirement } from './compile-registry.ts';
import { NO_FILES } from './rule-files.ts';
import type { RuleFiles } from './rule-files.ts';
import { indexRules } from './rule-index.ts';
import type { ImageSet, Policy, Prohibition, Requirement, Rule, Selector } from './policy.ts';
import type { ImagePolicy, RuleSpec, SelectorSpec } from './schema.ts';

/**
 * Compiles a checked rules file.
 *
 * @param text the file as it was read, for its hash
 * @param files those that it names, which were checked too
 */
export function compilePolicy(
  file: ImagePolicy,
  text: string,
  files: RuleFiles = NO_FILES,
): Policy {
  const { unmatchedImages, emptyReviews, breakGlass, rules } = file.spec;
  const compiled = rules.map((spec) => {
    const match = foldSelector(spec.match);
    return { rule: compileRule(spec, match, files), match };
  });
  const { name } = file.metadata;
  const hash = hashOf(text, files);
  return {
    name,
    hash,
    label: `${name}@${hash}`,
    files: [...files.values()].map(({ path }) => path),
    unmatchedImages,
    emptyReviews,
    breakGlass: breakGlass && {
      annotation: breakGlass.annotation,
      ticket: breakGlass.ticket,
      namespaces: breakGlass.namespaces,
    },
    rules: compiled.map(({ rule }) => rule),
    candidates: indexRules(compiled),
  };
}

function hashOf(text: string, files: RuleFiles): string {
  const hash = createHash('sha256').update(text);
  for (const [name, file] of files) hash.update(JSON.stringify([name, file.text]));
  return hash.digest('hex').slice(0, 12);
}

function compileRule(spec: RuleSpec, folded: SelectorSpec | undefined, files: RuleFiles): Rule {
  const match = compileSelector(folded);
  return {
    name: spec.name,
    mode: spec.mode,
    onError: spec.onError ?? 'deny',
    message: spec.message,
    match,
    exactMatch: folded === spec.match ? match : compileSelector(spec.match),
    except: (spec.except ?? []).map(compileSelector),
    require: compileRequirement(spec.require, files),
    forbid: spec.forbid && compileProhibition(spec.forbid),
  };
}

/** The selector with its hosts in lower case; the same one where they are. */
function foldSelector(spec: SelectorSpec | undefined): SelectorSpec | undefined {
  const images = spec?.images?.map(foldImagePattern);
  const folded = images?.some((pattern, index) => pattern !== spec?.images?.[index]) === true;
  return folded ? { ...spec, images } : spec;
}

function compileSelector(spec: SelectorSpec | undefined): Selector {
  return { namespaces: spec?.namespaces, images: compileImages(spec?.images) };
}

function compileRequirement(spec: RuleSpec['require'], files: RuleFiles): Requirement {
  return {
    registries: spec?.registries && compileRegistrySet(spec.registries),
    images: compileImages(spec?.images),
    tags: spec?.tags,
    digest: spec?.digest === true,
    explicitRegistry: spec?.explicitRegistry === true,
    registry: compileRegistryRequirement(spec, files),
  };
}

function compileProhibition(spec: NonNullable<RuleSpec['forbid']>): Prohibition {
  return {
    registries: spec.registries && compileRegistrySet(spec.registries.map(foldRegistryPattern)),
    images: compileImages(spec.images?.map(foldImagePattern)),
    tags: spec.tags,
  };
}

function compileImages(patterns: readonly ImagePattern[] | undefined): ImageSet | undefined {
  return (
    patterns && {
      sources: patterns.map(({ source }) => source),
      index: indexImagePatterns(patterns.map((pattern) => [pattern, true])),
    }
  );
}
