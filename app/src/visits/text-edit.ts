import type { FieldEdit } from "@sampai/engine";

export type TextEdit = Extract<FieldEdit, { insert: string }>;

/**
 * What a person changed in a text, as one edit: what stands before and after it is left alone, so that somebody else's
 * words elsewhere in the text survive. Null where nothing changed. Positions count UTF-16 code units and never fall
 * inside a surrogate pair.
 */
export function textEdit(field: string, before: string, after: string): TextEdit | null {
  if (before === after) return null;
  const shorter = Math.min(before.length, after.length);
  let start = 0;
  while (start < shorter && before[start] === after[start]) start += 1;
  let end = 0;
  while (end < shorter - start && before[before.length - 1 - end] === after[after.length - 1 - end]) end += 1;
  if (start > 0 && isHigh(before.charCodeAt(start - 1))) start -= 1;
  if (end > 0 && isLow(before.charCodeAt(before.length - end))) end -= 1;
  return { field, at: start, remove: before.length - end - start, insert: after.slice(start, after.length - end) };
}

/**
 * The same edit on a text that somebody else changed meanwhile (`before` → `now`): it moves with its surroundings.
 * Where both touched the same characters, theirs stay and the insertion is put in front of them.
 */
export function moveEdit(edit: TextEdit, before: string, now: string): TextEdit {
  const theirs = textEdit(edit.field, before, now);
  if (theirs === null || theirs.at >= edit.at + edit.remove) return edit;
  if (theirs.at + theirs.remove <= edit.at) {
    return { ...edit, at: edit.at + theirs.insert.length - theirs.remove };
  }
  return { ...edit, at: theirs.at, remove: 0 };
}

const isHigh = (unit: number) => unit >= 0xd800 && unit <= 0xdbff;
const isLow = (unit: number) => unit >= 0xdc00 && unit <= 0xdfff;
