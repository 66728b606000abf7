/** What a pod of kube-apiserver has, in short: `/mount/path <- volume`, `volume: /host/path`. */
export interface PodParts {
  readonly flags?: readonly string[];
  readonly mounts?: readonly string[];
  readonly volumes?: readonly string[];
}

/** A static pod of kube-apiserver as JSON on one line. */
export function pod({ flags = [], mounts = [], volumes = [] }: PodParts): string {
  return JSON.stringify({
    apiVersion: 'v1',
    kind: 'Pod',
    spec: {
      containers: [
        {
          command: ['kube-apiserver', ...flags],
          volumeMounts: mounts.map((mount) => {
            const [mountPath, name] = mount.split(' <- ');
            return { mountPath, name };
          }),
        },
      ],
      volumes: volumes.map((volume) => {
        const [name, path] = volume.split(': ');
        return { name, hostPath: { path } };
      }),
    },
  });
}
