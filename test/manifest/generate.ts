import fc from 'fast-check';

/** The flags of a kube-apiserver and how they are written, shuffled by the caller. */
const flagText = fc.oneof(
  fc.constantFrom('--secure-port=6443', '--profiling=false', '--allow-privileged', '-v=2'),
  fc.constantFrom(
    '--anonymous-auth=false',
    '--etcd-servers=https://127.0.0.1:2379,https://[::1]:2379',
  ),
  fc.constantFrom('--runtime-config=', `--oidc-client-id=${'long '.repeat(60)}end`),
);

const pluginNames = fc.uniqueArray(
  fc.constantFrom('NodeRestriction', 'PodSecurity', 'EventRateLimit', 'AlwaysPullImages'),
);

const disabledNames = fc
  .tuple(pluginNames, fc.boolean())
  .map(([names, ours]) => (ours ? [...names, 'ImagePolicyWebhook'] : names));

const listFlag = (name: string, names: fc.Arbitrary<string[]>): fc.Arbitrary<string[][]> =>
  fc.array(
    fc
      .tuple(names, fc.boolean())
      .map(([list, apart]) =>
        apart ? [`--${name}`, list.join(',')] : [`--${name}=${list.join(',')}`],
      ),
    { maxLength: 2 },
  );

const flagWords = fc
  .tuple(
    fc.array(flagText.map((text) => [text])),
    listFlag('enable-admission-plugins', pluginNames),
    listFlag('disable-admission-plugins', disabledNames),
  )
  .chain(([others, enabling, disabling]) => {
    const all = [...others, ...enabling, ...disabling];
    return fc.shuffledSubarray(all, { minLength: all.length });
  })
  .chain((flags) => fc.record({ flags: fc.constant(flags), split: fc.nat(flags.length) }))
  .map(({ flags, split }): Words => ({
    first: flags.slice(0, split).flat(),
    rest: flags.slice(split).flat(),
  }));

/** In `command`, and in `args`. */
interface Words {
  readonly first: readonly string[];
  readonly rest: readonly string[];
}

/** Taken in turn, over and over; a prime, so that it does not fall in step with the lines. */
const TURNS = 13;

const someOf = (...choices: string[]): fc.Arbitrary<string[]> =>
  fc.array(fc.constantFrom(...choices), { minLength: TURNS, maxLength: TURNS });

const turn = (choices: readonly string[], index: number): string => choices[index % TURNS] ?? '';

const looks = fc.record({
  /** Of lists under their keys, of keys under their keys, and between a dash and its item. */
  listIndent: fc.constantFrom(0, 2, 4),
  unit: fc.constantFrom(2, 4),
  dashGap: fc.constantFrom(1, 3),
  quotes: someOf('', '"', "'"),
  between: someOf('', '', '', '', '\n', '# note\n', '      # far in\n'),
  behind: someOf('', '', '', '  # note', ' '),
  flow: fc.constantFrom('block', 'block', 'line', 'lines'),
  lists: fc.constantFrom('some', 'empty', 'null', 'absent'),
  lineBreak: fc.constantFrom('\n', '\r\n'),
  ends: fc.boolean(),
  head: fc.constantFrom('', '---\n', '# by hand\n', '# by hand\n---\n', '\ufeff'),
  volumesFirst: fc.boolean(),
  json: fc.constantFrom(undefined, undefined, undefined, 0, 2, '\t'),
});

type Looks = typeof looks extends fc.Arbitrary<infer T> ? T : never;

export interface Generated {
  readonly text: string;
}

/** Static pods of kube-apiserver in every way that people write them. */
export const manifest: fc.Arbitrary<Generated> = fc
  .tuple(flagWords, looks)
  .map(([words, look]) => ({
    text: look.json === undefined ? toYaml(words, look) : toJson(words, look),
  }));

