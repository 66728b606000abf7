import { foldImagePattern } from '../parse/image-pattern.ts';
import type { ImagePattern, RegistryPart } from '../parse/image-pattern.ts';
import {
  allDisjoint,
  eachWithin,
  foldRegistry,
  globContains,
  globsDisjoint,
  patternContains,
  registriesDisjoint,
  registryContains,
} from './containment.ts';
import type { RuleSpec } from './schema.ts';

type Requirement = NonNullable<RuleSpec['require']>;
type Prohibition = NonNullable<RuleSpec['forbid']>;

/** Why no image can fulfil both requirements at once, if none can. */
export function requirementConflict(one: Requirement, other: Requirement): string | undefined {
  return (
    tagAgainstDigest(one, other) ??
    tagAgainstDigest(other, one) ??
    disjointTags(one, other) ??
    disjointRegistries(one, other) ??
    disjointImages(one, other) ??
    disjointImages(other, one)
  );
}

/** The node pulls by digest where there is one, so a tag and a digest exclude each other. */
function tagAgainstDigest(one: Requirement, other: Requirement): string | undefined {
  const wantsDigest =
    other.digest === true || other.images?.every(({ digest }) => digest !== undefined) === true;
  if (!wantsDigest) return undefined;
  const wantsTag = one.tags !== undefined || one.images?.every(isTagAlone) === true;
  return wantsTag ? 'a tag is required and a digest, beside which no tag counts' : undefined;
}

function isTagAlone({ tag, digest }: ImagePattern): boolean {
  return tag !== undefined && digest === undefined;
}

function disjointTags(one: Requirement, other: Requirement): string | undefined {
  if (one.tags === undefined || other.tags === undefined) return undefined;
  const disjoint = allDisjoint(one.tags, other.tags, globsDisjoint);
  return disjoint ? 'the required tags have none in common' : undefined;
}

function disjointRegistries(one: Requirement, other: Requirement): string | undefined {
  if (one.registries === undefined || other.registries === undefined) return undefined;
  const disjoint = allDisjoint<RegistryPart>(one.registries, other.registries, registriesDisjoint);
  return disjoint ? 'the required registries have none in common' : undefined;
}

/** By their registries alone. */
function disjointImages(one: Requirement, other: Requirement): string | undefined {
  const registries = one.images?.map(({ registry }) => registry);
  if (registries === undefined) return undefined;
  const others = other.registries ?? other.images?.map(({ registry }) => registry) ?? [];
  if (others.length === 0 || !allDisjoint(registries, others, registriesDisjoint)) return undefined;
  return 'the required images are of none of the required registries';
}

/** Why whatever fulfils the requirement is forbidden, if all of it is. */
export function prohibitionConflict(
  requirement: Requirement,
  prohibition: Prohibition,
): string | undefined {
  const all = 'everything that is required is forbidden: ';
  if (allRegistriesForbidden(requirement, prohibition)) return `${all}each of the registries`;
  if (allImagesForbidden(requirement, prohibition)) return `${all}each of the images`;
  return allTagsForbidden(requirement, prohibition) ? `${all}each of the tags` : undefined;
}

function allRegistriesForbidden(require: Requirement, forbid: Prohibition): boolean {
  const required = require.registries ?? require.images?.map(({ registry }) => registry);
  if (required === undefined || forbid.registries === undefined) return false;
  const forbidden = forbid.registries.map(foldRegistry);
  return eachWithin(required.map(foldRegistry), forbidden, registryContains);
}

function allImagesForbidden({ images }: Requirement, forbid: Prohibition): boolean {
  if (images === undefined || forbid.images === undefined) return false;
  return eachWithin(
    images.map(foldImagePattern),
    forbid.images.map(foldImagePattern),
    (outer, inner) => patternContains(outer, inner, { outer: 'as-written', inner: 'as-proof' }),
  );
}

function allTagsForbidden({ tags }: Requirement, forbid: Prohibition): boolean {
  if (tags === undefined || forbid.tags === undefined) return false;
  return eachWithin(tags, forbid.tags, globContains);
}
