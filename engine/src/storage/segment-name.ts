/**
 * What a segment file is stands in its name, so that it is known of a file that cannot be read as well: a commit, or
 * a part of a merge that replaces the files `from` to `to`. Numbers only grow and no number is used twice.
 */
export interface SegmentName {
  readonly number: number;
  readonly from: number;
  readonly to: number;
  /** The number of the merge's first part, and how many there are; null for a commit. */
  readonly merge: { readonly first: number; readonly parts: number } | null;
}

const PATTERN = /^(\d{12})(?:\.(\d{1,12})\.(\d{1,12})\.(\d{1,12})\.(\d{1,12}))?\.seg$/;

export function commitName(number: number): SegmentName {
  return { number, from: number, to: number, merge: null };
}

export function fileOf({ number, from, to, merge }: SegmentName): string {
  const padded = String(number).padStart(12, "0");
  return merge === null ? `${padded}.seg` : `${padded}.${merge.first}.${merge.parts}.${from}.${to}.seg`;
}

/** Undefined for a file that is none of ours. */
export function parseSegmentName(file: string): SegmentName | undefined {
  const match = PATTERN.exec(file);
  if (match === null) return undefined;
  const number = Number(match[1]);
  if (match[2] === undefined) return commitName(number);
  return {
    number,
    from: Number(match[4]),
    to: Number(match[5]),
    merge: { first: Number(match[2]), parts: Number(match[3]) },
  };
}

/** Order in which files are applied: a merge stands where the last file it replaces stood, after it. */
export function byEffect(a: SegmentName, b: SegmentName): number {
  return a.to - b.to || a.number - b.number;
}

/** Whether everything in `name` is in the merge as well. */
export function replaces(merge: SegmentName, name: SegmentName): boolean {
  return merge.merge !== null && name.number < merge.merge.first && merge.from <= name.from && name.to <= merge.to;
}