function toJson({ first, rest }: Words, { lists, json, ends }: Looks): string {
  const some = lists === 'some';
  const mounts = some ? [{ name: 'pki', mountPath: '/etc/kubernetes/pki' }] : [];
  const volumes = some ? [{ name: 'pki', hostPath: { path: '/etc/kubernetes/pki' } }] : [];
  const isAbsent = lists === 'absent' || lists === 'null';
  const container = {
    name: 'api',
    command: ['kube-apiserver', ...first, ...rest],
    image: 'api:v1.2.3',
  };
  const pod = {
    kind: 'Pod',
    apiVersion: 'v1',
    spec: {
      containers: [isAbsent ? container : { ...container, volumeMounts: mounts }],
      ...(isAbsent ? {} : { volumes }),
    },
  };
  return JSON.stringify(pod, undefined, json) + (ends ? '\n' : '');
}

function toYaml({ first, rest }: Words, look: Looks): string {
  const { lineBreak, ends, head, volumesFirst, lists } = look;
  const indent = ' '.repeat(look.unit);
  const list = (key: string, items: readonly string[]): string[] => renderList(key, items, look);
  const container = [
    'name: api',
    'image: api:v1.2.3',
    ...list('command', ['kube-apiserver', ...first]),
    ...(rest.length > 0 ? list('args', rest) : []),
    ...renderMaps('volumeMounts', ['mountPath: /etc/kubernetes/pki', 'name: pki'], look),
  ];
  const hostPath = ['hostPath:', `${indent}path: /etc/kubernetes/pki`, 'name: pki'];
  const volumes = renderMaps('volumes', hostPath, look);
  const containers = ['containers:', ...asItem(container, look)];
  const spec = [
    ...(volumesFirst ? volumes : []),
    ...(lists === 'absent' ? [] : ['hostNetwork: true']),
    ...containers,
    ...(volumesFirst ? [] : volumes),
  ];
  const lines = ['apiVersion: v1', 'kind: Pod', 'spec:', ...spec.map((line) => indent + line)];
  const text = decorate(lines, look);
  const whole = (head + text).replaceAll('\n', lineBreak);
  return ends ? whole + lineBreak : whole;
}

/** Comments and blank lines between lines, and comments behind items of lists. */
function decorate(lines: readonly string[], { between, behind }: Looks): string {
  return lines
    .map((line, index) => {
      const isText = /^ *- *["'-]|: *$/.test(line);
      return turn(between, index) + line + (isText ? turn(behind, index) : '');
    })
    .join('\n');
}

function asItem(lines: readonly string[], { listIndent, dashGap }: Looks): string[] {
  const gap = ' '.repeat(dashGap);
  return lines.map(
    (line, index) => ' '.repeat(listIndent) + (index === 0 ? `-${gap}` : ` ${gap}`) + line,
  );
}

function renderList(key: string, words: readonly string[], look: Looks): string[] {
  const items = words.map((word, index) => quote(word, index, look));
  if (look.flow === 'block') {
    return [`${key}:`, ...items.flatMap((item) => asItem([item], look))];
  }
  if (look.flow === 'line') return [`${key}: [${items.join(', ')}]`];
  return [`${key}: [`, ...items.map((item) => `    ${item},`), '  ]'];
}

function renderMaps(key: string, lines: readonly string[], look: Looks): string[] {
  if (look.lists === 'absent') return [];
  if (look.lists === 'null') return [`${key}:`];
  return look.lists === 'empty' ? [`${key}: []`] : [`${key}:`, ...asItem(lines, look)];
}

function quote(word: string, index: number, { quotes, flow }: Looks): string {
  const mark = turn(quotes, index);
  const isPlain = word !== '' && (flow === 'block' || !/[,[\]]/.test(word));
  if (mark === '') return isPlain ? word : `"${word}"`;
  return mark + word + mark;
}

/** What others do to a manifest, wherever ours is in it. */
export const foreignEdit: fc.Arbitrary<(text: string) => string> = fc.constantFrom(
  (text: string) => text.replace('v1.2.3', 'v1.2.4'),
  (text: string) => text.replace(/(["']?)--secure-port=6443/, '$1--secure-port=8443'),
  (text: string) => text.replace('# note', '# another note'),
  (text: string) => text.replace('hostNetwork: true', 'hostNetwork: false'),
  (text: string) => text.replace('api:v1', 'registry.example.com/api:v1'),
  (text: string) => text.replace('NodeRestriction', 'Priority'),
  (text: string) => `${text}${text.includes('\r') ? '\r\n' : '\n'}# the end`,
  (text: string) => text.replaceAll('EventRateLimit', 'EventRateLimits'),
);
