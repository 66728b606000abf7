/** One thing that an edit does, for a person to read beside the diff. */
export interface Change {
  readonly kind: ChangeKind;
  readonly message: string;
}

export type ChangeKind =
  | 'plugin-added'
  | 'plugin-removed'
  | 'plugin-no-longer-disabled'
  | 'plugin-disabled-again'
  | 'config-file-added'
  | 'config-file-removed'
  | 'volume-added'
  | 'volume-removed'
  | 'mount-added'
  | 'mount-removed'
  | 'entry-added'
  | 'entry-removed'
  | 'value-added'
  | 'value-changed'
  | 'value-removed';
