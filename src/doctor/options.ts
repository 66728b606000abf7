/** A file to look at; a text that is given stands for what lies on the disk. */
export interface GivenFile {
  /** On this machine. */
  readonly file: string;
  readonly text?: string;
}

/** Where to look; what is left out is not looked at. */
export interface DoctorOptions {
  /** What kube-apiserver mounts. */
  readonly dir?: string;
  readonly manifest?: GivenFile;
  /** Where a manifest names another file, that one is looked at. */
  readonly admissionConfiguration?: GivenFile;
  /** The service's own. */
  readonly serviceDir?: string;
  /** Instead of the rules that the service's config names. */
  readonly rules?: string;
  /** Of a user of the cluster, to ask kube-apiserver for its version. */
  readonly kubeconfig?: string;
  /** Whether to ask the service; by default it is asked. */
  readonly live?: boolean;
  /** Makes a failure of what is warned of, where something can be done about it. */
  readonly strict?: boolean;
  /** What `doctor -o json` wrote on another node. */
  readonly compare?: string;
}

/** The longest that is waited, in milliseconds. */
export interface DoctorTimes {
  /** For a name, a connection, a handshake. */
  readonly connect: number;
  /** For an answer: kube-apiserver waits 30 s. */
  readonly answer: number;
  /** A pod that waits longer than this is worth a warning. */
  readonly slow: number;
}

export interface DoctorPorts {
  readonly now: () => Date;
  /** Who runs this. */
  readonly uid: number;
  readonly node: string;
  readonly times: DoctorTimes;
}
