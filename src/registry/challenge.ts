/*
 * WWW-Authenticate (RFC 9110, 11.6.1), as registries use it:
 *
 *   challenges = challenge *( "," challenge )
 *   challenge  = scheme [ 1*SP param *( "," param ) ]
 *   param      = token "=" ( token | quoted-string )
 *
 * One pass over the text. A word that is followed by "=" is the name of a parameter, any other one
 * begins a challenge.
 */

/** How a registry wants to be told who asks. */
export type Challenge =
  | { readonly scheme: 'basic' }
  | { readonly scheme: 'bearer'; readonly realm: string; readonly service: string | undefined };

interface Written {
  readonly scheme: string;
  readonly params: Map<string, string>;
}

/** The strongest challenge that we can meet; undefined when there is none. */
export function readChallenge(header: string | undefined): Challenge | undefined {
  const written = readAll(header ?? '');
  const bearer = written.find(({ scheme, params }) => scheme === 'bearer' && params.has('realm'));
  if (bearer !== undefined) {
    const { params } = bearer;
    return { scheme: 'bearer', realm: params.get('realm') ?? '', service: params.get('service') };
  }
  return written.some(({ scheme }) => scheme === 'basic') ? { scheme: 'basic' } : undefined;
}

/** A token or a quoted string, and "=" or "," behind it. */
const PIECE = /\s*(?:([!#$%&'*+.^_`|~0-9A-Za-z-]+)|"((?:[^"\\]|\\.)*)")\s*([=,]?)/y;

function readAll(text: string): Written[] {
  const all: Written[] = [];
  let name: string | undefined;
  PIECE.lastIndex = 0;
  for (let piece = PIECE.exec(text); piece !== null; piece = PIECE.exec(text)) {
    const [, token, quoted, behind] = piece;
    const value = token ?? quoted?.replaceAll(/\\(.)/g, '$1') ?? '';
    if (name !== undefined) {
      setOnce(all.at(-1)?.params, name, value);
      name = undefined;
    } else if (behind === '=') name = value.toLowerCase();
    else if (token !== undefined) all.push({ scheme: token.toLowerCase(), params: new Map() });
  }
  return all;
}

/** The first counts: a second one would be somebody's addition. */
function setOnce(params: Map<string, string> | undefined, name: string, value: string): void {
  if (params?.has(name) === false) params.set(name, value);
}
