import { parse } from 'yaml';

/** A pod as far as these tests look at it; read by `yaml` alone, not by what is tested. */
interface Pod {
  spec: {
    containers: {
      name?: string;
      command?: string[] | null;
      args?: string[] | null;
      volumeMounts?: { name: string; mountPath: string; readOnly?: boolean }[] | null;
    }[];
    volumes?: { name: string; hostPath?: { path: string; type?: string } }[] | null;
  };
}

export interface Effective {
  readonly enabled: string[];
  readonly disabled: string[];
  readonly configFile: string | undefined;
  /** `mount path <- folder of the host (ro|rw)` */
  readonly mounts: string[];
  readonly volumes: string[];
}

/** What kube-apiserver would make of a manifest. */
export function effective(text: string): Effective {
  const pod = parse(text) as Pod;
  const container = pod.spec.containers.find(isApiServer);
  if (container === undefined) throw new Error('expected kube-apiserver, got none');
  const words = [...(container.command ?? []), ...(container.args ?? [])];
  const volumes = pod.spec.volumes ?? [];
  return {
    enabled: listFlag(words, 'enable-admission-plugins'),
    disabled: listFlag(words, 'disable-admission-plugins'),
    configFile: valuesOf(words, 'admission-control-config-file').at(-1),
    mounts: (container.volumeMounts ?? []).map(({ name, mountPath, readOnly }) => {
      const path = volumes.find((volume) => volume.name === name)?.hostPath?.path ?? 'nothing';
      return `${mountPath} <- ${path} (${readOnly === true ? 'ro' : 'rw'})`;
    }),
    volumes: volumes.map(({ hostPath }) => `${hostPath?.path ?? ''} ${hostPath?.type ?? ''}`),
  };
}

function isApiServer({ name, command }: Pod['spec']['containers'][number]): boolean {
  const words = command ?? [];
  return words.length === 0 ? name === 'kube-apiserver' : words.some(isProgram) && !isLogger(words);
}

const isProgram = (word: string): boolean => /(?:^|\/)kube-apiserver$/.test(word);
const isLogger = ([program]: string[]): boolean => program === '/logger';

/** pflag's string slice gathers the values of every occurrence. */
function listFlag(words: readonly string[], name: string): string[] {
  return valuesOf(words, name).flatMap((value) => (value === '' ? [] : value.split(',')));
}

function valuesOf(words: readonly string[], name: string): string[] {
  const end = words.indexOf('--');
  return words.slice(0, end === -1 ? words.length : end).flatMap((word, index) => {
    const [flag = '', ...rest] = word.split('=');
    if (flag.replaceAll('_', '-') !== `--${name}`) return [];
    return [rest.length > 0 ? rest.join('=') : (words[index + 1] ?? '')];
  });
}
