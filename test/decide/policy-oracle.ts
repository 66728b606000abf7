import type { ReviewText } from '../support/policy.ts';
import type { OracleReference } from '../parse/pattern-oracle.ts';
import { oracleGlob, oracleTakes, oracleTakesRegistry } from '../parse/pattern-oracle.ts';
import { oracleParse } from '../parse/reference-oracle.ts';

/*
 * The evaluation of the design ("Evaluation of one image", "Denied whatever the rules say"),
 * sentence by sentence, over the text of a rules file. Hosts in it are in lower case.
 */

export interface SelectorText {
  readonly namespaces?: readonly string[];
  readonly images?: readonly string[];
}

export interface ConditionsText {
  readonly registries?: readonly string[];
  readonly images?: readonly string[];
  readonly tags?: readonly string[];
  readonly digest?: true;
  readonly explicitRegistry?: true;
}

export interface RuleText {
  readonly name: string;
  readonly mode?: 'enforce' | 'warn' | 'audit';
  readonly match?: SelectorText;
  readonly except?: readonly SelectorText[];
  readonly require?: ConditionsText;
  readonly forbid?: Omit<ConditionsText, 'digest' | 'explicitRegistry'>;
}

export interface SpecText {
  readonly unmatchedImages?: 'deny' | 'allow';
  readonly emptyReviews?: 'deny' | 'allow';
  readonly breakGlass?: { readonly annotation: string; readonly namespaces?: readonly string[] };
  readonly rules: readonly RuleText[];
}

interface Image extends OracleReference {
  readonly written: string;
}

export interface OracleVerdict {
  readonly allowed: boolean;
  /** `image rule` of each rule that is violated, of whatever mode. */
  readonly violated: readonly string[];
}

export function oracleDecide(spec: SpecText, review: ReviewText): OracleVerdict {
  const { images, namespace } = review;
  const overridden = breaksGlass(spec, review);
  if (images.length === 0) {
    return { allowed: overridden || spec.emptyReviews === 'allow', violated: [] };
  }
  const verdicts = images.map((image) => judge(spec, image, namespace));
  return {
    allowed: verdicts.every(({ fate }) => fate === 'allowed' || (fate === 'denied' && overridden)),
    violated: [...new Set(verdicts.flatMap(({ violated }) => violated))].sort(),
  };
}

interface ImageVerdict {
  readonly fate: 'allowed' | 'denied' | 'denied whatever the rules say';
  readonly violated: readonly string[];
}

function judge(spec: SpecText, written: string, namespace: string): ImageVerdict {
  const parsed = oracleParse(written);
  if (!parsed.ok || parsed.registry === '' || /^sha(256|384|512):[0-9a-fA-F]*$/.test(written)) {
    return { fate: 'denied whatever the rules say', violated: [] };
  }
  const image = { ...parsed, written };
  const covering = spec.rules.filter(
    ({ match }) => !match || takes(match, image, namespace, false),
  );
  // A tag beside a digest proves nothing: to be covered by it is not to be let through by it.
  const covered = covering.some(({ match }) => !match || takes(match, image, namespace, true));
  const uncovered = !covered && spec.unmatchedImages !== 'allow';
  const violated = covering
    .filter(({ except = [] }) => !except.some((entry) => takes(entry, image, namespace, true)))
    .filter((rule) => !meets(rule.require ?? {}, image) || hits(rule.forbid ?? {}, image));
  const denied = violated.some(({ mode = 'enforce' }) => mode === 'enforce');
  return {
    fate: denied || uncovered ? 'denied' : 'allowed',
    violated: violated.map(({ name }) => `${written} ${name}`),
  };
}

function takes(selector: SelectorText, image: Image, namespace: string, proof: boolean): boolean {
  const { namespaces, images } = selector;
  const inNamespace = namespaces?.some((glob) => oracleGlob(glob, namespace)) ?? true;
  return inNamespace && (images?.some((pattern) => oracleTakes(pattern, image, proof)) ?? true);
}

function meets(require: ConditionsText, image: Image): boolean {
  const { registries, images, tags, digest, explicitRegistry } = require;
  return (
    (!registries || registries.some((each) => oracleTakesRegistry(each, image.registry))) &&
    (!images || images.some((each) => oracleTakes(each, image, true))) &&
    (!tags || provesTag(tags, image)) &&
    (!digest || image.digest !== undefined) &&
    (!explicitRegistry || namesRegistry(image.written))
  );
}

function provesTag(tags: readonly string[], { tag, digest }: Image): boolean {
  return digest === undefined && tags.some((glob) => oracleGlob(glob, tag ?? ''));
}

function namesRegistry(written: string): boolean {
  const [first = '', rest] = written.split('/');
  return rest !== undefined && (/[.:A-Z]/.test(first) || first === 'localhost');
}

function hits(forbid: ConditionsText, image: Image): boolean {
  const { registries = [], images = [], tags = [] } = forbid;
  const { tag } = image;
  return (
    registries.some((each) => oracleTakesRegistry(each, image.registry)) ||
    images.some((each) => oracleTakes(each, image, false)) ||
    (tag !== undefined && tags.some((glob) => oracleGlob(glob, tag)))
  );
}

function breaksGlass({ breakGlass }: SpecText, { annotations, namespace }: ReviewText): boolean {
  if (breakGlass === undefined) return false;
  const { annotation, namespaces = ['*'] } = breakGlass;
  const value = Object.hasOwn(annotations, annotation) ? annotations[annotation] : '';
  return value !== '' && namespaces.some((glob) => oracleGlob(glob, namespace));
}
