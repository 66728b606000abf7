import { describe, expect, it } from '@jest/globals';
import { ImageCheckerError } from '../../src/errors.ts';
import type { Problem } from '../../src/errors.ts';
import { planEnable } from '../../src/manifest/enable.ts';
import { fixture, FOLDERS } from './fixtures.ts';
import { pod } from './pod.ts';

describe('enable refuses', () => {
  const block = fixture('kubeadm-v1.31.yaml');
  const replaced = (from: string | RegExp, to: string): string => block.replace(from, to);

  it.each<[string, string, string]>([
    ['nothing', '', '1:1 expected a mapping, got something else'],
    ['a comment', '# gone\n', '1:1 expected a mapping, got something else'],
    ['a list', '- a\n', '1:1 expected a mapping, got something else'],
    ['what is no YAML', 'a: [\n', '2:1 not YAML: '],
    ['a key twice', 'a: 1\na: 2\n', '2:1 expected each key once, got this one again'],
    [
      'two documents',
      `${block}---\nkind: Pod\n`,
      '122:1 expected one YAML document, got another one [keep one document in the file, and no `---` behind it]',
    ],
    ['a document behind an empty one', `---\n---\n${block}`, '2:1 expected one YAML document'],
    [
      'another kind',
      replaced('kind: Pod', 'kind: Deployment'),
      '2:7 kind: expected Pod, got Deployment',
    ],
    ['no kind', replaced('kind: Pod\n', ''), '1:1 kind: expected Pod, got nothing'],
    ['another version', replaced('v1', 'v2'), '1:13 apiVersion: expected v1, got v2'],
    ['no spec', 'apiVersion: v1\nkind: Pod\n', '1:1 spec is missing'],
    ['a list for a spec', 'apiVersion: v1\nkind: Pod\nspec: []\n', '3:7 spec: expected a mapping'],
    [
      'another component',
      replaced('- kube-apiserver', '- kube-scheduler'),
      '13:3 expected a container with the command kube-apiserver, got none',
    ],
    [
      'a program that has kube-apiserver as an argument',
      replaced('- kube-apiserver', '- /proxy\n    - kube-apiserver'),
      '13:3 expected a container with the command kube-apiserver, got none',
    ],
    [
      'a shell',
      pod({}).replace('"kube-apiserver"', '"sh","-c","exec kube-apiserver --secure-port=6443"'),
      'a command line within a shell is not edited',
    ],
    [
      'two containers that run it',
      replaced('  hostNetwork', '  - command: [kube-apiserver]\n  hostNetwork'),
      '94:5 expected one container that runs kube-apiserver, got another one',
    ],
    [
      'the flag from before v1.10',
      replaced('--enable-admission-plugins', '--admission-control'),
      '20:7 expected --enable-admission-plugins, got --admission-control, which excludes it',
    ],
    [
      'blanks among the plugins',
      replaced('NodeRestriction', 'NodeRestriction, PodSecurity'),
      '20:7 --enable-admission-plugins: expected names and single commas, got "NodeRestriction, PodSecurity"',
    ],
    [
      'quotes among the plugins',
      replaced('=NodeRestriction', '="NodeRestriction"'),
      'expected names and single commas',
    ],
    [
      'a comma at the end of the plugins',
      replaced('NodeRestriction', 'NodeRestriction,'),
      'expected names and single commas',
    ],
    [
      'a flag without its value',
      replaced('--enable-admission-plugins=NodeRestriction', '--enable-admission-plugins'),
      '20:7 --enable-admission-plugins: expected a value behind it, got --enable-bootstrap-token-auth=true',
    ],
    [
      'a flag without its value at the end',
      replaced(/(--tls-private-key-file=.*)/, '$1\n    - --admission-control-config-file'),
      '--admission-control-config-file: expected a value behind it, got nothing',
    ],
    [
      'a value in the other list',
      pod({ flags: ['--enable-admission-plugins'] }).replace(
        '"volumeMounts"',
        '"args":["A"],"volumeMounts"',
      ),
      '--enable-admission-plugins: expected its value in command too, got it in args',
    ],
    [
      'a flag that is no text',
      replaced('--allow-privileged=true', 'true'),
      '17:7 command[2]: expected a string, got true [put it in quotes]',
    ],
    [
      'a flag on several lines',
      replaced('- --enable-admission-plugins=', '- --enable-admission-plugins=\n       '),
      'expected ',
    ],
    [
      'a flag as a block of text',
      replaced('- --enable-admission-plugins=', '- >-\n      --enable-admission-plugins='),
      '20:7 expected a value on one line, got several [write it on one line]',
    ],
    [
      'an alias among the flags',
      replaced('192.168.56.10:6443', '&host x').replace('- --allow-privileged=true', '- *host'),
      '17:7 command[2]: expected a value, got the alias *host [write the value out in each place]',
    ],
    [
      'an anchor among the flags',
      replaced('- --allow-privileged=true', '- &flag --allow-privileged=true'),
      '17:13 command[2]: expected a value, got the anchor &flag',
    ],
    [
      'an anchor at the flags',
      replaced('command:', 'command: &flags'),
      'command: expected a value, got the anchor &flags',
    ],
    [
      'an anchor at the volumes',
      replaced('  volumes:', '  volumes: &volumes'),
      'volumes: expected a value, got the anchor &volumes',
    ],
    [
      'a merge key',
      replaced('    image:', '    <<: {}\n    image:'),
      'expected keys, got the merge key <<',
    ],
    [
      'a mapping for the volumes',
      replaced(/ {2}volumes:[^]*/, '  volumes: {}\n'),
      '101:12 volumes: expected a list, got a mapping',
    ],
    [
      'null for the volumes of a JSON pod',
      pod({}).replace('"volumes":[]', '"volumes":null'),
      'volumes: expected a list, got null [leave the key out]',
    ],
    [
      'another folder at the same place',
      pod({ volumes: ['a: /srv/other'], mounts: ['/etc/kubernetes/admission/ <- a'] }),
      '/etc/kubernetes/admission: expected /etc/kubernetes/admission of the host to be mounted there or within, got /srv/other',
    ],
    [
      'a parent folder from elsewhere',
      pod({ volumes: ['a: /srv'], mounts: ['/etc/kubernetes <- a'] }),
      '/etc/kubernetes: expected /etc/kubernetes/admission of the host to be mounted there or within, got /srv',
    ],
    [
      'a parent folder that is none of the host',
      pod({ mounts: ['/etc/kubernetes <- a'] }),
      'mounted there or within, got the volume a',
    ],
    [
      'another folder within ours',
      pod({ volumes: ['a: /srv'], mounts: ['/etc/kubernetes/admission/x <- a'] }),
      '/etc/kubernetes/admission/x: expected /etc/kubernetes/admission/x of the host',
    ],
    [
      'a configuration in use that the host does not have',
      pod({ flags: ['--admission-control-config-file=/in/the/image.yaml'] }),
      '--admission-control-config-file: expected a file of the host, got /in/the/image.yaml',
    ],
  ])('%s', (_title, text, expected) => {
    const { code, problems } = refusalOf(() => planEnable(text, { ...FOLDERS, file: 'm.yaml' }));
    expect(code).toBe('manifest-invalid');
    expect(problems.map(show).join('\n')).toContain(expected);
    expect(problems[0]).toMatchObject({
      file: 'm.yaml',
      line: expect.any(Number),
      column: expect.any(Number),
    });
  });
});

function refusalOf(action: () => unknown): ImageCheckerError {
  try {
    action();
  } catch (thrown) {
    if (thrown instanceof ImageCheckerError) return thrown;
    throw thrown;
  }
  throw new Error('expected a refusal, got none');
}

function show({ line, column, message, hint }: Problem): string {
  const at = `${line ?? '?'}:${column ?? '?'} ${message}`;
  return hint === undefined ? at : `${at} [${hint}]`;
}
